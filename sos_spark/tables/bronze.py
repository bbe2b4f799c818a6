"""Bronze: returns as received, with provenance. Postcodes (HOME_POST, PL_POST) are the one thing that is not kept.

Every column of a module is text, spelt as DfE spells it, whatever the return held in it.
"""

from __future__ import annotations

from dataclasses import replace

from sos_spark.tables.table import Codes, Column, Table

RECORD_FAULTS = {
    "element_out_of_place": "The child's record has an element where the collection does not allow it",
    "element_repeated": "The child's record has an element twice where one is allowed",
    "element_misspelt": "The child's record has an element whose name is one letter, or upper and lower case, off",
    "element_of_another_namespace": "The child's record has an element of the collection in another namespace",
}
"""What makes a child's record in XML unusable as a whole: no value of it can be trusted, and more may be missing."""

LA_CODE = Column("la_code", "STRING", "The 3-digit DfE code of the local authority", "Header/Source/LEA")
CENSUS_YEAR = Column(
    "census_year", "INT", "The year in which the return's twelve months end, on 31 March", "Header/Year"
)
FILE_ID = Column("file_id", "BIGINT", "The file: the first 8 bytes of its SHA-256")

PROVENANCE = (
    LA_CODE.required(),
    CENSUS_YEAR.required(),
    FILE_ID.required(),
    Column(
        "record_position",
        "BIGINT",
        "Where the record stands in its file, from 1: line (CSV), child (XML), row (tables)",
    ),
    Column(
        "record_fault",
        "STRING",
        "Why nothing of the child's record in XML can be used, on each of its rows; null where it can",
        codes=RECORD_FAULTS,
    ),
)

FILES = Table(
    "bronze.files",
    "an LA-year of a collection in a source file, accepted or refused (a file of national tables holds many LA-years)",
    (
        FILE_ID.required(),
        Column("file_sha256", "STRING", "The SHA-256 of the file's content", nullable=False),
        Column("file_path", "STRING", "The file's path below the source folder", nullable=False),
        Column(
            "form",
            "STRING",
            "How the file is written",
            codes={
                "xml": "the CIN census as XML",
                "csv": "the SSDA903 return as CSV",
                "table": "national tables, CSV or Parquet",
                "published": "a table as DfE publishes it",
            },
            nullable=False,
        ),
        Column(
            "collection",
            "STRING",
            "What the file is a return of",
            codes={
                "cin": "children in need census",
                "ssda903": "looked-after children return",
                "published": "DfE's published tables",
            },
            nullable=False,
        ),
        Column(
            "la_code",
            "STRING",
            "The 3-digit DfE code of the local authority; null for published tables",
            "Header/Source/LEA",
        ),
        Column(
            "census_year",
            "INT",
            "The year in which the return's twelve months end; null for published tables",
            "Header/Year",
        ),
        Column(
            "returned_at",
            "STRING",
            "When the return was made, as its header says; null where it does not",
            "Header/Source/DateTime",
        ),
        Column(
            "status",
            "STRING",
            "What became of the LA-year",
            codes={
                "accepted": "its rows are in bronze",
                "refused": "none of its rows is",
                "replaced": "a later return took its place",
            },
            nullable=False,
        ),
        Column("reason", "STRING", "Why it was refused or replaced; null for accepted"),
        Column("n_bytes", "BIGINT", "The file's size in bytes"),
        Column("rows_by_module", "MAP<STRING,BIGINT>", "How many rows of each module were taken"),
        Column("is_simulated", "BOOLEAN", "Whether the simulator made the file", nullable=False),
        Column(
            "read_by", "STRING", "The SHA-256 of the code that read the file; other code reads it anew", nullable=False
        ),
    ),
    key=("file_id", "collection", "la_code", "census_year"),
)


def _text(name: str, meaning: str, *, item: str = "", codes: Codes | None = None) -> Column:
    return Column(name, "STRING", meaning, item, codes or {})


def _module(name: str, below: str, *fields: Column) -> Table:
    """Returns a module's table; `below` is the element or file of the collection that its fields stand in."""
    columns = [replace(field, dfe_item=field.dfe_item or f"{below}/{field.name}") for field in fields]
    return Table(
        f"bronze.{name}",
        f"a row of the module {name} as received",
        (*PROVENANCE, *columns),
        partition_by=("census_year",),
        made_from=("returns",),
    )


_CIN_CHILD = _text("LAchildID", "The child's id within the authority", item="ChildIdentifiers/LAchildID")
_UNDER_REFERRAL = _text(
    "CINreferralDate", "The day of the referral that it stands under", item="CINdetails/CINreferralDate"
)
_LAC_CHILD = _text("CHILD", "The child's id within the authority")
_BORN = _text("DOB", "The birth date")

