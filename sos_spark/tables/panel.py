"""Collapsed cells of a study, with exact sums."""

from __future__ import annotations

from sos_spark.tables import outcome
from sos_spark.tables.cohort import STUDY_ID, UNIT_ID
from sos_spark.tables.outcome import OUTCOME_ID, PERIOD, PERIOD_START, Y_SUM, Y_SUMSQ, N
from sos_spark.tables.table import Column, Table

COVARIATES = tuple(column.name for column in outcome.COVARIATES)
"""The columns of a cell's levels. A covariate that the study does not name is null in every cell."""

_CELL = (STUDY_ID, OUTCOME_ID, UNIT_ID, PERIOD.required())

PANEL_CELLS = Table(
    "panel.cells",
    "an outcome, unit, period and covariate cell of a study, with exact sums",
    (*_CELL, PERIOD_START.required(), *outcome.COVARIATES, N, Y_SUM, Y_SUMSQ),
    key=("study_id", "outcome_id", "unit_id", "period", *COVARIATES),
    partition_by=("study_id",),
    checks={"n_positive": "n > 0", "sumsq_possible": "y_sumsq IS NULL OR y_sumsq * n >= y_sum * y_sum"},
    made_from=("outcome.sums", "bronze.published_values"),
)

PANEL_MOMENTS = Table(
    "panel.moments",
    "a moment of a continuous covariate in a panel cell",
    (
        *_CELL,
        *outcome.COVARIATES,
        Column(
            "moment",
            "STRING",
            "Which sum: <z>__sum, <z>__<w>__sum or <z>__y__sum, z centred as the study says; the column of cells.csv",
            nullable=False,
        ),
        Column("value", "DECIMAL(38,6)", "The sum over the cell's rows", nullable=False),
    ),
    key=("study_id", "outcome_id", "unit_id", "period", *COVARIATES, "moment"),
    partition_by=("study_id",),
    made_from=("outcome.sums",),
)

PANEL_BOUNDS = Table(
    "panel.bounds",
    "rows of a published outcome, unit and period that no cell counts, and what the sum of their y can be",
    (
        *_CELL,
        PERIOD_START.required(),
        Column("n", "BIGINT", "How many rows; null where not even that is published"),
        Column("y_low", "BIGINT", "The least that the sum of their y can be"),
        Column("y_high", "BIGINT", "The most that the sum of their y can be"),
        Column(
            "reason",
            "STRING",
            "Why no cell counts them",
            codes={"suppressed": "a published count is suppressed", "unavailable": "there is no published count"},
            nullable=False,
        ),
    ),
    key=("study_id", "outcome_id", "unit_id", "period", "reason"),
    partition_by=("study_id",),
    checks={
        "bounds_in_order": "y_low IS NULL OR y_high IS NULL OR (y_low >= 0 AND y_low <= y_high)",
        "bounds_of_rows": "n IS NOT NULL OR (y_low IS NULL AND y_high IS NULL)",
    },
    made_from=("bronze.published_values",),
)
