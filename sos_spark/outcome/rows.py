"""What every outcome shares: where an index row stands in the study, and the first reason why it is out."""

from __future__ import annotations

from collections.abc import Mapping
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


def conclude(rows: DataFrame, scope: Scope, *, outcome_id: str, reasons: Mapping[str, Column]) -> DataFrame:
    """Returns index rows: y where the row is analysed, else null and the first reason why it is not.

    Grain: an index row, in and out. Needs y (the value, were all of it observed) and what `placed` needs; errors as
    there.
    """
    computed = {
        "study_id": F.lit(scope.study_id),
        "outcome_id": F.lit(outcome_id),
        "y": F.when(F.col("reason").isNull(), F.col("y").cast("bigint")),
        "age_band": age_band(F.col("age_years")),
    }
    return placed(rows, scope, reasons=reasons).select(
        *(computed[name].alias(name) if name in computed else name for name in OUTCOME_INDEX_ROWS.column_names)
    )


def placed(rows: DataFrame, scope: Scope, *, reasons: Mapping[str, Column]) -> DataFrame:
    """Adds period_start and period (null outside the windows) and reason (null: analysed); no age is below 0.

    Grain: an index row, in and out. Needs the columns of `COMMON`, those of `observe` and window_end (last day of the
    row's window, the index date where it has none; null: beyond any day observed). `reasons` holds the outcome's own,
    by name; a condition that is null does not hold. A row is known only if every day from the index date to window_end
    was observed, and no record of the child that could lie there is in quarantine, even if y is settled before (censor
    before counting).

    Raises:
        ValueError: A reason without a place in the order of precedence.
    """
    window, population = scope.window, scope.population
    day = F.col("index_date")
    period_start = period_start_of(day, window.period)
    in_windows = _within(day, window.baseline) | _within(day, window.follow_up)
    conditions: dict[str, Column] = {
        "outside_window": (day < F.lit(window.baseline[0])) | (day >= F.lit(window.follow_up[1])),
        "between_windows": ~in_windows,
        "age_unknown": F.col("age_years").isNull(),
        "age_out_of_range": ~F.col("age_years").between(population.age_min, population.age_max),
        "before_first_return": day < F.col("first_day_observed"),
        "unit_incomplete": ~F.coalesce(F.col("is_unit_observed"), F.lit(False)),
        "not_fully_observed": ~F.coalesce(F.col("window_end") <= F.col("observed_until"), F.lit(False)),
        "quarantined_record": F.exists("quarantined_years", _overlaps_window),
        **reasons,
    }
    if window.transition == "drop":
        period_end = period_end_of(period_start, window.period)
        conditions["transition_dropped"] = (F.col("go_live") > period_start) & (F.col("go_live") < period_end)
    unplaced = conditions.keys() - set(PRECEDENCE)
    if unplaced:
        raise ValueError(f"reasons without a place in the order of precedence: {', '.join(sorted(unplaced))}")
    first_reason = F.coalesce(*(F.when(conditions[name], F.lit(name)) for name in PRECEDENCE if name in conditions))
    number = period_number(F.col("period_start"), first=window.baseline[0], period=window.period)
    return (
        # The unborn count as 0.
        rows.withColumn("age_years", F.when(F.col("age_years") < 0, 0).otherwise(F.col("age_years")))
        .withColumns({"period_start": F.when(in_windows, period_start), "reason": first_reason})
        .withColumn("period", number)
    )


def _overlaps_window(year: Column) -> Column:
    """Whether a census year holds a day of the row's window."""
    return (last_day_of(year) >= F.col("index_date")) & (first_day_of(year) <= F.col("window_end"))


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
