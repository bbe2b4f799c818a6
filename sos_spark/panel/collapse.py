"""Collapses index rows to cells with exact sums, and counts what became of every row."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.cohort.join_one import join_one
from sos_spark.config.study import Continuous, Covariates
from sos_spark.errors import StudyError
from sos_spark.outcome.reasons import ANALYSED
from sos_spark.tables import COVARIATES, OUTCOME_FLOW, PANEL_CELLS, PANEL_MOMENTS

CONTINUOUS = ("age_years",)
MISSING_LEVEL = "missing"
CENTRE_DECIMALS = 3

_SLICE = ("study_id", "outcome_id", "unit_id")
_CELL = (*_SLICE, "period", "period_start", *COVARIATES)


def require_covariates(covariates: Covariates) -> None:
    """Refuses covariates that records do not have.

    Raises:
        StudyError: A name that index rows lack, or a centre that cannot be subtracted exactly.
    """
    faults = [
        f"covariates.categorical: {name} is not among {', '.join(COVARIATES)}"
        for name in covariates.categorical
        if name not in COVARIATES
    ]
    for continuous in covariates.continuous:
        if continuous.name not in CONTINUOUS:
            faults.append(f"covariates.continuous: {continuous.name} is not among {', '.join(CONTINUOUS)}")
        elif _decimals(continuous.centre) > CENTRE_DECIMALS:
            faults.append(
                f"covariates.continuous: the centre of {continuous.name} has more than {CENTRE_DECIMALS} decimals"
            )
    if faults:
        raise StudyError("The study's covariates cannot be taken from records", faults=faults)


def collapse_index_rows(index_rows: DataFrame, covariates: Covariates) -> DataFrame:
    """Collapses index rows by outcome, unit, period, the study's categorical covariates and what became of the row.

    Grain in: an index row. Grain out: a cell of analysed rows (reason 'analysed'), or a unit's rows with another
    reason in a period (null outside the windows). Columns: those of a cell's key (covariates the study does not name
    are null, and all of them where the row is not analysed), reason, n, y_sum, y_sumsq, and
    for each continuous covariate z the integers z__sum, z__z__sum and z__y__sum, not yet centred. Small beside its
    input and the source of cells, moments and flow: worth caching. A covariate that is null takes the row out, reason
    covariate_missing, or is the level 'missing', as the study says; a continuous one always takes it out.
    """
    named = set(covariates.categorical)
    needed = [*(covariates.categorical if covariates.missing == "complete_case" else ())]
    needed += [continuous.name for continuous in covariates.continuous]
    is_missing = F.lit(False)
    for name in needed:
        is_missing = is_missing | F.col(name).isNull()
    reason = F.coalesce(F.col("reason"), F.when(is_missing, "covariate_missing"), F.lit(ANALYSED))

    def level(name: str) -> Column:
        if name not in named:
            return F.lit(None).cast("string")
        filled = F.coalesce(F.col(name), F.lit(MISSING_LEVEL)) if covariates.missing == "indicator" else F.col(name)
        return F.when(F.col("reason") == ANALYSED, filled)

    rows = index_rows.withColumn("reason", reason).select(
        *_SLICE,
        "period",
        "period_start",
        *(level(name).alias(name) for name in COVARIATES),
        "reason",
        "y",
        *(F.col(name).cast("bigint").alias(f"z_{name}") for name in CONTINUOUS),
    )
    sums = [
        F.count(F.lit(1)).alias("n"),
        F.sum("y").alias("y_sum"),
        F.sum(F.col("y") * F.col("y")).alias("y_sumsq"),
    ]
    for z, w in _pairs(covariates):
        product = F.col(f"z_{z}") if w is None else F.col(f"z_{z}") * (F.col("y") if w == "y" else F.col(f"z_{w}"))
        sums.append(F.sum(product).alias(_moment(z, w)))
    return rows.groupBy(*_CELL, "reason").agg(*sums)


def cells_of(collapsed: DataFrame) -> DataFrame:
    """Returns panel.cells. Grain: a cell of analysed rows."""
    return collapsed.where(F.col("reason") == ANALYSED).select(*PANEL_CELLS.column_names)


def moments_of(collapsed: DataFrame, covariates: Covariates) -> DataFrame:
    """Returns panel.moments: the sums of each continuous covariate, centred as the study says.

    Grain: a moment of a cell. Centring after summing integers is exact: with centre c, sum(z) is sum(x) - n c, and
    sums of products follow; decimals carry it.
    """
    centres = {continuous.name: continuous for continuous in covariates.continuous}
    moments = [
        F.struct(F.lit(_moment(z, w)).alias("moment"), _centred(centres, z, w).cast("decimal(38,6)").alias("value"))
        for z, w in _pairs(covariates)
    ]
    cells = collapsed.where(F.col("reason") == ANALYSED)
    if not moments:
        empty = cells.where(F.lit(False)).withColumn("moment", F.lit("")).withColumn("value", F.lit(None))
        return empty.withColumn("value", F.col("value").cast("decimal(38,6)")).select(*PANEL_MOMENTS.column_names)
    return cells.withColumn("each", F.explode(F.array(*moments))).select(
        *(name for name in PANEL_MOMENTS.column_names if name not in ("moment", "value")), "each.moment", "each.value"
    )


def flow_of(collapsed: DataFrame, units: DataFrame) -> DataFrame:
    """Returns outcome.flow: how many index rows of a unit and period had each reason, or were analysed.

    Grain: an outcome, unit, period (null outside the windows) and reason. Needs unit_id and is_pilot of cohort.units,
    the same on all codes of a unit.
    """
    pilots = units.select("unit_id", "is_pilot").distinct()
    counted = collapsed.groupBy(*_SLICE, "period", "period_start", "reason").agg(F.sum("n").alias("n_rows"))
    of_unit = join_one(counted, pilots, on=["unit_id"], what="cohort.units", how="inner")
    return of_unit.select(*OUTCOME_FLOW.column_names)


def moment_names(covariates: Covariates) -> list[str]:
    """Returns the names of the moments the study's continuous covariates have: panel.moments.moment."""
    return [_moment(z, w) for z, w in _pairs(covariates)]


