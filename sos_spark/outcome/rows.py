"""What every outcome shares: where an index row stands in the study, and the first reason why it is out.

Outcomes that count the same records, as two counts of one assessment, have their rows in common: the frame is made
once, with a y and a reason for each of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.cohort.join_one import join_one
from sos_spark.cohort.returned import first_day_of, last_day_of
from sos_spark.config.study import Population, Window
from sos_spark.outcome.calendar import period_end_of, period_number, period_start_of
from sos_spark.outcome.reasons import PRECEDENCE
from sos_spark.silver.readings import census_year_of
from sos_spark.tables import OUTCOME_INDEX_ROWS

COMMON = ("la_code", "child_id", "index_date", "age_years", "sex", "ethnicity", "primary_need")
"""What each outcome's candidates have, whatever else they carry."""

_FOR_ALL = "reason_for_all"


@dataclass(frozen=True)
class Scope:
    """The study as an outcome sees it.

    `units` is cohort.units, `coverage` as `outcome.coverage` makes it, `in_doubt` as `quarantined_years` does.
    """

    study_id: str
    window: Window
    population: Population
    units: DataFrame
    coverage: DataFrame
    in_doubt: DataFrame


def observe(candidates: DataFrame, scope: Scope, *, kind: str) -> DataFrame:
    """Adds what is known of each candidate's LA code and census year, and which years of the child are in doubt.

    Grain: a candidate, in and out, but those of LA codes that were not valid in the study's window are left out. Adds
    unit_id, go_live, first_day_observed, last_day_observed, observed_until and is_unit_observed (null where the year is
    not the LA code's, or the LA not observed), by what the kind of outcome reads, and quarantined_years (of the child;
    null for none). The joined sides are small, and have one row per key: those of the study's tables are held to it.
    """
    units = scope.units.select("la_code", "unit_id", "go_live")
    years = (
        scope.coverage.where(F.col("kind") == kind).drop("kind").withColumnRenamed("census_year", "index_census_year")
    )
    in_doubt = scope.in_doubt.where(F.col("kind") == kind).drop("kind")
    dated = candidates.withColumn("index_census_year", census_year_of(F.col("index_date")))
    of_unit = join_one(dated, units, on=["la_code"], what="cohort.units", how="inner")
    of_year = join_one(of_unit, years, on=["la_code", "index_census_year"], what="cohort.observed")
    return of_year.join(F.broadcast(in_doubt), ["la_code", "child_id"], "left").drop("index_census_year")


@dataclass(frozen=True)
class Verdict:
    """What an outcome says of a row, as Columns of its frame.

    `y` is the value, were all of it observed; `reasons`, by name, why it is not known or not counted, where a condition
    that is null does not hold; `window_end` the last day of the row's window, the index date where it has none, and
    null where it lies beyond any day observed.
    """

    y: Column
    reasons: Mapping[str, Column]
    window_end: Column


@dataclass(frozen=True)
class Judged:
    """Index rows that some outcomes have in common, with what each of these says of a row.

    Grain of `rows`: an index row. Columns: those of outcome.index_rows but outcome_id, y and reason; and of the outcome
    in each place, from 0 on, `y_of` it, null unless the row is analysed, and `reason_of` it, null exactly where it is.
    """

    rows: DataFrame
    outcome_ids: tuple[str, ...]

    def of_each(self) -> DataFrame:
        """Returns outcome.index_rows. Grain: an index row of one of the outcomes."""
        each = [
            F.struct(F.lit(name).alias("outcome_id"), F.col(y_of(i)).alias("y"), F.col(reason_of(i)).alias("reason"))
            for i, name in enumerate(self.outcome_ids)
        ]
        return self.rows.select("*", F.inline(F.array(*each))).select(OUTCOME_INDEX_ROWS.column_names)


def y_of(place: int) -> str:
    """Returns the column with the y of the outcome in that place."""
    return f"y_{place}"


def reason_of(place: int) -> str:
    """Returns the column with the reason of the outcome in that place."""
    return f"reason_{place}"


def judge(rows: DataFrame, verdicts: Mapping[str, Verdict], scope: Scope) -> Judged:
    """Returns index rows with the verdict of each outcome, by its id. Needs and raises what `placed` does."""
    known = placed(rows, list(verdicts.values()), scope)
    ys = {
        y_of(i): F.when(F.col(reason_of(i)).isNull(), one.y.cast("bigint")) for i, one in enumerate(verdicts.values())
    }
    computed = {"study_id": F.lit(scope.study_id), "age_band": age_band(F.col("age_years"))}
    shared = [name for name in OUTCOME_INDEX_ROWS.column_names if name not in ("outcome_id", "y", "reason")]
    return Judged(
        known.select(
            *(computed[name].alias(name) if name in computed else name for name in shared),
            *map(reason_of, range(len(verdicts))),
            *(y.alias(name) for name, y in ys.items()),
        ),
        tuple(verdicts),
    )


