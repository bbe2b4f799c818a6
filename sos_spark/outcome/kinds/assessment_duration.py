"""How long assessments take: days from start to authorisation."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.config.outcomes import AssessmentDuration
from sos_spark.outcome.assessments import (
    assessments,
    counted_day,
    is_completed,
    reasons_of_assessments,
    with_lengths,
)
from sos_spark.outcome.records import Records
from sos_spark.outcome.registry import follows_rows_of, judges
from sos_spark.outcome.rows import Scope, Verdict, placed, reason_of


@judges(AssessmentDuration, rows=assessments)
def verdict(outcome: AssessmentDuration) -> Verdict:
    """Returns the verdict on an assessment; y is its length in days, working or calendar.

    y counts the days after the start up to and including the authorisation: 0 that day. Known once `follow_up_days`
    working days after the start have been observed, whenever it was authorised and however its length is counted, so
    that both counts have the same rows; one that is open on the last day observed is unknown, reason open_after_window.
    follow_up_days = 0 asks for nothing but the authorisation. mean = "restricted" counts at most follow_up_days, also
    of one that is still open: its window was observed, so it is known to be that long, and no length selects the rows.
    Needs the working-day calendar up to the study's data_ends.
    """
    length = (
        F.datediff("assessment_authorised_date", "index_date") if outcome.days == "calendar" else F.col("length_days")
    )
    reasons = reasons_of_assessments()
    if outcome.mean == "restricted":
        longest = F.lit(outcome.follow_up_days)
        length = F.when(is_completed(), F.least(length, longest)).otherwise(longest)
    else:
        reasons["open_after_window"] = ~is_completed()
    return Verdict(length, reasons, counted_day(outcome.window_days))


@follows_rows_of(AssessmentDuration)
def followed_rows(outcome: AssessmentDuration, records: Records, scope: Scope, *, outcome_id: str) -> DataFrame:
    """Returns each analysed assessment with the working day on which it was concluded, or was open when last seen.

    Grain: one row per assessment that began in the study's windows and population, whether or not it was observed to
    the last day that is counted. Columns: those of outcome.durations but n.
    """
    most = outcome.counted_days
    rows = with_lengths(records, scope, kind=outcome.kind, counts=[most])
    # A day is unique in the calendar: the join keeps the grain.
    until = records.calendar.select(F.col("day").alias("observed_until"), F.col("working_day").alias("observed_on"))
    is_followed = F.coalesce(counted_day(most) <= F.col("observed_until"), F.lit(False))
    days_observed = F.when(F.col("is_followed"), F.lit(most)).otherwise(F.col("observed_on") - F.col("started_on"))
    is_concluded = (F.col("assessment_authorised_date") <= F.col("observed_until")) & (
        F.col("length_days") <= F.col("days_observed")
    )
    followed = (
        rows.join(F.broadcast(until), "observed_until", "left")
        .withColumn("is_followed", is_followed)
        .withColumn("days_observed", days_observed)
        .withColumn("is_concluded", F.coalesce(is_concluded, F.lit(False)))
    )
    # Only as far as it was observed: a length that the end of the data cuts short counts so far, and one that began
    # after that end is not observed.
    seen_until = F.greatest(F.least(counted_day(most), "observed_until"), "index_date")
    days = F.when(F.col("is_concluded"), F.col("length_days")).otherwise(F.col("days_observed"))
    return (
        placed(followed, [Verdict(days, reasons_of_assessments(), seen_until)], scope)
        .where(F.col(reason_of(0)).isNull())
        .select(
            F.lit(scope.study_id).alias("study_id"),
            F.lit(outcome_id).alias("outcome_id"),
            "unit_id",
            "period",
            "period_start",
            days.cast("int").alias("days"),
            "is_concluded",
            "is_followed",
        )
    )