def _pairs(covariates: Covariates) -> list[tuple[str, str | None]]:
    """(z, None) for the sum, (z, w) for products of z with a later or the same covariate, (z, 'y') with y."""
    names = [continuous.name for continuous in covariates.continuous]
    pairs: list[tuple[str, str | None]] = []
    for position, z in enumerate(names):
        pairs += [(z, None), *((z, w) for w in names[position:]), (z, "y")]
    return pairs


def _moment(z: str, w: str | None) -> str:
    return f"{z}__sum" if w is None else f"{z}__{w}__sum"


def _centred(centres: dict[str, Continuous], z: str, w: str | None) -> Column:
    """The centred sum of z (w: none), of z y (w: y), or of z w, from the plain sums."""
    c = _exact(centres[z])
    if w is None:
        return _decimal(F.col(_moment(z, None))) - c * _decimal(F.col("n"))
    if w == "y":
        return _decimal(F.col(_moment(z, "y"))) - c * _decimal(F.col("y_sum"))
    d = _exact(centres[w])
    return (
        _decimal(F.col(_moment(z, w)))
        - c * _decimal(F.col(_moment(w, None)))
        - d * _decimal(F.col(_moment(z, None)))
        + (c * d).cast("decimal(12,6)") * _decimal(F.col("n"))
    )


def _decimal(total: Column) -> Column:
    return total.cast("decimal(18,0)")


def _exact(continuous: Continuous) -> Column:
    return F.lit(Decimal(repr(continuous.centre))).cast("decimal(9,3)")


def _decimals(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else CENTRE_DECIMALS + 1
