"""Row rules of episodes of care (SSDA903 episodes).

A legal status, a reason for a new episode or a placement that is no code of its year, or a reason for its end that is
none of any year, leaves open whether the child started to be looked after, with whom and until when: that field of the
row is unknown. For years before the code sets begin it is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from sos_spark.silver.conform import first_day
from sos_spark.silver.row_rule import (
    CODE_SETS_BEGIN,
    RowRule,
    child_id_rules,
    deciding_code_rules,
    event_day_rules,
    field,
    key_day_rules,
    no_code_rule,
    warning,
)
from sos_spark.silver.rule_data import RuleData

WITHOUT_PROVIDER = ("T0", "T1", "T2", "T3", "T4", "Z1", "Z11", "Z12", "Z13", "Z14")
"""Placements for which no provider is returned: temporary ones and those of no other kind."""

T4_NEEDS_A_PROVIDER = 2026
"""First census year in which T4 is no longer among them."""

OLD_FOSTER_CODES = ("Q1", "Q2")
"""Placement codes that were replaced; they stand in returns up to census year 2016."""


def lac_episode_rules(rule_data: RuleData) -> tuple[RowRule, ...]:
    """Returns the rules of silver.lac_episodes."""
    return (
        *child_id_rules(None),
        *key_day_rules("care_episode_start_date", "The start of the episode", dfe="141", dfe_after="354"),
        *event_day_rules("care_episode_end_date", "The end of the episode", dfe="147", dfe_after=None),
        field(
            "end_before_start",
            "356",
            F.col("care_episode_end_date") < F.col("care_episode_start_date"),
            "Ended before it started",
            unknown="care_episode_end_date",
        ),
        *_code_rules(rule_data),
        *_own_rules(),
        *_order_rules(),
    )


def _code_rules(rule_data: RuleData) -> tuple[RowRule, ...]:
    old_foster = F.col("placement_code").isin(*OLD_FOSTER_CODES) & (F.col("census_year") < CODE_SETS_BEGIN)
    deciding = {
        "reason_new_episode": ("143", rule_data.unknown("ssda903.episodes.RNE", "reason_new_episode")),
        "legal_status": ("144", rule_data.unknown("ssda903.episodes.LS", "legal_status")),
        "placement_code": ("146", rule_data.unknown("ssda903.episodes.PLACE", "placement_code") & ~old_foster),
    }
    others = {
        "category_of_need": ("145", rule_data.unknown("ssda903.episodes.CIN", "category_of_need")),
        "reason_episode_ceased": ("149", rule_data.unknown("ssda903.episodes.REC", "reason_episode_ceased")),
        "placement_provider": ("178", rule_data.unknown("ssda903.episodes.PLACE_PROVIDER", "placement_provider")),
    }
    always_given = ("reason_new_episode", "legal_status", "placement_code", "category_of_need")
    return (
        no_code_rule("reason_episode_ceased", rule_data.of_no_year("ssda903.episodes.REC", "reason_episode_ceased")),
        *(rule for name, (dfe, fails) in deciding.items() for rule in deciding_code_rules(name, dfe, fails)),
        *(
            warning(f"{name}_unknown", dfe, fails, f"{name} is no code of that year")
            for name, (dfe, fails) in others.items()
        ),
        *(
            # DfE's rules of these numbers are about codes that are there.
            warning(f"{name}_missing", None, F.col(name).isNull(), f"{name} is missing")
            for name in always_given
        ),
    )


def _own_rules() -> tuple[RowRule, ...]:
    """Rules about one episode and its child."""
    start, end = F.col("care_episode_start_date"), F.col("care_episode_end_date")
    ended, has_reason = end.isNotNull(), F.col("reason_episode_ceased").isNotNull()
    unneeded = F.col("placement_code").isin(*WITHOUT_PROVIDER) & ~(
        (F.col("placement_code") == "T4") & (F.col("census_year") >= T4_NEEDS_A_PROVIDER)
    )
    return (
        warning(
            "provider_not_needed",
            "178",
            unneeded & F.col("placement_provider").isNotNull(),
            "A placement that has no provider, with a provider",
        ),
        warning(
            "no_header_row",
            "INT03",
            ~F.col("has_child") & F.col("child_id").isNotNull(),
            "The child is in no header row that could be used",
        ),
        warning(
            "end_or_reason_missing",
            "148",
            (ended != has_reason) & ~F.col("care_episode_end_date_unreadable"),
            "An end without a reason, or a reason without an end",
        ),
        warning("started_before_birth", "302", start < F.col("birth_date"), "Started before the child was born"),
        warning("ended_same_day", "355", start == end, "Ended the day it started"),
    )


def _order_rules() -> tuple[RowRule, ...]:
    """Rules about an episode and the child's episode before or after it, in this return or last year's."""
    start, is_first = F.col("care_episode_start_date"), F.col("is_first_dated")
    end_before, starts_care = F.col("end_before"), F.col("reason_new_episode") == "S"
    has_before = ~F.col("is_first_in_return")
    return (
        warning(
            "open_before_another",
            "142",
            (F.col("care_episode_end_date").isNull() | F.col("reason_episode_ceased").isNull())
            & ~F.col("is_last_in_return"),
            "No readable end, or no reason for it, though another episode has started",
        ),
        warning(
            "first_is_no_start",
            "357",
            is_first & (start >= first_day()) & ~starts_care & F.col("last_start_last_year").isNull(),
            "The first episode, begun in the return's year, is not a start of care",
        ),
        warning("no_continuation", "388", _no_continuation(), "The reason it ceased and the next episode disagree"),
        warning(
            "start_without_break",
            "431",
            starts_care & (start <= end_before),
            "A start of care on or before the day the episode before ended",
        ),
        warning(
            "no_start_after_leaving",
            "432",
            has_before & ~starts_care & (F.col("ceased_before") != "X1"),
            "The child had left care, and this is no start of care",
        ),
        warning(
            "continues_after_gap",
            "433",
            has_before & ~starts_care & ~end_before.eqNullSafe(start),
            "A continuation that does not begin the day the episode before ended, or that one has no readable end",
        ),
        *_change_rules(),
        warning("started_before_last_ended", "501", start < end_before, "Started before the episode before had ended"),
        warning(
            "not_last_years_open_episode",
            "502",
            is_first & ((start != F.col("first_open_last_year")) | (start != F.col("last_open_last_year"))),
            "Last year's return has an open episode that is not this year's first",
        ),
        warning(
            "not_in_last_years_return",
            "562",
            is_first
            & (start < first_day())
            & F.col("has_return_last_year")
            & ~start.eqNullSafe(F.col("last_start_last_year")),
            "Begun before the return's year, but last year's return ended with another episode, or has none of it",
        ),
    )


def _change_rules() -> tuple[RowRule, ...]:
    """Rules about what changed since the episode before, by the reason that it gives.

    Postcodes are not stored: a placement counts as unchanged (435, 436) where its code, provider and URN are known and
    the same. DfE's rule looks at the postcode too.
    """
    reason, has_before = F.col("reason_new_episode"), ~F.col("is_first_in_return")
    status_changed = ~F.col("legal_status").eqNullSafe(F.col("legal_status_before"))
    place = ("placement_code", "placement_provider", "urn")
    placement_changed = ~_all_of(F.col(name).eqNullSafe(F.col(f"{name}_before")) for name in place)
    placement_unchanged = _all_of(F.col(name) == F.col(f"{name}_before") for name in place)
    return (
        warning(
            "status_change_unseen",
            "434",
            has_before & (reason == "L") & (~status_changed | placement_changed),
            "A change of legal status alone that the episodes do not show",
        ),
        warning(
            "placement_change_unseen",
            "435",
            has_before & reason.isin("P", "T") & (status_changed | F.coalesce(placement_unchanged, F.lit(False))),
            "A change of placement alone, but the legal status changed, or the placement did not",
        ),
        warning(
            "both_changes_unseen",
            "436",
            has_before & reason.isin("B", "U") & (~status_changed | F.coalesce(placement_unchanged, F.lit(False))),
            "A change of placement and legal status, but one of them is the same",
        ),
    )


def _all_of(conditions: Iterable[Column]) -> Column:
    return reduce(Column.__and__, conditions)


def _no_continuation() -> Column:
    end, next_start = F.col("care_episode_end_date"), F.col("next_start")
    continues = F.col("reason_episode_ceased") == "X1"
    unfollowed = continues & F.coalesce(next_start != end, F.lit(True))
    return end.isNotNull() & (unfollowed | (~continues & (next_start == end)))
