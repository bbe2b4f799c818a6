"""Whether an assessment was authorised within so many working days."""

from __future__ import annotations

from pyspark.sql import functions as F

from sos_spark.config.outcomes import AssessmentWithin
from sos_spark.outcome.assessments import assessments, counted_day, is_completed, reasons_of_assessments
from sos_spark.outcome.registry import judges
from sos_spark.outcome.rows import Verdict


@judges(AssessmentWithin, rows=assessments)
def verdict(outcome: AssessmentWithin) -> Verdict:
    """Returns the verdict on an assessment; y is 1 where it was authorised within so many working days, else 0.

    Known once the last of the working days has been observed, open or not.
    """
    in_time = is_completed() & (F.col("length_days") <= outcome.days)
    return Verdict(F.coalesce(in_time, F.lit(False)), reasons_of_assessments(), counted_day(outcome.window_days))
