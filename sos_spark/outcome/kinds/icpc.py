"""An initial child protection conference within some months of a referral or of a section 47 enquiry."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.config.outcomes import Icpc
from sos_spark.outcome.records import Records
from sos_spark.outcome.registry import judges
from sos_spark.outcome.rows import COMMON, Scope, Verdict, observe


def candidates(outcomes: Sequence[Icpc], records: Records, scope: Scope) -> DataFrame:
    """Returns the candidates of the index and months that the outcomes have in common, with has_conference and until.

    Grain: one row per referral or per section 47 enquiry. Conferences are one row per child with `event_dates`: they
    count by child and date, whichever referral they were recorded under, from the index day itself to the last day of
    the months.
    """
    outcome = outcomes[0]
    rows = (
        _from_referrals(records.silver["referrals"])
        if outcome.index == "referral"
        else _from_section47(records.silver["section47_enquiries"])
    )
    followed = F.exists("event_dates", lambda day: day.between(F.col("index_date"), F.col("until")))
    found = (
        rows.join(F.broadcast(records.conferences), ["la_code", "child_id"], "left")
        .withColumn("until", F.add_months("index_date", outcome.within_months))
        .withColumn("has_conference", F.coalesce(followed, F.lit(False)))
        .drop("event_dates")
    )
    return observe(found, scope, kind=outcome.kind)


@judges(Icpc, rows=candidates, by=("index", "within_months"))
def verdict(outcome: Icpc) -> Verdict:  # noqa: ARG001 - rows are by all that an outcome of the kind can ask for
    """Returns the verdict on a candidate; y is 1 where a conference of the child followed in time, else 0."""
    return Verdict(F.col("has_conference"), {}, F.col("until"))


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
