"""Silver: typed, one row per entity, the latest return of each; the child is a pseudonym."""

from __future__ import annotations

from dataclasses import replace

from sos_spark.tables.bronze import CENSUS_YEAR, FILE_ID, LA_CODE
from sos_spark.tables.table import Column, Table

SEXES = {"male": "1 or M", "female": "2 or F", "unknown": "anything else, or nothing"}
"""The one coding of sex, and what is received for each."""

_PSEUDONYM = Column("child_id", "STRING", "The child of the authority, as a pseudonym")
CIN_CHILD_ID = replace(_PSEUDONYM, dfe_item="ChildIdentifiers/LAchildID")
PSEUDONYMS = ("child_id", "lac_child_id", "cin_child_id")
"""The names of columns that hold one."""
LAC_CHILD_ID = replace(_PSEUDONYM, dfe_item="episodes/CHILD")
_PERSON_KEY = Column(
    "person_key", "STRING", "A pseudonym of UPN, birth date and sex, to link returns by; null where one is missing"
)
_CIN_PERSON = replace(_PERSON_KEY, dfe_item="ChildIdentifiers/UPN, PersonBirthDate, Sex, GenderCurrent")
_LAC_PERSON = replace(_PERSON_KEY, dfe_item="header/UPN, DOB, SEX")
SEX = Column("sex", "STRING", "The child's sex in one coding", codes=SEXES, nullable=False)
ETHNICITY = Column("ethnicity", "STRING", "The child's ethnic group")

_CIN_SEX = replace(SEX, dfe_item="ChildIdentifiers/Sex, GenderCurrent")
_LAC_SEX = replace(SEX, dfe_item="header/SEX")
_CIN_ETHNICITY = replace(ETHNICITY, dfe_item="ChildCharacteristics/Ethnicity", codes="cin.Ethnicity")
_LAC_ETHNICITY = replace(ETHNICITY, dfe_item="header/ETHNIC", codes="ssda903.header.ETHNIC")
_BIRTH_MONTH = Column("birth_month", "DATE", "The first day of the month the child was born in")
_CIN_BIRTH_MONTH = replace(_BIRTH_MONTH, dfe_item="ChildIdentifiers/PersonBirthDate, ExpectedPersonBirthDate")
_LAC_BIRTH_MONTH = replace(_BIRTH_MONTH, dfe_item="header/DOB")
_AGE_AT_START = Column(
    "age_at_start", "INT", "Completed years of age on the day it began; 0 for the unborn; null where not known"
)
_PRIMARY_NEED = Column(
    "primary_need", "STRING", "The referral's main need", "CINdetails/PrimaryNeedCode", "cin.PrimaryNeedCode"
)
_REFERRAL_DATE = Column("referral_date", "DATE", "The day of the referral", "CINdetails/CINreferralDate")

_CIN_CHILD = (LA_CODE.required(), CIN_CHILD_ID.required())
_LAC_CHILD = (LA_CODE.required(), LAC_CHILD_ID.required())
_CIN_ATTRIBUTES = (_CIN_SEX, _CIN_ETHNICITY)
_LAC_ATTRIBUTES = (_LAC_SEX, _LAC_ETHNICITY)
_TRACE = (
    replace(
        CENSUS_YEAR, meaning="The year of the return that the row was taken from, which ends on 31 March"
    ).required(),
    # What is made of an unknown field (an age, a person key) is null too, and not named.
    Column(
        "unknown_fields",
        "STRING",
        "The columns, in order and parted by blanks, whose received value could not be used (unreadable, after the "
        "return, in contradiction with another): they are null; null for none",
    ),
    Column("warnings", "ARRAY<STRING>", "The codes of the rules of severity field and warning that the row breaks"),
    FILE_ID.required(),
    Column("record_position", "BIGINT", "Where the record stands in its file, as in bronze"),
)

