"""Re-referral after no further action that escalates: to a child protection plan, or to being looked after."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.config.outcomes import RereferralEscalated
from sos_spark.outcome.records import Records
from sos_spark.outcome.referrals import (
    DECISION_KEYS,
    is_rereferral,
    is_rereferred,
    select_nfa_decisions,
    window_of_months,
)
from sos_spark.outcome.registry import judges
from sos_spark.outcome.rows import Scope, Verdict, observe


def decisions(outcomes: Sequence[RereferralEscalated], records: Records, scope: Scope) -> DataFrame:
    """Returns the referrals that ended in NFA, with is_rereferred and has_escalated.

    Grain: one row per NFA decision. A re-referral, any of those within the months, escalates if a plan or care starts
    from its own day on within `escalate_within_months`.
    """
    outcome = outcomes[0]

    def escalates(day: Column) -> Column:
        until = F.add_months(day, outcome.escalate_within_months)
        return is_rereferral(day) & F.exists("event_dates", lambda event: (event >= day) & (event <= until))

    found = (
        select_nfa_decisions(records.nfa_referrals, outcome)
        .join(F.broadcast(records.escalations), ["la_code", "child_id"], "left")
        .withColumn("is_rereferred", is_rereferred())
        .withColumn("has_escalated", F.coalesce(F.exists("child_referral_dates", escalates), F.lit(False)))
        .drop("child_referral_dates", "event_dates")
    )
    return observe(found, scope, kind=outcome.kind)


@judges(RereferralEscalated, rows=decisions, by=(*DECISION_KEYS, "escalate_within_months"))
def verdict(outcome: RereferralEscalated) -> Verdict:
    """Returns the verdict on an NFA decision; y is 1 where a re-referral escalated, else 0.

    The window of every row, re-referred or not, holds the months to a re-referral and those to its escalation, in both
    collections. Estimand joint: a row that was not re-referred has y = 0; conditional: it is out, reason
    not_rereferred.
    """
    reasons = {"field_unreadable": F.col("is_unreadable")}
    if outcome.estimand == "conditional":
        reasons["not_rereferred"] = ~F.col("is_rereferred")
    last_day = F.add_months("rereferral_until", outcome.escalate_within_months)
    return Verdict(F.col("has_escalated"), reasons, window_of_months(last_day))