def placed(rows: DataFrame, verdicts: Sequence[Verdict], scope: Scope) -> DataFrame:
    """Adds period_start, period (null outside the windows) and each verdict's reason; no age is below 0.

    Grain: an index row, in and out. Needs the columns of `COMMON` and those of `observe`. A row is known only if every
    day from the index date to the end of its window was observed, and no record of the child that could lie there is in
    quarantine, even if y is settled before (censor before counting).

    Raises:
        ValueError: A reason without a place in the order of precedence.
    """
    window = scope.window
    in_windows = _within(F.col("index_date"), window.baseline) | _within(F.col("index_date"), window.follow_up)
    period_start = period_start_of(F.col("index_date"), window.period)
    shared, own = _shared_reasons(scope), [_own_reasons(verdict) for verdict in verdicts]
    every = [*shared, *(name for reasons in own for name in reasons)]
    if unplaced := set(every) - set(PRECEDENCE):
        raise ValueError(f"reasons without a place in the order of precedence: {', '.join(sorted(unplaced))}")
    # What goes before any verdict's own reason is found once for all of them.
    first_own = min((PRECEDENCE.index(name) for reasons in own for name in reasons), default=len(PRECEDENCE))
    before = {name: holds for name, holds in shared.items() if PRECEDENCE.index(name) < first_own}
    after = {name: holds for name, holds in shared.items() if name not in before}
    number = period_number(F.col("period_start"), first=window.baseline[0], period=window.period)
    return (
        # The unborn count as 0.
        rows.withColumn("age_years", F.when(F.col("age_years") < 0, 0).otherwise(F.col("age_years")))
        .withColumns({"period_start": F.when(in_windows, period_start), _FOR_ALL: _first_of(before)})
        .withColumns(
            {
                "period": number,
                **{
                    reason_of(i): F.coalesce(F.col(_FOR_ALL), _first_of({**after, **reasons}))
                    for i, reasons in enumerate(own)
                },
            }
        )
        .drop(_FOR_ALL)
    )


def _shared_reasons(scope: Scope) -> dict[str, Column]:
    """Why a row is out, whatever is asked of it: where it stands, and what was observed of its authority."""
    window, population, day = scope.window, scope.population, F.col("index_date")
    reasons = {
        "outside_window": (day < F.lit(window.baseline[0])) | (day >= F.lit(window.follow_up[1])),
        "between_windows": ~(_within(day, window.baseline) | _within(day, window.follow_up)),
        "age_unknown": F.col("age_years").isNull(),
        "age_out_of_range": ~F.col("age_years").between(population.age_min, population.age_max),
        "before_first_return": day < F.col("first_day_observed"),
        "unit_incomplete": ~F.coalesce(F.col("is_unit_observed"), F.lit(False)),
    }
    if window.transition == "drop":
        period_start = period_start_of(day, window.period)
        period_end = period_end_of(period_start, window.period)
        reasons["transition_dropped"] = (F.col("go_live") > period_start) & (F.col("go_live") < period_end)
    return reasons


def _own_reasons(verdict: Verdict) -> dict[str, Column]:
    """Why a row is out by what one outcome asks of it."""
    until = verdict.window_end

    def overlaps_window(year: Column) -> Column:
        return (last_day_of(year) >= F.col("index_date")) & (first_day_of(year) <= until)

    return {
        "not_fully_observed": ~F.coalesce(until <= F.col("observed_until"), F.lit(False)),
        "quarantined_record": F.exists("quarantined_years", overlaps_window),
        **verdict.reasons,
    }


def _first_of(reasons: Mapping[str, Column]) -> Column:
    """Returns the name of the first reason that holds, in order of precedence; null where none does."""
    held = [F.when(reasons[name], F.lit(name)) for name in PRECEDENCE if name in reasons]
    return F.coalesce(*held) if held else F.lit(None).cast("string")


def age_band(age: Column) -> Column:
    """Returns the band of an age in completed years: 0, 1-4, 5-9, 10-15, 16-17 or 18+; null where it is not known."""
    return (
        F.when(age <= 0, "0")
        .when(age <= 4, "1-4")
        .when(age <= 9, "5-9")
        .when(age <= 15, "10-15")
        .when(age <= 17, "16-17")
        .when(age >= 18, "18+")
    )


def _within(day: Column, span: tuple[object, object]) -> Column:
    """In a closed-open span of days."""
    return (day >= F.lit(span[0])) & (day < F.lit(span[1]))
