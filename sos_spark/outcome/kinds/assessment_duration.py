"""How long assessments take: days from start to authorisation."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.config.outcomes import AssessmentDuration
from sos_spark.outcome.assessments import is_completed, reasons_of_assessments, with_lengths
from sos_spark.outcome.records import Records
from sos_spark.outcome.registry import follows_rows_of, makes_rows_of
from sos_spark.outcome.rows import Scope, conclude, placed


@makes_rows_of(AssessmentDuration)
def index_rows(outcome: AssessmentDuration, records: Records, scope: Scope, *, outcome_id: str) -> DataFrame:
    """Returns an index row for each assessment; y is its length in days, working or calendar.

    Grain: one row per assessment. y counts the days after the start up to and including the authorisation: 0 that day.
    Known once `follow_up_days` working days after the start have been observed, whenever it was authorised and however
    its length is counted, so that both counts have the same rows; one that is open on the last day observed is unknown,
    reason open_after_window. follow_up_days = 0 asks for nothing but the authorisation. mean = "restricted" counts at
    most follow_up_days, also of one that is still open: its window was observed, so it is known to be that long, and no
    length selects the rows. Needs the working-day calendar up to the study's data_ends.
    """
    rows = with_lengths(records, scope, kind=outcome.kind, count=outcome.follow_up_days)
    if outcome.days == "calendar":
        rows = rows.withColumn("length_days", F.datediff("assessment_authorised_date", "index_date"))
    reasons = reasons_of_assessments()
    if outcome.mean == "restricted":
        longest = F.lit(outcome.follow_up_days)
        length = F.when(is_completed(), F.least("length_days", longest)).otherwise(longest)
    else:
        length = F.col("length_days")
        reasons["open_after_window"] = ~is_completed()
    rows = rows.withColumn("y", length.cast("bigint"))
    return conclude(rows, scope, outcome_id=outcome_id, reasons=reasons)


@follows_rows_of(AssessmentDuration)
def followed_rows(outcome: AssessmentDuration, records: Records, scope: Scope, *, outcome_id: str) -> DataFrame:
    """Returns each analysed assessment with the working day on which it was concluded, or was open when last seen.

    Grain: one row per assessment that began in the study's windows and population, whether or not it was observed to
    the last day that is counted. Columns: those of outcome.durations but n.
    """
    most = outcome.counted_days
    rows = with_lengths(records, scope, kind=outcome.kind, count=most)
    # A day is unique in the calendar: the join keeps the grain.
    until = records.calendar.select(F.col("day").alias("observed_until"), F.col("working_day").alias("observed_on"))
    is_followed = F.coalesce(F.col("window_end") <= F.col("observed_until"), F.lit(False))
    days_observed = F.when(F.col("is_followed"), F.lit(most)).otherwise(F.col("observed_on") - F.col("started_on"))
    is_concluded = (F.col("assessment_authorised_date") <= F.col("observed_until")) & (
        F.col("length_days") <= F.col("days_observed")
    )
    followed = (
        rows.join(F.broadcast(until), "observed_until", "left")
        .withColumn("is_followed", is_followed)
        .withColumn("days_observed", days_observed)
        .withColumn("is_concluded", F.coalesce(is_concluded, F.lit(False)))
        # Only as far as it was observed: a length that the end of the data cuts short counts so far, and one that
        # began after that end is not observed.
        .withColumn("window_end", F.greatest(F.least("window_end", "observed_until"), "index_date"))
    )
    days = F.when(F.col("is_concluded"), F.col("length_days")).otherwise(F.col("days_observed"))
    return (
        placed(followed, scope, reasons=reasons_of_assessments())
        .where(F.col("reason").isNull())
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
