"""Row rules of child protection plans (CIN census, ChildProtectionPlans)."""

from __future__ import annotations

from pyspark.sql import functions as F

from sos_spark.silver.conform import first_day
from sos_spark.silver.entities.under_referral import orphan_rule
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


def cp_plan_rules(rule_data: RuleData) -> tuple[RowRule, ...]:
    """Returns the rules of silver.cp_plans."""
    start, end = F.col("cpp_start_date"), F.col("cpp_end_date")
    return (
        *child_id_rules(None),
        *record_fault_rules(),
        *key_day_rules("referral_date", "The referral date", dfe=None),
        *key_day_rules("cpp_start_date", "The start of the plan", dfe=None),
        *event_day_rules("cpp_end_date", "The end of the plan", dfe=None, dfe_after="8930"),
        field("cpp_end_before_start", "8925", end < start, "Ended before it started", unknown="cpp_end_date"),
        # --- warnings
        orphan_rule(),
        warning("cpp_end_before_year", "8930", before_year("cpp_end_date"), "Ended before the return's year"),
        warning("started_before_referral", "1105", start < F.col("referral_date"), "Started before the referral"),
        warning("nfa_with_plan", "8832", F.col("referral_is_nfa"), "Its referral had no further action"),
        warning("after_closure", "8565", end > F.col("closed_on"), "Ended after its referral was closed"),
        warning(
            "not_on_conference_day",
            "2885",
            (start >= first_day()) & ~F.col("on_conference_day"),
            "Started in the return's year on a day without an initial conference",
        ),
        warning(
            "several_open",
            "8935",
            F.col("is_open") & (F.col("n_open_in_return") > 1),
            "More than one open plan of the child in the return",
        ),
        warning(
            "overlapping_plans",
            "8940",
            (start <= F.col("latest_end_before")) | (F.col("next_start") <= F.col("ends_by")),
            "Another plan of the child was going on when it started, or started before it had ended",
        ),
        warning(
            "review_not_after_start",
            "8841",
            F.col("first_review_date") <= start,
            "Reviewed on or before the day it started",
        ),
        *(
            warning(
                f"{which}_category_unknown",
                None,
                rule_data.unknown(f"cin.{field}", f"{which}_category_of_abuse"),
                f"The {which} category of abuse is no code of that year",
            )
            for which, field in (("initial", "InitialCategoryOfAbuse"), ("latest", "LatestCategoryOfAbuse"))
        ),
        *(
            warning(
                f"{which}_category_missing",
                None,
                F.col(f"{which}_category_of_abuse").isNull(),
                f"The {which} category of abuse is missing",
            )
            for which in ("initial", "latest")
        ),
    )
