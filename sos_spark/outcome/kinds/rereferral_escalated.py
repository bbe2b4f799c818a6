"""Re-referral after no further action that escalates: to a child protection plan, or to being looked after."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.config.outcomes import RereferralEscalated
from sos_spark.outcome.records import Records
from sos_spark.outcome.referrals import (
    add_window_end,
    is_rereferral,
    is_rereferred,
    select_nfa_decisions,
)
from sos_spark.outcome.registry import makes_rows_of
from sos_spark.outcome.rows import Scope, conclude, observe


@makes_rows_of(RereferralEscalated)
def index_rows(outcome: RereferralEscalated, records: Records, scope: Scope, *, outcome_id: str) -> DataFrame:
    """Returns an index row for each referral that ended in NFA; y is 1 where a re-referral escalated, else 0.

    Grain: one row per NFA decision. A re-referral, any of those within the months, escalates if a plan or care starts
    from its own day on within `escalate_within_months`. The window of every row, re-referred or not, holds the months
    to a re-referral and those to its escalation, in both collections. Estimand joint: a row that was not re-referred
    has y = 0; conditional: it is out, reason not_rereferred.
    """

    def escalates(day: Column) -> Column:
        until = F.add_months(day, outcome.escalate_within_months)
        return is_rereferral(day) & F.exists("event_dates", lambda event: (event >= day) & (event <= until))

    decisions = (
        select_nfa_decisions(records.referrals, outcome)
        .join(F.broadcast(records.escalations), ["la_code", "child_id"], "left")
        .withColumn("is_rereferred", is_rereferred())
        .withColumn("y", F.coalesce(F.exists("child_referral_dates", escalates), F.lit(False)).cast("bigint"))
        .drop("child_referral_dates", "event_dates")
    )
    rows = add_window_end(
        observe(decisions, scope, kind=outcome.kind), F.add_months("rereferral_until", outcome.escalate_within_months)
    )
    reasons = {"field_unreadable": F.col("is_unreadable")}
    if outcome.estimand == "conditional":
        reasons["not_rereferred"] = ~F.col("is_rereferred")
    return conclude(rows, scope, outcome_id=outcome_id, reasons=reasons)
