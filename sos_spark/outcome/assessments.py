"""Assessments as the outcomes share them: their lengths in working days, and what makes one unknown."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.outcome.calendar import add_working_days_after
from sos_spark.outcome.reads import has_unknown
from sos_spark.outcome.records import Records
from sos_spark.outcome.rows import COMMON, Scope, observe

FIRST_SINGLE_ASSESSMENT_DAY = date(2014, 4, 1)
"""Before 2014/15 LAs could return initial and core assessments: durations start with the single assessment."""


def with_lengths(records: Records, scope: Scope, *, kind: str, count: int) -> DataFrame:
    """Returns every assessment as a candidate, with its length and the end of its window.

    Grain: one row per assessment. Columns: those of `COMMON` and of `observe`, assessment_authorised_date,
    is_unreadable (it was authorised on a day that could not be read), length_days, in working days (null where open),
    and window_end, the count-th working day after the start. A day is unique in the calendar: the joins keep the grain.
    """
    calendar = records.calendar
    rows = observe(_candidates(records.silver["assessments"]), scope, kind=kind)
    started = add_working_days_after(calendar, count=count).select(
        F.col("day").alias("index_date"), F.col("working_day").alias("started_on"), "counted_day"
    )
    authorised = calendar.select(
        F.col("day").alias("assessment_authorised_date"), F.col("working_day").alias("authorised_on")
    )
    return (
        rows.join(F.broadcast(started), "index_date", "left")
        .join(F.broadcast(authorised), "assessment_authorised_date", "left")
        .withColumn("length_days", F.col("authorised_on") - F.col("started_on"))
        .withColumn("window_end", F.col("counted_day") if count else F.col("index_date"))
    )


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
