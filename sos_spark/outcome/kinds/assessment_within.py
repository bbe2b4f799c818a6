"""Whether an assessment was authorised within so many working days."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.config.outcomes import AssessmentWithin
from sos_spark.outcome.assessments import is_completed, reasons_of_assessments, with_lengths
from sos_spark.outcome.records import Records
from sos_spark.outcome.registry import makes_rows_of
from sos_spark.outcome.rows import Scope, conclude


@makes_rows_of(AssessmentWithin)
def index_rows(outcome: AssessmentWithin, records: Records, scope: Scope, *, outcome_id: str) -> DataFrame:
    """Returns an index row for each assessment; y is 1 where it was authorised within so many working days, else 0.

    Grain: one row per assessment. Known once the last of the working days has been observed, open or not.
    """
    rows = with_lengths(records, scope, kind=outcome.kind, count=outcome.days)
    in_time = is_completed() & (F.col("length_days") <= outcome.days)
    rows = rows.withColumn("y", F.coalesce(in_time, F.lit(False)).cast("bigint"))
    return conclude(rows, scope, outcome_id=outcome_id, reasons=reasons_of_assessments())
