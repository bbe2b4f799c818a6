"""Row rules of assessments (CIN census, Assessments)."""

from __future__ import annotations

from pyspark.sql import functions as F

from sos_spark.silver.entities.under_referral import orphan_rule
from sos_spark.silver.readings import EARLY_HELP, NFA_AFTER_ASSESSMENT
from sos_spark.silver.row_rule import (
    RowRule,
    before_year,
    child_id_rules,
    event_day_rules,
    field,
    key_day_rules,
    record_fault_rules,
    warning,
)
from sos_spark.silver.rule_data import RuleData

TIMELY_DAYS = 45


def assessment_rules(rule_data: RuleData) -> tuple[RowRule, ...]:
    """Returns the rules of silver.assessments."""
    start, authorised = F.col("assessment_start_date"), F.col("assessment_authorised_date")
    return (
        *child_id_rules(None),
        *record_fault_rules(),
        *key_day_rules("referral_date", "The referral date", dfe=None),
        *key_day_rules("assessment_start_date", "The start of the assessment", dfe=None),
        *event_day_rules("assessment_authorised_date", "The authorisation", dfe=None, dfe_after="8696"),
        field(
            "authorised_before_start",
            "8608",
            authorised < start,
            "Authorised before it started",
            unknown="assessment_authorised_date",
        ),
        *_warnings(rule_data),
    )


def _warnings(rule_data: RuleData) -> tuple[RowRule, ...]:
    start, authorised = F.col("assessment_start_date"), F.col("assessment_authorised_date")
    is_open = authorised.isNull() & ~F.col("assessment_authorised_date_unreadable")
    return (
        orphan_rule(),
        warning(
            "authorised_before_year",
            "8696",
            before_year("assessment_authorised_date"),
            "Authorised before the return's year",
        ),
        warning("started_before_referral", "1103", start < F.col("referral_date"), "Started before the referral"),
        warning("nfa_with_assessment", "8831", F.col("referral_is_nfa"), "Its referral had no further action"),
        warning(
            "after_closure",
            "8565",
            F.greatest(start, authorised) > F.col("closed_on"),
            "Started or authorised after its referral was closed",
        ),
        warning(
            "open_at_closure",
            "8867",
            is_open & F.col("closed_on").isNotNull(),
            "Its referral is closed, it is not authorised",
        ),
        warning(
            "open_too_long",
            "8670Q",
            is_open & (start < rule_data.working_days_before_end(TIMELY_DAYS)),
            f"Started more than {TIMELY_DAYS} working days before the return's end and not authorised",
        ),
        warning(
            "overlapping_assessments",
            "8863Q",
            (start <= F.col("latest_end_before")) | (F.col("next_start") <= F.col("ends_by")),
            "Another assessment of the referral was going on when it started, or started before it had ended",
        ),
        warning(
            "no_factors_but_not_nfa",
            "8873Q",
            (F.col("n_in_referral") == 1)
            & (F.col("factors") == "21")
            & F.col("closed_on").isNotNull()
            & ~F.coalesce(F.col("referral_closure_reason").isin(NFA_AFTER_ASSESSMENT, EARLY_HELP), F.lit(False)),
            "The only assessment found no factors, and the referral was not closed for that",
        ),
    )
