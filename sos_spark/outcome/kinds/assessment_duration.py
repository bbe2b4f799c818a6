"""How long assessments take: days from start to authorisation."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.config.outcomes import AssessmentDuration
from sos_spark.outcome.assessments import is_completed, reasons_of_assessments, with_lengths
from sos_spark.outcome.records import Records
from sos_spark.outcome.registry import makes_rows_of
from sos_spark.outcome.rows import Scope, conclude


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
