"""Makes cells, moments and the flow of the sums of index rows."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.cohort.join_one import join_one
from sos_spark.config.study import Continuous, Covariates
from sos_spark.outcome.reasons import ANALYSED
from sos_spark.tables import COVARIATES, OUTCOME_FLOW, PANEL_CELLS, PANEL_MOMENTS
from sos_spark.tables.outcome import pairs_of, sum_name

_SLICE = ("study_id", "outcome_id", "unit_id")
_CELL = (*_SLICE, "period", "period_start", *COVARIATES)


def cells_of(sums: DataFrame) -> DataFrame:
    """Returns panel.cells. Grain: a cell of analysed rows."""
    return sums.where(F.col("reason") == ANALYSED).select(*PANEL_CELLS.column_names)


def moments_of(sums: DataFrame, covariates: Covariates) -> DataFrame:
    """Returns panel.moments: the sums of each continuous covariate, centred as the study says.

    Grain: a moment of a cell. Centring after summing integers is exact: with centre c, sum(z) is sum(x) - n c, and
    sums of products follow; decimals carry it.
    """
    centres = {continuous.name: continuous for continuous in covariates.continuous}
    moments = [
        F.struct(F.lit(sum_name(z, w)).alias("moment"), _centred(centres, z, w).cast("decimal(38,6)").alias("value"))
        for z, w in _pairs(covariates)
    ]
    cells = sums.where(F.col("reason") == ANALYSED)
    if not moments:
        empty = cells.where(F.lit(False)).withColumn("moment", F.lit("")).withColumn("value", F.lit(None))
        return empty.withColumn("value", F.col("value").cast("decimal(38,6)")).select(*PANEL_MOMENTS.column_names)
    return cells.withColumn("each", F.explode(F.array(*moments))).select(
        *(name for name in PANEL_MOMENTS.column_names if name not in ("moment", "value")), "each.moment", "each.value"
    )


def flow_of(sums: DataFrame, units: DataFrame) -> DataFrame:
    """Returns outcome.flow: how many index rows of a unit and period had each reason, or were analysed.

    Grain: an outcome, unit, period (null outside the windows) and reason. Needs unit_id and is_pilot of cohort.units,
    the same on all codes of a unit.
    """
    pilots = units.select("unit_id", "is_pilot").distinct()
    counted = sums.groupBy(*_SLICE, "period", "period_start", "reason").agg(F.sum("n").alias("n_rows"))
    of_unit = join_one(counted, pilots, on=["unit_id"], what="cohort.units", how="inner")
    return of_unit.select(*OUTCOME_FLOW.column_names)


def moment_names(covariates: Covariates) -> list[str]:
    """Returns the names of the moments the study's continuous covariates have: panel.moments.moment."""
    return [sum_name(z, w) for z, w in _pairs(covariates)]


def _pairs(covariates: Covariates) -> list[tuple[str, str | None]]:
    """The sums that the study's continuous covariates have."""
    return pairs_of([continuous.name for continuous in covariates.continuous])


def _centred(centres: dict[str, Continuous], z: str, w: str | None) -> Column:
    """The centred sum of z (w: none), of z y (w: y), or of z w, from the plain sums."""
    c = _exact(centres[z])
    if w is None:
        return _decimal(F.col(sum_name(z, None))) - c * _decimal(F.col("n"))
    if w == "y":
        return _decimal(F.col(sum_name(z, "y"))) - c * _decimal(F.col("y_sum"))
    d = _exact(centres[w])
    return (
        _decimal(F.col(sum_name(z, w)))
        - c * _decimal(F.col(sum_name(w, None)))
        - d * _decimal(F.col(sum_name(z, None)))
        + (c * d).cast("decimal(12,6)") * _decimal(F.col("n"))
    )


def _decimal(total: Column) -> Column:
    return total.cast("decimal(18,0)")


def _exact(continuous: Continuous) -> Column:
    return F.lit(Decimal(repr(continuous.centre))).cast("decimal(9,3)")
