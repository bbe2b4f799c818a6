"""Re-referral within some months of a decision to take no further action."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.config.outcomes import RereferralNfa
from sos_spark.outcome.records import Records
from sos_spark.outcome.referrals import add_window_end, is_rereferred, select_nfa_decisions
from sos_spark.outcome.registry import makes_rows_of
from sos_spark.outcome.rows import Scope, conclude, observe


@makes_rows_of(RereferralNfa)
def index_rows(outcome: RereferralNfa, records: Records, scope: Scope, *, outcome_id: str) -> DataFrame:
    """Returns an index row for each referral that ended in NFA; y is 1 where the child was re-referred, else 0.

    Grain: one row per NFA decision. The window is the months, from the decision or, with `from` = referral, from the
    referral; there a decision after them is no one's re-referral: y is 0.
    """
    decisions = (
        select_nfa_decisions(records.referrals, outcome)
        .withColumn("y", is_rereferred().cast("bigint"))
        .drop("child_referral_dates")
    )
    rows = add_window_end(observe(decisions, scope, kind=outcome.kind), F.col("rereferral_until"))
    return conclude(rows, scope, outcome_id=outcome_id, reasons={"field_unreadable": F.col("is_unreadable")})
