"""An initial child protection conference within some months of a referral or of a section 47 enquiry."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.config.outcomes import Icpc
from sos_spark.outcome.rows import COMMON, Scope, conclude, observe


def index_rows(
    candidates: DataFrame, conferences: DataFrame, scope: Scope, outcome: Icpc, *, outcome_id: str
) -> DataFrame:
    """Returns an index row for each candidate; y is 1 where a conference of the child followed in time, else 0.

    Grain: a referral or a section 47 enquiry, as `from_referrals` or `from_section47` returns them. Conferences are
    one row a child with `event_dates`: they count by child and date, whichever referral they were recorded under, from
    the index day itself to the last day of the months.
    """
    until = F.add_months("index_date", outcome.within_months)
    rows = (
        candidates.join(F.broadcast(conferences), ["la_code", "child_id"], "left")
        .withColumn("window_end", until)
        .withColumn(
            "y",
            F.coalesce(F.exists("event_dates", lambda day: day.between(F.col("index_date"), until)), F.lit(False)).cast(
                "bigint"
            ),
        )
        .drop("event_dates")
    )
    return conclude(observe(rows, scope, kind=outcome.kind), scope, outcome_id=outcome_id, reasons={})


def from_referrals(referrals: DataFrame) -> DataFrame:
    """Returns every referral as a candidate. Grain: a referral."""
    return (
        referrals.withColumn("index_date", F.col("referral_date"))
        .withColumn("age_years", F.col("age_at_referral"))
        .select(*COMMON)
    )


def from_section47(enquiries: DataFrame) -> DataFrame:
    """Returns every section 47 enquiry as a candidate. Grain: an enquiry."""
    return (
        enquiries.withColumn("index_date", F.col("section47_start_date"))
        .withColumn("age_years", F.col("age_at_start"))
        .select(*COMMON)
    )
