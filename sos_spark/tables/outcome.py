"""What each outcome of a study counts, and why a row is not analysed."""

from __future__ import annotations

from sos_spark.tables.table import Table, columns_of

OUTCOME_INDEX_ROWS = Table(
    "outcome.index_rows",
    "an index row of an outcome of a study: y, or why it is unknown, or why the row is out",
    columns_of("""
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
    columns_of("""
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
