"""A study's authorities, and the days on which their returns observe what they report."""

from __future__ import annotations

from sos_spark.tables.table import Table, columns_of

COHORT_UNITS = Table(
    "cohort.units",
    "an LA code of a study and the harmonised unit it belongs to over the study's whole window",
    columns_of("""
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
    columns_of("""
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
    columns_of("""
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