CIN_MODULES = {
    table.short_name: table
    for table in (
        _module(
            "child_identifiers",
            "ChildIdentifiers",
            _CIN_CHILD,
            _text("UPN", "The unique pupil number"),
            _text("FormerUPN", "An earlier unique pupil number"),
            _text("UPNunknown", "Why there is no unique pupil number", codes="cin.UPNunknown"),
            _text("PersonBirthDate", "The birth date"),
            _text("ExpectedPersonBirthDate", "The expected birth date of an unborn child"),
            _text("GenderCurrent", "The gender, as returned until 2024", codes="cin.GenderCurrent"),
            _text("Sex", "The sex, as returned from 2025", codes="cin.Sex"),
            _text("PersonDeathDate", "The date of death"),
            _text("Ethnicity", "The ethnic group", item="ChildCharacteristics/Ethnicity", codes="cin.Ethnicity"),
            _text(
                "Disabilities",
                "The disabilities, joined with semicolons",
                item="ChildCharacteristics/Disabilities/Disability",
                codes="cin.Disability",
            ),
        ),
        _module(
            "cin_details",
            "CINdetails",
            _CIN_CHILD,
            _text("CINreferralDate", "The day of the referral"),
            _text("ReferralSource", "Who referred the child", codes="cin.ReferralSource"),
            _text("PrimaryNeedCode", "The child's main need", codes="cin.PrimaryNeedCode"),
            _text("CINclosureDate", "The day the case was closed"),
            _text("ReasonForClosure", "Why the case was closed", codes="cin.ReasonForClosure"),
            _text("DateOfInitialCPC", "The day of an initial child protection conference, as kept with the referral"),
            _text(
                "ReferralNFA",
                "Whether the referral ended in no further action at once: 0, 1, true or false",
                codes="cin.ReferralNFA",
            ),
        ),
        _module(
            "assessments",
            "Assessments",
            _CIN_CHILD,
            _UNDER_REFERRAL,
            _text("AssessmentActualStartDate", "The day the assessment began"),
            _text("AssessmentInternalReviewDate", "The day by which it was to be reviewed"),
            _text("AssessmentAuthorisationDate", "The day it was authorised, which ends it"),
            _text(
                "AssessmentFactors",
                "The factors found, joined with semicolons",
                item="Assessments/FactorsIdentifiedAtAssessment/AssessmentFactors",
                codes="cin.AssessmentFactors",
            ),
        ),
        _module(
            "cin_plan_dates",
            "CINPlanDates",
            _CIN_CHILD,
            _UNDER_REFERRAL,
            _text("CINPlanStartDate", "The day a child in need plan began"),
            _text("CINPlanEndDate", "The day it ended"),
        ),
        _module(
            "section47",
            "Section47",
            _CIN_CHILD,
            _UNDER_REFERRAL,
            _text("S47ActualStartDate", "The day the section 47 enquiry began"),
            _text("InitialCPCtarget", "The day by which an initial child protection conference was due"),
            _text("DateOfInitialCPC", "The day of the initial child protection conference"),
            _text(
                "ICPCnotRequired",
                "Whether no conference was required: 0, 1, true or false",
                codes="cin.ICPCnotRequired",
            ),
        ),
        _module(
            "cp_plans",
            "ChildProtectionPlans",
            _CIN_CHILD,
            _UNDER_REFERRAL,
            _text("CPPstartDate", "The day the child protection plan began"),
            _text("CPPendDate", "The day it ended"),
            _text("InitialCategoryOfAbuse", "The category of abuse when it began", codes="cin.InitialCategoryOfAbuse"),
            _text("LatestCategoryOfAbuse", "The latest category of abuse", codes="cin.LatestCategoryOfAbuse"),
            _text("NumberOfPreviousCPP", "How many child protection plans the child had before"),
            _text(
                "CPPreviewDates",
                "The days the plan was reviewed, joined with semicolons",
                item="ChildProtectionPlans/Reviews/CPPreviewDate",
            ),
        ),
    )
}
"""Repeated leaves (Disability, AssessmentFactors, CPPreviewDate) are one string joined with a semicolon."""

