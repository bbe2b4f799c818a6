"""Re-referral after no further action that escalates: to a child protection plan, or to being looked after."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.config.outcomes import RereferralEscalated
from sos_spark.outcome.care import is_care_start
from sos_spark.outcome.referrals import (
    add_window_end,
    dates_by_child,
    is_rereferral,
    is_rereferred,
    select_nfa_decisions,
)
from sos_spark.outcome.rows import Scope, conclude, observe


def index_rows(
    referrals: DataFrame, escalations: DataFrame, scope: Scope, outcome: RereferralEscalated, *, outcome_id: str
) -> DataFrame:
    """Returns an index row for each referral that ended in NFA; y is 1 where a re-referral escalated, else 0.

    Grain: an NFA decision. Needs referrals as `with_child_dates` and escalations as `escalation_dates` return them. A
    re-referral, any of those within the months, escalates if a plan or care starts from its own day on within
    `escalate_within_months`. The window of every row, re-referred or not, holds the months to a re-referral and those
    to its escalation, in both collections. Estimand joint: a row that was not re-referred has y = 0; conditional: it
    is out, reason not_rereferred.
    """

    def escalates(day: Column) -> Column:
        until = F.add_months(day, outcome.escalate_within_months)
        return is_rereferral(day) & F.exists("event_dates", lambda event: (event >= day) & (event <= until))

    decisions = (
        select_nfa_decisions(referrals, outcome)
        .join(F.broadcast(escalations), ["la_code", "child_id"], "left")
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


def escalation_dates(cp_plans: DataFrame, lac_episodes: DataFrame, child_links: DataFrame) -> DataFrame:
    """Returns the days on which a CIN child's plan or period of care began.

    Grain: one row a CIN child with any, `event_dates` in order. A looked-after child is the CIN child it was linked to;
    one without a link escalates nobody. Plans count by child and date, whichever referral they were recorded under.
    """
    plans = cp_plans.select("la_code", "child_id", F.col("cpp_start_date").alias("event_date"))
    links = child_links.where(F.col("cin_child_id").isNotNull()).select("la_code", "lac_child_id", "cin_child_id")
    starts = (
        lac_episodes.where(is_care_start())
        .select(
            "la_code", F.col("child_id").alias("lac_child_id"), F.col("care_episode_start_date").alias("event_date")
        )
        .join(links, ["la_code", "lac_child_id"])
        .select("la_code", F.col("cin_child_id").alias("child_id"), "event_date")
    )
    return dates_by_child(plans.unionByName(starts), "event_date")
