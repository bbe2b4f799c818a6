"""Sums index rows exactly, by unit, period, covariate levels and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.config.study import Covariates
from sos_spark.errors import StudyError
from sos_spark.outcome.reasons import ANALYSED
from sos_spark.tables import CONTINUOUS, COVARIATES, OUTCOME_SUMS
from sos_spark.tables.outcome import pairs_of, sum_name

MISSING_LEVEL = "missing"
UNRECOGNISED = "unrecognised"
CENTRE_DECIMALS = 3

_GROUP = ("study_id", "outcome_id", "unit_id", "period", "period_start")


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


def with_known_levels(index_rows: DataFrame, known: Mapping[str, Collection[str]]) -> DataFrame:
    """Replaces a covariate's text that is no code of any year by UNRECOGNISED. Grain: unchanged; null stays null.

    Levels leave the lake as columns of cells and as words of the report, and text that was received in place of a code
    can be anything: a postcode, a name.
    """
    return index_rows.withColumns(
        {
            name: F.when(F.col(name).isin(*sorted(codes)) | F.col(name).isNull(), F.col(name)).otherwise(UNRECOGNISED)
            for name, codes in known.items()
        }
    )


def sum_index_rows(index_rows: DataFrame, covariates: Covariates) -> DataFrame:
    """Returns outcome.sums: index rows by outcome, unit, period, the study's categorical covariates and their fate.

    Grain in: an index row. Grain out: a cell of analysed rows (reason 'analysed'), or a unit's rows with another
    reason in a period (null outside the windows). Covariates the study does not name are null, and all of them where
    the row is not analysed; sums of continuous ones that it does not name are null. Small beside its input, and all
    that cells, moments and flow are made from. A covariate that is null takes the row out, reason covariate_missing,
    or is the level 'missing', as the study says; a continuous one always takes it out.
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
        *_GROUP,
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
    asked = pairs_of([continuous.name for continuous in covariates.continuous])
    for z, w in pairs_of(CONTINUOUS):
        product = F.col(f"z_{z}") if w is None else F.col(f"z_{z}") * (F.col("y") if w == "y" else F.col(f"z_{w}"))
        total = F.sum(product) if (z, w) in asked else F.lit(None).cast("bigint")
        sums.append(total.alias(sum_name(z, w)))
    return rows.groupBy(*_GROUP, *COVARIATES, "reason").agg(*sums).select(*OUTCOME_SUMS.column_names)


def _decimals(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else CENTRE_DECIMALS + 1
