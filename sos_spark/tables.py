"""Every table of the lake, once: name, grain, columns, key, constraints and partitioning.

A table is written with exactly these columns, in this order. Bronze keeps the returns' own spelling and text; from
silver on the names are ours and a child is a pseudonym. The README's diagram is made from this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql.types import DataType, StructType

LAYERS = ("bronze", "silver", "quarantine", "dq", "cohort", "outcome", "panel")


@dataclass(frozen=True)
class Column:
    """A column: its Spark SQL type, and whether it may be null."""

    name: str
    type: str
    nullable: bool = True


@dataclass(frozen=True)
class Table:
    """A Delta table. `name` is `<layer>.<plural>`; `key` is unique; `checks` are SQL CHECK constraints by name."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    partition_by: tuple[str, ...] = ()
    checks: dict[str, str] = field(default_factory=dict)
    made_from: tuple[str, ...] = ()

    @property
    def layer(self) -> str:
        """The part of the name before the dot."""
        return self.name.partition(".")[0]

    @property
    def short_name(self) -> str:
        """The part of the name after the dot."""
        return self.name.partition(".")[2]

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    def schema(self) -> StructType:
        """Returns the Spark schema. Needs no session."""
        from pyspark.sql.types import StructField, StructType

        return StructType([StructField(c.name, _spark_type(c.type), c.nullable) for c in self.columns])


def _spark_type(text: str) -> DataType:
    """Reads the few type names this module uses."""
    from pyspark.sql import types

    simple: dict[str, DataType] = {
        "STRING": types.StringType(),
        "INT": types.IntegerType(),
        "BIGINT": types.LongType(),
        "DATE": types.DateType(),
        "BOOLEAN": types.BooleanType(),
        "DECIMAL(38,6)": types.DecimalType(38, 6),
        "MAP<STRING,BIGINT>": types.MapType(types.StringType(), types.LongType()),
    }
    if text.startswith("ARRAY<"):
        return types.ArrayType(_spark_type(text[6:-1]))
    return simple[text]


def _columns(text: str) -> tuple[Column, ...]:
    """Reads 'name TYPE' lines; a name that ends in '!' may not be null."""
    columns = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, _, kind = line.partition(" ")
        columns.append(Column(name.rstrip("!"), kind.strip(), nullable=not name.endswith("!")))
    return tuple(columns)


def _strings(names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "STRING") for name in names.split())


# --- bronze: as received, with provenance. Postcodes (HOME_POST, PL_POST) are the one thing that is not kept. -------

