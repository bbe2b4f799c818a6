"""Re-referral within some months of a decision to take no further action."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.config.study import RereferralNfa
from sos_spark.outcome.referrals import is_rereferred, select_nfa_decisions
from sos_spark.outcome.rows import Scope, conclude, observe


def index_rows(referrals: DataFrame, scope: Scope, outcome: RereferralNfa, *, outcome_id: str) -> DataFrame:
    """Returns an index row for each referral that ended in NFA; y is 1 where the child was re-referred, else 0.

    Grain: an NFA decision. Needs referrals as `with_child_dates` returns them. The window runs from the decision to the
    last day of the months. Where these are counted from the referral (`from`), a decision after them is no one's
    re-referral: y is 0.
    """
    decisions = (
        select_nfa_decisions(referrals, outcome)
        .withColumn("y", is_rereferred().cast("bigint"))
        .withColumn("window_end", F.greatest("index_date", "rereferral_until"))
        .drop("child_referral_dates")
    )
    return conclude(observe(decisions, scope, collection="cin"), scope, outcome_id=outcome_id, reasons={})
