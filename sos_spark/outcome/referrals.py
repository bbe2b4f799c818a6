"""Referrals as the outcomes share them: narrow, with the child's other referral dates and the NFA decision."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sos_spark.config.outcomes.nfa_decision import NfaDecision
from sos_spark.outcome.reads import has_unknown
from sos_spark.silver.readings import EARLY_HELP, NFA_AFTER_ASSESSMENT

DECISION_KEYS = ("nfa", "from_", "within_months")
"""The keys of an outcome that `select_nfa_decisions` looks at."""

FIRST_CENSUS_YEAR_OF_RC9 = 2023
"""RC9 (closed after assessment, referred to early help) is a code of the CIN census from this census year on."""


def nfa_with_child_dates(referrals: DataFrame) -> DataFrame:
    """Returns the referrals that ended in no further action, or may have, with all referral dates of their child.

    Grain: a referral of silver.referrals, narrowed to what `select_nfa_decisions` needs. One shuffle by child for all
    outcomes that share the frame: worth caching. Adds child_referral_dates (array of dates in order, this referral's
    among them).
    """
    may_be_nfa = (
        F.col("is_nfa_at_referral")
        | F.col("closure_reason").isin(NFA_AFTER_ASSESSMENT, EARLY_HELP)
        | F.col("unknown_fields").isNotNull()
    )
    # The child first: rows are told apart by the first bytes of what they are sorted by.
    child = Window.partitionBy("child_id", "la_code").orderBy("referral_date")
    return referrals.select(
        "la_code",
        "child_id",
        "referral_date",
        "closure_date",
        "closure_reason",
        "is_nfa_at_referral",
        "census_year",
        "age_at_referral",
        "age_at_closure",
        "sex",
        "ethnicity",
        "primary_need",
        "unknown_fields",
        F.collect_list("referral_date")
        .over(child.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing))
        .alias("child_referral_dates"),
    ).where(may_be_nfa)


def select_nfa_decisions(referrals: DataFrame, outcome: NfaDecision) -> DataFrame:
    """Returns the referrals that ended in no further action, of the kind the outcome asks for.

    Grain: a referral, in and out. Needs the columns of `nfa_with_child_dates`. The decision is the referral itself
    where it was NFA, dated by the referral; else a closure as RC8 (RC9 from census year 2023), dated by the closure.
    Where a field that says so could not be used, the row is dated by the referral and is_unreadable: whether and when
    it ended in NFA is not known, which is not 'no'. Adds is_unreadable, index_date (the decision's day), age_years on
    that day, months_begin (where the outcome's months begin: the decision or the referral) and rereferral_until (the
    last day of them).
    """
    at_referral = F.coalesce("is_nfa_at_referral", F.lit(False))
    flag_unknown = has_unknown(("is_nfa_at_referral",))
    has_rc9 = (F.col("closure_reason") == EARLY_HELP) & (F.col("census_year") >= FIRST_CENSUS_YEAR_OF_RC9)
    closed_as_nfa = ~at_referral & F.coalesce((F.col("closure_reason") == NFA_AFTER_ASSESSMENT) | has_rc9, F.lit(False))
    after_assessment = closed_as_nfa & F.col("closure_date").isNotNull() & ~flag_unknown
    undated = closed_as_nfa & (has_unknown(("closure_date",)) | flag_unknown)
    unreadable = {
        "at_referral": flag_unknown,
        "after_assessment": undated | (~at_referral & has_unknown(("closure_reason",))),
        "either": flag_unknown | undated | (~at_referral & has_unknown(("closure_reason",))),
    }[outcome.nfa]
    wanted = {
        "at_referral": at_referral,
        "after_assessment": after_assessment,
        "either": at_referral | after_assessment,
    }[outcome.nfa]
    is_dated_by_referral = at_referral | unreadable
    months_begin = "index_date" if outcome.from_ == "decision" else "referral_date"
    return (
        referrals.where(wanted | unreadable)
        .withColumn("is_unreadable", unreadable)
        .withColumn("index_date", F.when(is_dated_by_referral, F.col("referral_date")).otherwise(F.col("closure_date")))
        .withColumn(
            "age_years", F.when(is_dated_by_referral, F.col("age_at_referral")).otherwise(F.col("age_at_closure"))
        )
        .withColumn("months_begin", F.col(months_begin))
        .withColumn("rereferral_until", F.add_months("months_begin", outcome.within_months))
    )


def window_of_months(last_day: Column) -> Column:
    """Returns the end of a decision's window: the last day, or its own where that is later.

    Null where the window began unobserved: months that are counted from the referral begin before the decision, and may
    begin in a year that was not returned. Needs the columns of `select_nfa_decisions` and of `observe`.
    """
    return F.when(F.col("months_begin") >= F.col("observed_from"), F.greatest(F.col("index_date"), last_day))


def is_rereferral(referral_date: Column) -> Column:
    """Returns whether one of the child's referral dates is a re-referral of the row's NFA decision.

    It is later than the referral that was decided on, on the decision's own day or after it, and within the outcome's
    months, their last day included.
    """
    return (
        (referral_date > F.col("referral_date"))
        & (referral_date >= F.col("index_date"))
        & (referral_date <= F.col("rereferral_until"))
    )


def is_rereferred() -> Column:
    """Returns whether the child of an NFA decision was re-referred."""
    return F.exists("child_referral_dates", is_rereferral)


def dates_by_child(events: DataFrame, date_column: str) -> DataFrame:
    """Collapses events to one row per child with the array `event_dates`: small, made to be broadcast."""
    return events.groupBy("la_code", "child_id").agg(F.array_sort(F.collect_set(date_column)).alias("event_dates"))
