"""Collapsed cells of a study, with exact sums."""

from __future__ import annotations

from sos_spark.tables.table import Table, columns_of

COVARIATES = ("age_band", "sex", "ethnicity", "primary_need")

PANEL_CELLS = Table(
    "panel.cells",
    "an outcome, unit, period and covariate cell of a study, with exact sums",
    columns_of("""
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
    columns_of("""
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
    columns_of("""
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
