"""Silver: typed, one row per entity, the latest return of each; the child is a pseudonym."""

from __future__ import annotations

from sos_spark.tables.table import Table, columns_of

_ATTRIBUTES = """
    sex! STRING
    ethnicity STRING
"""
_TRACE = """
    census_year! INT
    unknown_fields STRING
    warnings ARRAY<STRING>
    file_id! BIGINT
    record_position BIGINT
"""
"""unknown_fields: the columns of the row whose received value could not be used (unreadable, after the return, in
contradiction with another), in the table's order and parted by single blanks; null for none. They are null in the row,
and so is what is made of them (an age, a person key), which is not named. warnings: the codes of the rules of severity
field and warning that the row breaks."""
_CHILD = """
    la_code! STRING
    child_id! STRING
"""

SILVER_CIN_CHILDREN = Table(
    "silver.cin_children",
    "a child of an LA in the CIN census",
    columns_of(_CHILD + "person_key STRING\n birth_month DATE\n" + _ATTRIBUTES + _TRACE),
    key=("la_code", "child_id"),
    made_from=("bronze.child_identifiers",),
)
SILVER_REFERRALS = Table(
    "silver.referrals",
    "a referral: a child of an LA and a referral date",
    columns_of(
        _CHILD
        + """
        referral_date! DATE
        referral_source STRING
        primary_need STRING
        closure_date DATE
        closure_reason STRING
        is_nfa_at_referral BOOLEAN
        icpc_date DATE
        age_at_referral INT
        age_at_closure INT
        """
        + _ATTRIBUTES
        + _TRACE
    ),
    key=("la_code", "child_id", "referral_date"),
    checks={"closure_not_before_referral": "closure_date IS NULL OR closure_date >= referral_date"},
    made_from=("bronze.cin_details", "bronze.child_identifiers"),
)
SILVER_ASSESSMENTS = Table(
    "silver.assessments",
    "an assessment: a referral and an assessment start date",
    columns_of(
        _CHILD
        + """
        referral_date! DATE
        assessment_start_date! DATE
        assessment_authorised_date DATE
        primary_need STRING
        age_at_start INT
        """
        + _ATTRIBUTES
        + _TRACE
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
    columns_of(
        _CHILD
        + """
        referral_date! DATE
        section47_start_date! DATE
        icpc_date DATE
        icpc_not_required BOOLEAN
        primary_need STRING
        age_at_start INT
        """
        + _ATTRIBUTES
        + _TRACE
    ),
    key=("la_code", "child_id", "referral_date", "section47_start_date"),
    made_from=("bronze.section47", "bronze.cin_details", "bronze.child_identifiers"),
)
SILVER_CP_PLANS = Table(
    "silver.cp_plans",
    "a child protection plan: a referral and a plan start date",
    columns_of(
        _CHILD
        + """
        referral_date! DATE
        cpp_start_date! DATE
        cpp_end_date DATE
        initial_category_of_abuse STRING
        latest_category_of_abuse STRING
        """
        + _TRACE
    ),
    key=("la_code", "child_id", "referral_date", "cpp_start_date"),
    checks={"end_not_before_start": "cpp_end_date IS NULL OR cpp_end_date >= cpp_start_date"},
    made_from=("bronze.cp_plans",),
)
SILVER_ICPCS = Table(
    "silver.icpcs",
    "an initial child protection conference: a child of an LA and a date, at whichever level it was recorded",
    columns_of(_CHILD + "icpc_date! DATE\n recorded_at! STRING"),
    key=("la_code", "child_id", "icpc_date"),
    made_from=("silver.referrals", "silver.section47_enquiries"),
)
SILVER_LAC_CHILDREN = Table(
    "silver.lac_children",
    "a looked-after child of an LA in the SSDA903 return",
    columns_of(_CHILD + "person_key STRING\n birth_month DATE\n" + _ATTRIBUTES + _TRACE),
    key=("la_code", "child_id"),
    made_from=("bronze.lac_header",),
)
SILVER_LAC_EPISODES = Table(
    "silver.lac_episodes",
    "an episode of care: a child of an LA and the day the episode began",
    columns_of(
        _CHILD
        + """
        care_episode_start_date! DATE
        care_episode_end_date DATE
        reason_new_episode STRING
        legal_status STRING
        category_of_need STRING
        placement_code STRING
        reason_episode_ceased STRING
        birth_month DATE
        age_at_start INT
        """
        + _ATTRIBUTES
        + _TRACE
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
    columns_of("""
        la_code! STRING
        lac_child_id! STRING
        cin_child_id STRING
        link_kind! STRING
    """),
    key=("la_code", "lac_child_id"),
    made_from=("silver.lac_children", "silver.cin_children"),
)
"""link_kind: child_id, person or unlinked (then cin_child_id is null)."""

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
