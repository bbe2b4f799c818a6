"""Assessments as the outcomes share them: their lengths in working days, and what makes one unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.outcome.calendar import add_working_days_after
from sos_spark.outcome.reads import has_unknown
from sos_spark.outcome.records import Records
from sos_spark.outcome.rows import COMMON, Scope, observe

FIRST_SINGLE_ASSESSMENT_DAY = date(2014, 4, 1)
"""Before 2014/15 LAs could return initial and core assessments: durations start with the single assessment."""


class Windowed(Protocol):
    """An outcome that is known once so many working days after the start of an assessment were observed."""

    kind: str

    @property
    def window_days(self) -> int:
        """How many."""
        ...


def assessments(outcomes: Sequence[Windowed], records: Records, scope: Scope) -> DataFrame:
    """Returns every assessment with its length, as `with_lengths`. Grain: one row per assessment."""
    return with_lengths(records, scope, kind=outcomes[0].kind, counts=[one.window_days for one in outcomes])


def with_lengths(records: Records, scope: Scope, *, kind: str, counts: Iterable[int]) -> DataFrame:
    """Returns every assessment as a candidate, with its length and the days on which windows of `counts` end.

    Grain: one row per assessment. Columns: those of `COMMON` and of `observe`, assessment_authorised_date,
    is_unreadable (it was authorised on a day that could not be read), length_days, in working days (null where open),
    and what `counted_day` reads of each count. A day is unique in the calendar: the joins keep the grain.
    """
    days = records.calendar
    for count in sorted(set(counts) - {0}):
        days = add_working_days_after(days, count=count).withColumnRenamed("counted_day", _counted_day(count))
    rows = observe(_candidates(records.silver["assessments"]), scope, kind=kind)
    started = days.drop("is_working").withColumnsRenamed({"day": "index_date", "working_day": "started_on"})
    authorised = records.calendar.select(
        F.col("day").alias("assessment_authorised_date"), F.col("working_day").alias("authorised_on")
    )
    return (
        rows.join(F.broadcast(started), "index_date", "left")
        .join(F.broadcast(authorised), "assessment_authorised_date", "left")
        .withColumn("length_days", F.col("authorised_on") - F.col("started_on"))
    )


def counted_day(count: int) -> Column:
    """Returns the count-th working day after the start. Needs `with_lengths` of that count, unless it is 0."""
    return F.col(_counted_day(count) if count else "index_date")


def _counted_day(count: int) -> str:
    return f"working_day_{count}_on"


def _candidates(assessments: DataFrame) -> DataFrame:
    return (
        assessments.withColumn("index_date", F.col("assessment_start_date"))
        .withColumn("age_years", F.col("age_at_start"))
        .withColumn("is_unreadable", has_unknown(("assessment_authorised_date",)))
        .select(*COMMON, "assessment_authorised_date", "is_unreadable")
    )


def is_completed() -> Column:
    """Returns whether an assessment was authorised by the last day observed. Never null."""
    return F.coalesce(F.col("assessment_authorised_date") <= F.col("last_day_observed"), F.lit(False))


def reasons_of_assessments() -> dict[str, Column]:
    """Returns why one is unknown: begun before the single assessment, or authorised on a day that could not be read."""
    return {
        "before_single_assessment": F.col("index_date") < F.lit(FIRST_SINGLE_ASSESSMENT_DAY),
        "field_unreadable": F.col("is_unreadable"),
    }
