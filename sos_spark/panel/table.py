"""The panel as one flat table: cells with their moments beside them, as CELLS.csv has them."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.config.study import Covariates
from sos_spark.panel.collapse import moment_names
from sos_spark.tables import COVARIATES


def table_columns(covariates: Covariates) -> list[str]:
    """Returns the columns of the flat table: a cell's key, the covariates the study names, sums and moments."""
    key = ["study_id", "outcome_id", "unit_id", "period", "period_start", *covariates.categorical]
    return [*key, "n", "y_sum", "y_sumsq", *moment_names(covariates)]


def cells_with_moments(cells: DataFrame, moments: DataFrame, covariates: Covariates) -> DataFrame:
    """Returns cells with a column for each moment of the study's continuous covariates.

    Grain: a cell, in and out, in total order within the one partition of the result. A cell without moments, as of
    published tables, has nulls.
    """
    key = ["study_id", "outcome_id", "unit_id", "period", *COVARIATES]
    names = moment_names(covariates)
    flat = cells
    if names:
        beside = moments.groupBy(*key).agg(
            *(F.max(F.when(F.col("moment") == name, F.col("value"))).alias(name) for name in names)
        )
        same_cell = [cells[name].eqNullSafe(beside[name]) for name in key]
        flat = cells.join(beside, same_cell, "left").select(cells["*"], *(beside[name] for name in names))
    return flat.select(*table_columns(covariates)).repartition(1).sortWithinPartitions(*_order(covariates))


def _order(covariates: Covariates) -> Sequence[str]:
    return ["study_id", "outcome_id", "unit_id", "period", *covariates.categorical]
