"""Row rules of referrals (CIN census, CINdetails)."""

from __future__ import annotations

from datetime import date

from pyspark.sql import functions as F

from sos_spark.silver.row_rule import (
    RowRule,
    before_year,
    child_id_rules,
    event_day_rules,
    field,
    key_day_rules,
    no_code_rule,
    record_fault_rules,
    warning,
)
from sos_spark.silver.rule_data import RuleData

FORTY_WEEKS = 280

SOURCE_ASKED_SINCE = date(2013, 4, 1)
"""The first referral date for which the census asks where the referral came from."""


def referral_rules(rule_data: RuleData) -> tuple[RowRule, ...]:
    """Returns the rules of silver.referrals."""
    return (*_usable_rules(rule_data), *_value_rules(rule_data), *_agreement_rules(rule_data), *_order_rules())


def _usable_rules(rule_data: RuleData) -> tuple[RowRule, ...]:
    """Rules of severity error and field: whose record it is, and which of its values can be used."""
    return (
        *child_id_rules(None),
        *record_fault_rules(),
        *key_day_rules("referral_date", "The referral date", dfe="8600", dfe_after="8600"),
        *event_day_rules("closure_date", "The closure date", dfe=None, dfe_after="8620"),
        *event_day_rules("icpc_date", "The conference date", dfe=None, dfe_after=None),
        field(
            "closure_before_referral",
            "8630",
            F.col("closure_date") < F.col("referral_date"),
            "Closed before it was referred",
            unknown="closure_date",
        ),
        no_code_rule("closure_reason", rule_data.of_no_year("cin.ReasonForClosure", "closure_reason")),
        field(
            "nfa_flag_unreadable",
            "8568",
            F.col("nfa_flag_unreadable"),
            "The no-further-action flag is neither true nor false",
            unknown="is_nfa_at_referral",
        ),
    )


def _value_rules(rule_data: RuleData) -> tuple[RowRule, ...]:
    """Warnings about one value each: missing, no code of its year, or far from the child's birth."""
    referral = F.col("referral_date")
    return (
        warning(
            "referral_long_before_birth",
            "8606",
            F.date_add(referral, FORTY_WEEKS) < F.col("birth_date"),
            "Referred more than 40 weeks before birth",
        ),
        warning(
            "no_child_record",
            None,
            ~F.col("has_child") & F.col("child_id").isNotNull(),
            "The child is in no identifiers row that could be used",
        ),
        warning(
            "primary_need_missing",
            "8610",
            F.col("primary_need").isNull() & ~F.col("is_nfa_at_referral"),
            "The primary need is missing",
        ),
        warning(
            "primary_need_unknown",
            "8650",
            rule_data.unknown("cin.PrimaryNeedCode", "primary_need"),
            "The primary need is no code of that year",
        ),
        warning(
            "referral_source_missing",
            "8866",
            F.col("referral_source").isNull() & (referral >= F.lit(SOURCE_ASKED_SINCE)),
            "The referral source is missing",
        ),
        warning(
            "referral_source_unknown",
            "8866",
            rule_data.unknown("cin.ReferralSource", "referral_source") & (referral >= F.lit(SOURCE_ASKED_SINCE)),
            "The referral source is no code of that year",
        ),
        warning(
            "closure_reason_unknown",
            "8640",
            rule_data.unknown("cin.ReasonForClosure", "closure_reason"),
            "The reason for closure is no code of that year",
        ),
    )


def _agreement_rules(rule_data: RuleData) -> tuple[RowRule, ...]:
    """Warnings about values of a referral that do not agree: its closure, further action and conference."""
    referral, closure, icpc = F.col("referral_date"), F.col("closure_date"), F.col("icpc_date")
    return (
        warning("closure_before_year", "8620", before_year("closure_date"), "Closed before the return's year"),
        warning(
            "closure_without_reason",
            "8805",
            closure.isNotNull() & F.col("closure_reason").isNull(),
            "Closed without a reason",
        ),
        warning(
            "reason_without_closure",
            "8810",
            closure.isNull() & ~F.col("closure_date_unreadable") & F.col("closure_reason").isNotNull(),
            "A reason for closure without a closure date",
        ),
        warning(
            "nfa_flag_missing",
            "8568",
            F.col("nfa_flag").isNull() & ~F.col("nfa_flag_unreadable"),
            "The no-further-action flag is missing: taken as false",
        ),
        warning(
            "nfa_before_year",
            "8569Q",
            F.col("is_nfa_at_referral") & (referral < rule_data.last_working_day_before_year()),
            "No further action, but referred more than a working day before the return's year",
        ),
        warning(
            "nfa_with_icpc", "8831", F.col("is_nfa_at_referral") & icpc.isNotNull(), "No further action, but an ICPC"
        ),
        warning(
            "nfa_with_cin_plan",
            "4000",
            F.col("is_nfa_at_referral") & F.col("has_cin_plan"),
            "No further action, but a plan",
        ),
        warning("icpc_after_closure", "8565", icpc > closure, "The conference is after the closure"),
        warning("icpc_before_referral", "1104", icpc < referral, "The conference is before the referral"),
    )


def _order_rules() -> tuple[RowRule, ...]:
    """Warnings about a referral and the child's other referrals in the return."""
    referral = F.col("referral_date")
    return (
        warning(
            "several_open",
            "8815",
            F.col("is_open") & (F.col("n_open_in_return") > 1),
            "More than one open referral of the child in the return",
        ),
        warning(
            "open_but_not_latest",
            "8816",
            F.col("is_open") & (referral < F.col("latest_referral_in_return")),
            "Open, though the child was referred again later",
        ),
        warning(
            "overlapping_referrals",
            "8820",
            (referral < F.col("latest_end_before")) | (F.col("next_start") < F.col("ends_by")),
            "Referred while another referral in the return had not ended, or not ended when the next was made",
        ),
    )