SILVER_CIN_CHILDREN = Table(
    "silver.cin_children",
    "a child of an LA in the CIN census",
    (*_CIN_CHILD, _CIN_PERSON, _CIN_BIRTH_MONTH, *_CIN_ATTRIBUTES, *_TRACE),
    key=("la_code", "child_id"),
    made_from=("bronze.child_identifiers",),
)
SILVER_REFERRALS = Table(
    "silver.referrals",
    "a referral: a child of an LA and a referral date",
    (
        *_CIN_CHILD,
        _REFERRAL_DATE.required(),
        Column(
            "referral_source", "STRING", "Who referred the child", "CINdetails/ReferralSource", "cin.ReferralSource"
        ),
        replace(_PRIMARY_NEED, meaning="The child's main need"),
        Column("closure_date", "DATE", "The day the case was closed; null while open", "CINdetails/CINclosureDate"),
        Column(
            "closure_reason",
            "STRING",
            "Why the case was closed",
            "CINdetails/ReasonForClosure",
            "cin.ReasonForClosure",
        ),
        Column(
            "is_nfa_at_referral",
            "BOOLEAN",
            "Whether the referral ended in no further action at once; false where the return does not say",
            "CINdetails/ReferralNFA",
        ),
        Column(
            "icpc_date",
            "DATE",
            "The day of an initial child protection conference, as kept with the referral",
            "CINdetails/DateOfInitialCPC",
        ),
        replace(
            _AGE_AT_START,
            name="age_at_referral",
            meaning="Completed years of age on the day of the referral; 0 for the unborn; null where not known",
        ),
        replace(
            _AGE_AT_START,
            name="age_at_closure",
            meaning="Completed years of age on the day of the closure; 0 for the unborn; null where not known",
        ),
        *_CIN_ATTRIBUTES,
        *_TRACE,
    ),
    key=("la_code", "child_id", "referral_date"),
    checks={"closure_not_before_referral": "closure_date IS NULL OR closure_date >= referral_date"},
    made_from=("bronze.cin_details", "bronze.child_identifiers"),
)
SILVER_ASSESSMENTS = Table(
    "silver.assessments",
    "an assessment: a referral and an assessment start date",
    (
        *_CIN_CHILD,
        _REFERRAL_DATE.required(),
        Column(
            "assessment_start_date",
            "DATE",
            "The day the assessment began",
            "Assessments/AssessmentActualStartDate",
            nullable=False,
        ),
        Column(
            "assessment_authorised_date",
            "DATE",
            "The day it was authorised, which ends it; null while open",
            "Assessments/AssessmentAuthorisationDate",
        ),
        _PRIMARY_NEED,
        _AGE_AT_START,
        *_CIN_ATTRIBUTES,
        *_TRACE,
    ),
    key=("la_code", "child_id", "referral_date", "assessment_start_date"),
    checks={
        "authorised_not_before_start": "assessment_authorised_date IS NULL"
        " OR assessment_authorised_date >= assessment_start_date"
    },
    made_from=("bronze.assessments", "bronze.cin_details", "bronze.child_identifiers"),
)
SILVER_SECTION47 = Table(
    "silver.section47_enquiries",
    "a section 47 enquiry: a referral and an enquiry start date",
    (
        *_CIN_CHILD,
        _REFERRAL_DATE.required(),
        Column(
            "section47_start_date",
            "DATE",
            "The day the section 47 enquiry began",
            "Section47/S47ActualStartDate",
            nullable=False,
        ),
        Column(
            "icpc_date",
            "DATE",
            "The day of the initial child protection conference that followed",
            "Section47/DateOfInitialCPC",
        ),
        Column(
            "icpc_not_required",
            "BOOLEAN",
            "Whether no conference was required; null where the return does not say",
            "Section47/ICPCnotRequired",
        ),
        _PRIMARY_NEED,
        _AGE_AT_START,
        *_CIN_ATTRIBUTES,
        *_TRACE,
    ),
    key=("la_code", "child_id", "referral_date", "section47_start_date"),
    made_from=("bronze.section47", "bronze.cin_details", "bronze.child_identifiers"),
)
SILVER_CP_PLANS = Table(
    "silver.cp_plans",
    "a child protection plan: a referral and a plan start date",
    (
        *_CIN_CHILD,
        _REFERRAL_DATE.required(),
        Column(
            "cpp_start_date",
            "DATE",
            "The day the child protection plan began",
            "ChildProtectionPlans/CPPstartDate",
            nullable=False,
        ),
        Column("cpp_end_date", "DATE", "The day it ended; null while it runs", "ChildProtectionPlans/CPPendDate"),
        Column(
            "initial_category_of_abuse",
            "STRING",
            "The category of abuse when the plan began",
            "ChildProtectionPlans/InitialCategoryOfAbuse",
            "cin.InitialCategoryOfAbuse",
        ),
        Column(
            "latest_category_of_abuse",
            "STRING",
            "The latest category of abuse",
            "ChildProtectionPlans/LatestCategoryOfAbuse",
            "cin.LatestCategoryOfAbuse",
        ),
        *_TRACE,
    ),
    key=("la_code", "child_id", "referral_date", "cpp_start_date"),
    checks={"end_not_before_start": "cpp_end_date IS NULL OR cpp_end_date >= cpp_start_date"},
    made_from=("bronze.cp_plans",),
)
SILVER_ICPCS = Table(
    "silver.icpcs",
    "an initial child protection conference: a child of an LA and a date, at whichever level it was recorded",
    (
        *_CIN_CHILD,
        Column(
            "icpc_date",
            "DATE",
            "The day of the conference",
            "CINdetails/DateOfInitialCPC, Section47/DateOfInitialCPC",
            nullable=False,
        ),
        Column(
            "recorded_at",
            "STRING",
            "Where the conference was recorded",
            codes={"referral": "with a referral", "section47": "with a section 47 enquiry", "both": "with both"},
            nullable=False,
        ),
    ),
    key=("la_code", "child_id", "icpc_date"),
    made_from=("silver.referrals", "silver.section47_enquiries"),
)
SILVER_LAC_CHILDREN = Table(
    "silver.lac_children",
    "a looked-after child of an LA in the SSDA903 return",
    (
        LA_CODE.required(),
        replace(LAC_CHILD_ID, dfe_item="header/CHILD").required(),
        _LAC_PERSON,
        _LAC_BIRTH_MONTH,
        *_LAC_ATTRIBUTES,
        *_TRACE,
    ),
    key=("la_code", "child_id"),
    made_from=("bronze.lac_header",),
)
SILVER_LAC_EPISODES = Table(
    "silver.lac_episodes",
    "an episode of care: a child of an LA and the day the episode began",
    (
        *_LAC_CHILD,
        Column("care_episode_start_date", "DATE", "The day the episode began", "episodes/DECOM", nullable=False),
        Column("care_episode_end_date", "DATE", "The day the episode ceased; null while it runs", "episodes/DEC"),
        Column("reason_new_episode", "STRING", "Why the episode began", "episodes/RNE", "ssda903.episodes.RNE"),
        Column("legal_status", "STRING", "The legal status", "episodes/LS", "ssda903.episodes.LS"),
        Column("category_of_need", "STRING", "The category of need", "episodes/CIN", "ssda903.episodes.CIN"),
        Column("placement_code", "STRING", "The kind of placement", "episodes/PLACE", "ssda903.episodes.PLACE"),
        Column("reason_episode_ceased", "STRING", "Why the episode ceased", "episodes/REC", "ssda903.episodes.REC"),
        _LAC_BIRTH_MONTH,
        _AGE_AT_START,
        *_LAC_ATTRIBUTES,
        *_TRACE,
    ),
    key=("la_code", "child_id", "care_episode_start_date"),
    checks={
        "end_not_before_start": "care_episode_end_date IS NULL OR care_episode_end_date >= care_episode_start_date"
    },
    made_from=("bronze.lac_episodes", "bronze.lac_header"),
)
SILVER_CHILD_LINKS = Table(
    "silver.child_links",
    "a looked-after child of an LA and the CIN child it is, found by id or else by person",
    (
        LA_CODE.required(),
        replace(LAC_CHILD_ID, name="lac_child_id", meaning="The looked-after child, as a pseudonym").required(),
        replace(CIN_CHILD_ID, name="cin_child_id", meaning="The CIN child it is, as a pseudonym; null where unlinked"),
        Column(
            "link_kind",
            "STRING",
            "What the two were linked by",
            codes={"child_id": "equal ids", "person": "equal person keys", "unlinked": "nothing: no link was found"},
            nullable=False,
        ),
    ),
    key=("la_code", "lac_child_id"),
    made_from=("silver.lac_children", "silver.cin_children"),
)

SILVER_ENTITIES = {
    table.short_name: table
    for table in (
        SILVER_CIN_CHILDREN,
        SILVER_REFERRALS,
        SILVER_ASSESSMENTS,
        SILVER_SECTION47,
        SILVER_CP_PLANS,
        SILVER_LAC_CHILDREN,
        SILVER_LAC_EPISODES,
    )
}
"""The silver tables whose rows come one to one from bronze rows: each has a quarantine table and a ledger line."""
