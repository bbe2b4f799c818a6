"""Re-referral within some months of a decision to take no further action."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.config.outcomes import RereferralNfa
from sos_spark.outcome.records import Records
from sos_spark.outcome.referrals import DECISION_KEYS, is_rereferred, select_nfa_decisions, window_of_months
from sos_spark.outcome.registry import judges
from sos_spark.outcome.rows import Scope, Verdict, observe


def decisions(outcomes: Sequence[RereferralNfa], records: Records, scope: Scope) -> DataFrame:
    """Returns the referrals that ended in NFA, with is_rereferred. Grain: one row per NFA decision."""
    outcome = outcomes[0]
    found = (
        select_nfa_decisions(records.nfa_referrals, outcome)
        .withColumn("is_rereferred", is_rereferred())
        .drop("child_referral_dates")
    )
    return observe(found, scope, kind=outcome.kind)


@judges(RereferralNfa, rows=decisions, by=DECISION_KEYS)
def verdict(_: RereferralNfa) -> Verdict:
    """Returns the verdict on an NFA decision; y is 1 where the child was re-referred, else 0.

    The window is the months, from the decision or, with `from` = referral, from the referral; there a decision after
    them is no one's re-referral: y is 0.
    """
    reasons = {"field_unreadable": F.col("is_unreadable")}
    return Verdict(F.col("is_rereferred"), reasons, window_of_months(F.col("rereferral_until")))
