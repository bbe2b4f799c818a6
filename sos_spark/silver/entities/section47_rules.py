"""Row rules of section 47 enquiries (CIN census, Section47)."""

from __future__ import annotations

from pyspark.sql import functions as F

from sos_spark.silver.entities.under_referral import orphan_rule
from sos_spark.silver.row_rule import (
    RowRule,
    child_id_rules,
    event_day_rules,
    field,
    key_day_rules,
    record_fault_rules,
    warning,
)
from sos_spark.silver.rule_data import RuleData

CONFERENCE_DAYS = 15


def section47_rules(rule_data: RuleData) -> tuple[RowRule, ...]:
    """Returns the rules of silver.section47_enquiries."""
    start, icpc, closed_on = F.col("section47_start_date"), F.col("icpc_date"), F.col("closed_on")
    not_required = F.coalesce("icpc_not_required", F.lit(False))
    return (
        *child_id_rules(None),
        *record_fault_rules(),
        *key_day_rules("referral_date", "The referral date", dfe=None),
        *key_day_rules("section47_start_date", "The start of the enquiry", dfe="8615"),
        *event_day_rules("icpc_date", "The conference date", dfe=None, dfe_after=None),
        field(
            "icpc_not_required_unreadable",
            None,
            F.col("icpc_not_required_unreadable"),
            "Whether a conference was required is neither true nor false",
            unknown="icpc_not_required",
        ),
        # --- warnings
        orphan_rule(),
        warning("icpc_before_start", "8615", icpc < start, "The conference is before the enquiry"),
        warning("started_before_referral", "2889", start < F.col("referral_date"), "Started before the referral"),
        warning("icpc_before_referral", "1104", icpc < F.col("referral_date"), "The conference is before the referral"),
        warning("nfa_with_section47", "8831", F.col("referral_is_nfa"), "Its referral had no further action"),
        warning(
            "icpc_at_both_levels",
            "2884",
            F.array_contains("referral_icpc_dates", icpc),
            "One conference is recorded with the enquiry and with a referral of the child",
        ),
        warning(
            "after_closure",
            "8565",
            F.greatest(start, icpc) > closed_on,
            "The enquiry or its conference is after the referral was closed",
        ),
        warning(
            "open_at_closure",
            "8868",
            F.col("is_open") & closed_on.isNotNull(),
            "Its referral is closed, with neither a conference nor a note that none was required",
        ),
        warning(
            "icpc_despite_not_required",
            None,
            icpc.isNotNull() & not_required,
            "A conference, and a note that none was required",
        ),
        warning(
            "open_too_long",
            "8675Q",
            F.col("is_open") & (start < rule_data.working_days_before_end(CONFERENCE_DAYS)),
            f"Started more than {CONFERENCE_DAYS} working days before the return's end, without a conference date",
        ),
        warning(
            "several_open",
            "8896",
            F.col("is_open") & (F.col("n_open_in_referral") > 1),
            "More than one open enquiry under the referral",
        ),
    )