PROVENANCE = _columns("""
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
    _columns("""
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
        PROVENANCE + _strings(fields),
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
    _columns("""
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


# --- silver: typed, one row an entity, the latest return of each; the child is a pseudonym -----------------------

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
    _columns(_CHILD + "person_key STRING\n birth_month DATE\n" + _ATTRIBUTES + _TRACE),
    key=("la_code", "child_id"),
    made_from=("bronze.child_identifiers",),
)
SILVER_REFERRALS = Table(
    "silver.referrals",
    "a referral: a child of an LA and a referral date",
    _columns(
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
    _columns(
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
    _columns(
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
    _columns(
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
    _columns(_CHILD + "icpc_date! DATE\n recorded_at! STRING"),
    key=("la_code", "child_id", "icpc_date"),
    made_from=("silver.referrals", "silver.section47_enquiries"),
)
SILVER_LAC_CHILDREN = Table(
    "silver.lac_children",
    "a looked-after child of an LA in the SSDA903 return",
    _columns(_CHILD + "person_key STRING\n birth_month DATE\n" + _ATTRIBUTES + _TRACE),
    key=("la_code", "child_id"),
    made_from=("bronze.lac_header",),
)
SILVER_LAC_EPISODES = Table(
    "silver.lac_episodes",
    "an episode of care: a child of an LA and the day the episode began",
    _columns(
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
    _columns("""
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


def _quarantine(table: Table) -> Table:
    """The same columns, all nullable, and the reasons."""
    columns = tuple(Column(c.name, c.type) for c in table.columns if c.name != "warnings")
    return Table(
        f"quarantine.{table.short_name}",
        f"a row refused from {table.name}, with every rule it broke",
        (*columns, Column("reasons", "ARRAY<STRING>", nullable=False)),
        made_from=table.made_from,
    )


QUARANTINE = {name: _quarantine(table) for name, table in SILVER_ENTITIES.items()}


# --- dq: what was checked, and that nothing is lost -------------------------------------------------------------

DQ_LEDGER = Table(
    "dq.ledger",
    "an entity of a source file: received = silver + quarantined + superseded",
    _columns("""
        file_id! BIGINT
        entity! STRING
        n_received! BIGINT
        n_silver! BIGINT
        n_quarantined! BIGINT
        n_superseded_by_later_return! BIGINT
        n_same_day_duplicates! BIGINT
    """),
    key=("file_id", "entity"),
    checks={
        "nothing_lost": "n_received = n_silver + n_quarantined + n_superseded_by_later_return + n_same_day_duplicates"
    },
    made_from=("bronze.files", "silver.*", "quarantine.*"),
)
DQ_RULE_COUNTS = Table(
    "dq.rule_counts",
    "a row rule in an LA and census year",
    _columns("""
        entity! STRING
        rule_code! STRING
        dfe_code STRING
        severity! STRING
        la_code! STRING
        census_year! INT
        n_rows! BIGINT
        n_failed! BIGINT
    """),
    key=("entity", "rule_code", "la_code", "census_year"),
    made_from=("bronze.*",),
)
DQ_RESULTS = Table(
    "dq.results",
    "an expectation of a suite in a run",
    _columns("""
        run_id! STRING
        suite! STRING
        expectation! STRING
        column STRING
        severity! STRING
        passed! BOOLEAN
    """),
    key=(),
    made_from=("bronze.*", "silver.*", "panel.cells"),
)
DQ_LINK_RATES = Table(
    "dq.link_rates",
    "an LA: how many of its looked-after children were found in its CIN census",
    _columns("""
        la_code! STRING
        n_lac_children! BIGINT
        n_linked_by_child_id! BIGINT
        n_linked_by_person! BIGINT
        n_unlinked! BIGINT
    """),
    key=("la_code",),
    made_from=("silver.child_links",),
)


# --- cohort, outcome, panel: a study's own ----------------------------------------------------------------------

COHORT_UNITS = Table(
    "cohort.units",
    "an LA code of a study and the harmonised unit it belongs to over the study's whole window",
    _columns("""
        study_id! STRING
        la_code! STRING
        unit_id! STRING
        unit_name! STRING
        first_census_year! INT
        last_census_year! INT
        is_pilot! BOOLEAN
        go_live DATE
    """),
    key=("study_id", "la_code"),
    partition_by=("study_id",),
    made_from=("reference", "study"),
)
"""first and last census_year: those in which the LA code was valid. is_pilot and go_live are the unit's."""

COHORT_OBSERVED = Table(
    "cohort.observed",
    "an LA code of a study and an entity: the days on which its accepted returns observe the entity",
    _columns("""
        study_id! STRING
        la_code! STRING
        entity! STRING
        first_day_observed! DATE
        last_day_observed! DATE
        missing_years! ARRAY<INT>
    """),
    key=("study_id", "la_code", "entity"),
    partition_by=("study_id",),
    made_from=("bronze.files", "quarantine.*", "study"),
)
"""missing_years: census years between the first and the last without a return, or of cohort.unobserved."""

COHORT_UNOBSERVED = Table(
    "cohort.unobserved",
    "an LA code of a study, a census year and an entity: its return was accepted and does not observe the entity",
    _columns("""
        study_id! STRING
        la_code! STRING
        census_year! INT
        entity! STRING
        reason! STRING
        file_paths! ARRAY<STRING>
        n_received! BIGINT
        n_quarantined! BIGINT
    """),
    key=("study_id", "la_code", "census_year", "entity"),
    partition_by=("study_id",),
    made_from=("bronze.files", "quarantine.*", "study"),
)
"""reason: empty_return (an earlier return had rows), no_children (records, but none of the children they belong to) or
mostly_quarantined (a share of rows above the study's max_quarantined)."""

OUTCOME_INDEX_ROWS = Table(
    "outcome.index_rows",
    "an index row of an outcome of a study: y, or why it is unknown, or why the row is out",
    _columns("""
        study_id! STRING
        outcome_id! STRING
        la_code! STRING
        unit_id! STRING
        child_id! STRING
        index_date! DATE
        period_start DATE
        period INT
        y BIGINT
        reason STRING
        age_years INT
        age_band STRING
        sex STRING
        ethnicity STRING
        primary_need STRING
    """),
    partition_by=("study_id", "outcome_id"),
    made_from=("silver.*", "quarantine.*", "cohort.units", "cohort.observed"),
)
"""reason is null exactly where the row is analysed (y known, in the window, eligible); period, outside the windows."""

OUTCOME_FLOW = Table(
    "outcome.flow",
    "a reason (or 'analysed') of an outcome, by unit and period",
    _columns("""
        study_id! STRING
        outcome_id! STRING
        unit_id! STRING
        is_pilot! BOOLEAN
        period INT
        period_start DATE
        reason! STRING
        n_rows! BIGINT
    """),
    key=("study_id", "outcome_id", "unit_id", "period", "reason"),
    partition_by=("study_id",),
    made_from=("outcome.index_rows",),
)
"""period is null for rows outside the study's windows. Of a published outcome, a row is a unit's year."""

COVARIATES = ("age_band", "sex", "ethnicity", "primary_need")

PANEL_CELLS = Table(
    "panel.cells",
    "an outcome, unit, period and covariate cell of a study, with exact sums",
    _columns("""
        study_id! STRING
        outcome_id! STRING
        unit_id! STRING
        period! INT
        period_start! DATE
        age_band STRING
        sex STRING
        ethnicity STRING
        primary_need STRING
        n! BIGINT
        y_sum! BIGINT
        y_sumsq BIGINT
    """),
    key=("study_id", "outcome_id", "unit_id", "period", *COVARIATES),
    partition_by=("study_id",),
    checks={"n_positive": "n > 0", "sumsq_possible": "y_sumsq IS NULL OR y_sumsq * n >= y_sum * y_sum"},
    made_from=("outcome.index_rows", "bronze.published_values"),
)
"""A covariate the study does not name is null in every cell."""

PANEL_MOMENTS = Table(
    "panel.moments",
    "a moment of a continuous covariate in a panel cell",
    _columns("""
        study_id! STRING
        outcome_id! STRING
        unit_id! STRING
        period! INT
        age_band STRING
        sex STRING
        ethnicity STRING
        primary_need STRING
        moment! STRING
        value! DECIMAL(38,6)
    """),
    key=("study_id", "outcome_id", "unit_id", "period", *COVARIATES, "moment"),
    partition_by=("study_id",),
    made_from=("outcome.index_rows",),
)
"""moment: `<z>__sum`, `<z>__<w>__sum` or `<z>__y__sum`, z centred as the study says: the column of CELLS.csv."""

PANEL_BOUNDS = Table(
    "panel.bounds",
    "rows of a published outcome, unit and period that no cell counts, and what the sum of their y can be",
    _columns("""
        study_id! STRING
        outcome_id! STRING
        unit_id! STRING
        period! INT
        period_start! DATE
        n BIGINT
        y_low BIGINT
        y_high BIGINT
        reason! STRING
    """),
    key=("study_id", "outcome_id", "unit_id", "period", "reason"),
    partition_by=("study_id",),
    checks={
        "bounds_in_order": "y_low IS NULL OR y_high IS NULL OR (y_low >= 0 AND y_low <= y_high)",
        "bounds_of_rows": "n IS NOT NULL OR (y_low IS NULL AND y_high IS NULL)",
    },
    made_from=("bronze.published_values",),
)
"""n is null where not even the number of rows is published. reason: suppressed or unavailable."""

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        FILES,
        *BRONZE_MODULES.values(),
        PUBLISHED_VALUES,
        *SILVER_ENTITIES.values(),
        SILVER_ICPCS,
        SILVER_CHILD_LINKS,
        *QUARANTINE.values(),
        DQ_LEDGER,
        DQ_RULE_COUNTS,
        DQ_RESULTS,
        DQ_LINK_RATES,
        COHORT_UNITS,
        COHORT_OBSERVED,
        COHORT_UNOBSERVED,
        OUTCOME_INDEX_ROWS,
        OUTCOME_FLOW,
        PANEL_CELLS,
        PANEL_MOMENTS,
        PANEL_BOUNDS,
    )
}
