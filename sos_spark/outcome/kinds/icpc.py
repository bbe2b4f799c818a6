"""An initial child protection conference within some months of a referral or of a section 47 enquiry."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.config.outcomes import Icpc
from sos_spark.outcome.records import Records
from sos_spark.outcome.registry import makes_rows_of
from sos_spark.outcome.rows import COMMON, Scope, conclude, observe


@makes_rows_of(Icpc)
def index_rows(outcome: Icpc, records: Records, scope: Scope, *, outcome_id: str) -> DataFrame:
    """Returns an index row for each candidate; y is 1 where a conference of the child followed in time, else 0.

    Grain: one row per referral or per section 47 enquiry. Conferences are one row per child with `event_dates`: they
    count by child and date, whichever referral they were recorded under, from the index day itself to the last day of
    the months.
    """
    candidates = (
        _from_referrals(records.referrals)
        if outcome.index == "referral"
        else _from_section47(records.silver["section47_enquiries"])
    )
    until = F.add_months("index_date", outcome.within_months)
    rows = (
        candidates.join(F.broadcast(records.conferences), ["la_code", "child_id"], "left")
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


def _from_referrals(referrals: DataFrame) -> DataFrame:
    """Returns every referral as a candidate. Grain: a referral."""
    return (
        referrals.withColumn("index_date", F.col("referral_date"))
        .withColumn("age_years", F.col("age_at_referral"))
        .select(*COMMON)
    )


def _from_section47(enquiries: DataFrame) -> DataFrame:
    """Returns every section 47 enquiry as a candidate. Grain: an enquiry."""
    return (
        enquiries.withColumn("index_date", F.col("section47_start_date"))
        .withColumn("age_years", F.col("age_at_start"))
        .select(*COMMON)
    )
