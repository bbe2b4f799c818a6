"""Bronze: returns as received, with provenance. Postcodes (HOME_POST, PL_POST) are the one thing that is not kept."""

from __future__ import annotations

from sos_spark.tables.table import Table, columns_of, strings_of

PROVENANCE = columns_of("""
    la_code! STRING
    census_year! INT
    file_id! BIGINT
    record_position BIGINT
    record_fault STRING
""")
"""file_id: the first 8 bytes of the file's SHA-256; record_position: 1-based line (CSV), child (XML), row (tables).

record_fault: of XML, the first of RECORD_FAULTS in the child's record, on each of its rows; null where it has none.
"""

RECORD_FAULTS = {
    "element_out_of_place": "The child's record has an element where the collection does not allow it",
    "element_repeated": "The child's record has an element twice where one is allowed",
    "element_misspelt": "The child's record has an element whose name is one letter, or upper and lower case, off",
    "element_of_another_namespace": "The child's record has an element of the collection in another namespace",
}
"""What makes a child's record in XML unusable as a whole: no value of it can be trusted, and more may be missing."""

FILES = Table(
    "bronze.files",
    "an LA-year of a collection in a source file, accepted or refused (a file of national tables holds many LA-years)",
    columns_of("""
        file_id! BIGINT
        file_sha256! STRING
        file_path! STRING
        form! STRING
        collection! STRING
        la_code STRING
        census_year INT
        returned_at STRING
        status! STRING
        reason STRING
        n_bytes BIGINT
        rows_by_module MAP<STRING,BIGINT>
        is_simulated! BOOLEAN
        read_by! STRING
    """),
    key=("file_id", "collection", "la_code", "census_year"),
)
"""form: xml, csv or table. collection: cin or ssda903. status: accepted, refused or replaced. is_simulated: the file is
the simulator's. read_by: the SHA-256 of the code that read the file; other code reads it anew."""


def _bronze(name: str, fields: str) -> Table:
    return Table(
        f"bronze.{name}",
        f"a row of the module {name} as received",
        PROVENANCE + strings_of(fields),
        partition_by=("census_year",),
        made_from=("returns",),
    )


CIN_MODULES = {
    table.short_name: table
    for table in (
        _bronze(
            "child_identifiers",
            "LAchildID UPN FormerUPN UPNunknown PersonBirthDate ExpectedPersonBirthDate GenderCurrent Sex"
            " PersonDeathDate Ethnicity Disabilities",
        ),
        _bronze(
            "cin_details",
            "LAchildID CINreferralDate ReferralSource PrimaryNeedCode CINclosureDate ReasonForClosure"
            " DateOfInitialCPC ReferralNFA",
        ),
        _bronze(
            "assessments",
            "LAchildID CINreferralDate AssessmentActualStartDate AssessmentInternalReviewDate"
            " AssessmentAuthorisationDate AssessmentFactors",
        ),
        _bronze("cin_plan_dates", "LAchildID CINreferralDate CINPlanStartDate CINPlanEndDate"),
        _bronze(
            "section47",
            "LAchildID CINreferralDate S47ActualStartDate InitialCPCtarget DateOfInitialCPC ICPCnotRequired",
        ),
        _bronze(
            "cp_plans",
            "LAchildID CINreferralDate CPPstartDate CPPendDate InitialCategoryOfAbuse LatestCategoryOfAbuse"
            " NumberOfPreviousCPP CPPreviewDates",
        ),
    )
}
"""Repeated leaves (Disability, AssessmentFactors, CPPreviewDate) are one string joined with a semicolon."""

LAC_MODULES = {
    table.short_name: table
    for table in (
        _bronze("lac_header", "CHILD SEX DOB ETHNIC UPN MOTHER MC_DOB"),
        _bronze(
            "lac_episodes",
            "CHILD DECOM RNE LS CIN PLACE PLACE_PROVIDER DEC REC REASON_PLACE_CHANGE URN",
        ),
        _bronze("lac_reviews", "CHILD DOB REVIEW REVIEW_CODE"),
        _bronze("lac_uasc", "CHILD SEX DOB DUC"),
        _bronze(
            "lac_oc2",
            "CHILD DOB SDQ_SCORE SDQ_REASON CONVICTED HEALTH_CHECK IMMUNISATIONS TEETH_CHECK HEALTH_ASSESSMENT"
            " SUBSTANCE_MISUSE INTERVENTION_RECEIVED INTERVENTION_OFFERED",
        ),
        _bronze("lac_oc3", "CHILD DOB IN_TOUCH ACTIV ACCOM"),
        _bronze("lac_ad1", "CHILD DOB DATE_INT DATE_MATCH FOSTER_CARE NB_ADOPTR SEX_ADOPTR LS_ADOPTR"),
        _bronze("lac_placed_for_adoption", "CHILD DOB DATE_PLACED DATE_PLACED_CEASED REASON_PLACED_CEASED"),
        _bronze("lac_previous_permanence", "CHILD DOB PREV_PERM LA_PERM DATE_PERM"),
        _bronze("lac_missing", "CHILD DOB MISSING MIS_START MIS_END"),
    )
}
"""The SSDA903 file `x.csv` of a folder is the module `lac_x`. Only header and episodes feed outcomes."""

BRONZE_MODULES = CIN_MODULES | LAC_MODULES


PUBLISHED_VALUES = Table(
    "bronze.published_values",
    "a quantity of an LA, or a region, and census year in the published tables",
    columns_of("""
        la_code! STRING
        census_year! INT
        quantity! STRING
        value BIGINT
        status! STRING
    """),
    key=("la_code", "census_year", "quantity"),
    checks={"known_has_a_value": "(status = 'known') = (value IS NOT NULL)"},
    made_from=("published tables",),
)
"""la_code: an LA's, or `region:` and a region's name. status: known, suppressed (1 to 5, or secondary), unavailable or
not_applicable (no such authority or kind that year)."""
