"""How long assessments take: working days to authorisation, and whether it came within so many of them."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.config.outcomes import AssessmentDuration, AssessmentWithin
from sos_spark.outcome.calendar import add_working_days_after
from sos_spark.outcome.reads import has_unknown
from sos_spark.outcome.rows import COMMON, Scope, conclude, observe

FIRST_SINGLE_ASSESSMENT_DAY = date(2014, 4, 1)
"""Before 2014/15 LAs could return initial and core assessments: durations start with the single assessment."""


def duration_index_rows(
    assessments: DataFrame, calendar: DataFrame, scope: Scope, outcome: AssessmentDuration, *, outcome_id: str
) -> DataFrame:
    """Returns an index row for each assessment; y is its length in days, working or calendar.

    Grain: an assessment. y counts the days after the start up to and including the authorisation: 0 on the same day.
    Known once `follow_up_days` working days after the start have been observed, whenever it was authorised and however
    its length is counted, so that both counts have the same rows; one that is open on the last day observed is unknown,
    reason open_after_window. follow_up_days = 0 asks for nothing but the authorisation. mean = "restricted" counts at
    most follow_up_days, also of one that is still open: its window was observed, so it is known to be that long, and no
    length selects the rows. Needs the working-day calendar up to the study's data_ends.
    """
    rows = _with_length(_candidates(assessments), calendar, scope, kind=outcome.kind, count=outcome.follow_up_days)
    if outcome.days == "calendar":
        rows = rows.withColumn("length_days", F.datediff("assessment_authorised_date", "index_date"))
    reasons = _reasons()
    if outcome.mean == "restricted":
        longest = F.lit(outcome.follow_up_days)
        length = F.when(_is_completed(), F.least("length_days", longest)).otherwise(longest)
    else:
        length = F.col("length_days")
        reasons["open_after_window"] = ~_is_completed()
    rows = rows.withColumn("y", length.cast("bigint"))
    return conclude(rows, scope, outcome_id=outcome_id, reasons=reasons)


def within_index_rows(
    assessments: DataFrame, calendar: DataFrame, scope: Scope, outcome: AssessmentWithin, *, outcome_id: str
) -> DataFrame:
    """Returns an index row for each assessment; y is 1 where it was authorised within so many working days, else 0.

    Grain: an assessment. Known once the last of the working days has been observed, open or not.
    """
    rows = _with_length(_candidates(assessments), calendar, scope, kind=outcome.kind, count=outcome.days)
    in_time = _is_completed() & (F.col("length_days") <= outcome.days)
    rows = rows.withColumn("y", F.coalesce(in_time, F.lit(False)).cast("bigint"))
    return conclude(rows, scope, outcome_id=outcome_id, reasons=_reasons())


def _candidates(assessments: DataFrame) -> DataFrame:
    return (
        assessments.withColumn("index_date", F.col("assessment_start_date"))
        .withColumn("age_years", F.col("age_at_start"))
        .withColumn("is_unreadable", has_unknown(("assessment_authorised_date",)))
        .select(*COMMON, "assessment_authorised_date", "is_unreadable")
    )


def _with_length(candidates: DataFrame, calendar: DataFrame, scope: Scope, *, kind: str, count: int) -> DataFrame:
    """Adds length_days, in working days (null where open), and window_end, the count-th working day after the start.

    A day is unique in the calendar: the joins keep the grain.
    """
    rows = observe(candidates, scope, kind=kind)
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


def _is_completed() -> Column:
    """Authorised by the last day observed. Never null."""
    return F.coalesce(F.col("assessment_authorised_date") <= F.col("last_day_observed"), F.lit(False))


def _reasons() -> dict[str, Column]:
    """Before the single assessment; or authorised on a day that could not be read, which is not 'open'."""
    return {
        "before_single_assessment": F.col("index_date") < F.lit(FIRST_SINGLE_ASSESSMENT_DAY),
        "field_unreadable": F.col("is_unreadable"),
    }