LAC_MODULES = {
    table.short_name: table
    for table in (
        _module(
            "lac_header",
            "header",
            _LAC_CHILD,
            _text("SEX", "The sex", codes="ssda903.header.SEX"),
            _BORN,
            _text("ETHNIC", "The ethnic group", codes="ssda903.header.ETHNIC"),
            _text("UPN", "The unique pupil number, or why there is none"),
            _text("MOTHER", "Whether the child is a mother"),
            _text("MC_DOB", "The birth date of the child's own child"),
        ),
        _module(
            "lac_episodes",
            "episodes",
            _LAC_CHILD,
            _text("DECOM", "The day the episode began"),
            _text("RNE", "Why a new episode began", codes="ssda903.episodes.RNE"),
            _text("LS", "The legal status", codes="ssda903.episodes.LS"),
            _text("CIN", "The category of need", codes="ssda903.episodes.CIN"),
            _text("PLACE", "The kind of placement", codes="ssda903.episodes.PLACE"),
            _text("PLACE_PROVIDER", "Who provides the placement", codes="ssda903.episodes.PLACE_PROVIDER"),
            _text("DEC", "The day the episode ceased"),
            _text("REC", "Why the episode ceased", codes="ssda903.episodes.REC"),
            _text("REASON_PLACE_CHANGE", "Why the placement changed", codes="ssda903.episodes.REASON_PLACE_CHANGE"),
            _text("URN", "Ofsted's unique reference number of the placement"),
        ),
        _module(
            "lac_reviews",
            "reviews",
            _LAC_CHILD,
            _BORN,
            _text("REVIEW", "The day of a review of the child's case"),
            _text("REVIEW_CODE", "How the child took part in the review"),
        ),
        _module(
            "lac_uasc",
            "uasc",
            _LAC_CHILD,
            _text("SEX", "The sex"),
            _BORN,
            _text("DUC", "The day on which the child ceased to be an unaccompanied asylum seeker"),
        ),
        _module(
            "lac_oc2",
            "oc2",
            _LAC_CHILD,
            _BORN,
            _text("SDQ_SCORE", "The score of the strengths and difficulties questionnaire"),
            _text("SDQ_REASON", "Why there is no score"),
            _text("CONVICTED", "Whether the child was convicted in the year"),
            _text("HEALTH_CHECK", "Whether developmental health checks are up to date"),
            _text("IMMUNISATIONS", "Whether immunisations are up to date"),
            _text("TEETH_CHECK", "Whether the teeth were checked in the year"),
            _text("HEALTH_ASSESSMENT", "Whether the yearly health assessment was made"),
            _text("SUBSTANCE_MISUSE", "Whether the child has a substance misuse problem"),
            _text("INTERVENTION_RECEIVED", "Whether help for substance misuse was received"),
            _text("INTERVENTION_OFFERED", "Whether help for substance misuse was offered"),
        ),
        _module(
            "lac_oc3",
            "oc3",
            _LAC_CHILD,
            _BORN,
            _text("IN_TOUCH", "Whether the authority is in touch with the care leaver"),
            _text("ACTIV", "The care leaver's main activity"),
            _text("ACCOM", "The care leaver's accommodation"),
        ),
        _module(
            "lac_ad1",
            "ad1",
            _LAC_CHILD,
            _BORN,
            _text("DATE_INT", "The day it was decided that the child should be placed for adoption"),
            _text("DATE_MATCH", "The day the child was matched with adopters"),
            _text("FOSTER_CARE", "Whether the adopters were the child's foster carers"),
            _text("NB_ADOPTR", "How many adopters there are"),
            _text("SEX_ADOPTR", "The sex of the adopters"),
            _text("LS_ADOPTR", "The legal status of the adopters"),
        ),
        _module(
            "lac_placed_for_adoption",
            "placed_for_adoption",
            _LAC_CHILD,
            _BORN,
            _text("DATE_PLACED", "The day the child was placed for adoption"),
            _text("DATE_PLACED_CEASED", "The day the child was no longer placed for adoption"),
            _text("REASON_PLACED_CEASED", "Why the child was no longer placed for adoption"),
        ),
        _module(
            "lac_previous_permanence",
            "previous_permanence",
            _LAC_CHILD,
            _BORN,
            _text("PREV_PERM", "The child's permanence option before this care"),
            _text("LA_PERM", "The authority that arranged it"),
            _text("DATE_PERM", "The day it was ordered"),
        ),
        _module(
            "lac_missing",
            "missing",
            _LAC_CHILD,
            _BORN,
            _text("MISSING", "Whether the child was missing or away without authorisation"),
            _text("MIS_START", "The day the child went missing"),
            _text("MIS_END", "The day the child returned"),
        ),
    )
}
"""The SSDA903 file `x.csv` of a folder is the module `lac_x`. Only header and episodes feed outcomes."""

BRONZE_MODULES = CIN_MODULES | LAC_MODULES


PUBLISHED_VALUES = Table(
    "bronze.published_values",
    "a quantity of an LA, or a region, and census year in the published tables",
    (
        Column(
            "la_code",
            "STRING",
            "The 3-digit DfE code of the local authority, or `region:` and a region's name",
            nullable=False,
        ),
        Column("census_year", "INT", "The year to 31 March that the quantity is of", nullable=False),
        Column("quantity", "STRING", "What is counted, such as referrals or section47", nullable=False),
        Column("value", "BIGINT", "The count; null unless it is known"),
        Column(
            "status",
            "STRING",
            "Whether the count is published",
            codes={
                "known": "it is",
                "suppressed": "it is 1 to 5, or would give such a count away",
                "unavailable": "there is no figure",
                "not_applicable": "there was no such authority or kind that year",
            },
            nullable=False,
        ),
    ),
    key=("la_code", "census_year", "quantity"),
    checks={"known_has_a_value": "(status = 'known') = (value IS NOT NULL)"},
    made_from=("published tables",),
)
