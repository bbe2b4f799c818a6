"""Sums index rows exactly, by unit, period, covariate levels and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.config.study import Covariates
from sos_spark.errors import StudyError
from sos_spark.outcome.reasons import ANALYSED
from sos_spark.outcome.rows import Judged, reason_of, y_of
from sos_spark.tables import CONTINUOUS, COVARIATES, OUTCOME_SUMS
from sos_spark.tables.outcome import pairs_of, sum_name

MISSING_LEVEL = "missing"
UNRECOGNISED = "unrecognised"
CENTRE_DECIMALS = 3

_PLACE = ("study_id", "unit_id", "period", "period_start")
_FRAME = "frame"
_SUMS = ("n", "y_sum", "y_sumsq", *(sum_name(z, w) for z, w in pairs_of(CONTINUOUS)))


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
    return _sums(index_rows, covariates, [_Summed(F.col("outcome_id"), "reason", "y")], of="outcome_id")


def sum_judged(judged: Sequence[Judged], covariates: Covariates) -> DataFrame:
    """Returns outcome.sums of the index rows of several outcomes, as `sum_index_rows` of all of them would be.

    Rows that outcomes have in common are summed once, by what all of these say of them, and the sums then told apart.
    """
    width = max(len(one.outcome_ids) for one in judged)

    def alike(number: int, one: Judged) -> DataFrame:
        here = range(len(one.outcome_ids))
        return one.rows.select(
            F.lit(number).alias(_FRAME),
            *_PLACE,
            *COVARIATES,
            *CONTINUOUS,
            *((F.col(reason_of(i)) if i in here else F.lit("")).alias(reason_of(i)) for i in range(width)),
            *((F.col(y_of(i)) if i in here else F.lit(None).cast("bigint")).alias(y_of(i)) for i in range(width)),
        )

    def outcome_in(place: int) -> Column:
        ids = [(number, one.outcome_ids[place]) for number, one in enumerate(judged) if place < len(one.outcome_ids)]
        return F.coalesce(*(F.when(F.col(_FRAME) == number, F.lit(outcome_id)) for number, outcome_id in ids))

    rows = reduce(DataFrame.unionAll, (alike(number, one) for number, one in enumerate(judged)))
    return _sums(rows, covariates, [_Summed(outcome_in(i), reason_of(i), y_of(i)) for i in range(width)], of=_FRAME)


@dataclass(frozen=True)
class _Summed:
    """An outcome whose y is summed: its id by what rows are summed by (null: none), and its columns."""

    outcome_id: Column
    reason: str
    y: str


def _sums(rows: DataFrame, covariates: Covariates, outcomes: Sequence[_Summed], *, of: str) -> DataFrame:
    """Sums rows by `of`, place and what every outcome says of them, and these sums by outcome."""
    asked = pairs_of([continuous.name for continuous in covariates.continuous])
    shared = {"n": F.lit(1).cast("bigint")} | {sum_name(z, w): _product(z, w) for z, w in asked if w != "y"}

    def own(y: str) -> dict[str, Column]:
        of_y = {"y_sum": F.col(y), "y_sumsq": F.col(y) * F.col(y)}
        return of_y | {sum_name(z, w): _product(z, y) for z, w in asked if w == "y"}

    reasons = [one.reason for one in outcomes]
    is_analysed = reduce(Column.__or__, (F.col(reason) == ANALYSED for reason in reasons))
    told = _told(rows, covariates, of=of, reasons=reasons, ys=[one.y for one in outcomes])
    summed = (
        told.withColumns({name: F.when(is_analysed, F.col(name)) for name in COVARIATES})
        .groupBy(of, *_PLACE, *COVARIATES, *reasons)
        .agg(
            *(F.sum(term).alias(name) for name, term in shared.items()),
            *(F.sum(term).alias(f"{name} of {one.y}") for one in outcomes for name, term in own(one.y).items()),
        )
    )
    apart = [
        F.struct(
            one.outcome_id.alias("outcome_id"),
            F.col(one.reason).alias("reason"),
            *(F.col(f"{name} of {one.y}").alias(name) for name in own(one.y)),
        )
        for one in outcomes
    ]
    totals = [*shared, *own(outcomes[0].y)]
    return (
        summed.select(*_PLACE, *COVARIATES, *shared, F.inline(F.array(*apart)))
        .where(F.col("outcome_id").isNotNull())
        .withColumns({name: F.when(F.col("reason") == ANALYSED, F.col(name)) for name in COVARIATES})
        .groupBy("outcome_id", *_PLACE, *COVARIATES, "reason")
        .agg(*(F.sum(name).alias(name) for name in totals))
        .withColumns({name: F.lit(None).cast("bigint") for name in _SUMS if name not in totals})
        .select(OUTCOME_SUMS.column_names)
    )


def _told(rows: DataFrame, covariates: Covariates, *, of: str, reasons: Sequence[str], ys: Sequence[str]) -> DataFrame:
    """Returns what is summed of rows: where they are, the study's covariates, every reason, every y. Grain: unchanged.

    Every reason is known: a covariate that the study needs and the row lacks is one, and an analysed row has ANALYSED.
    """
    named = set(covariates.categorical)
    needed = [*(covariates.categorical if covariates.missing == "complete_case" else ())]
    needed += [continuous.name for continuous in covariates.continuous]
    is_missing = reduce(Column.__or__, (F.col(name).isNull() for name in needed), F.lit(False))

    def level(name: str) -> Column:
        if name not in named:
            return F.lit(None).cast("string")
        return F.coalesce(F.col(name), F.lit(MISSING_LEVEL)) if covariates.missing == "indicator" else F.col(name)

    return rows.select(
        of,
        *_PLACE,
        *(level(name).alias(name) for name in COVARIATES),
        *(
            F.coalesce(reason, F.when(is_missing, "covariate_missing"), F.lit(ANALYSED)).alias(reason)
            for reason in reasons
        ),
        *ys,
        *(F.col(name).cast("bigint").alias(f"z_{name}") for name in CONTINUOUS),
    )


def _product(z: str, w: str | None) -> Column:
    """z, or z times w: another continuous covariate, or a y."""
    first = F.col(f"z_{z}")
    return first if w is None else first * F.col(f"z_{w}" if w in CONTINUOUS else w)


def _decimals(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else CENTRE_DECIMALS + 1
