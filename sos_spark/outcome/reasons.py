"""Why an index row is not analysed: every reason, in order of precedence. A row has the first that holds.

The order is that of the flow: first what the study's design leaves out, then what was not observed, then what the
outcome itself cannot say. So 'eligible' is a row without a reason of the first two stages, and none of the later
reasons hides an earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Stage = Literal["window", "population", "follow_up", "outcome", "covariates"]


@dataclass(frozen=True)
class Reason:
    """A reason, the stage of the flow at which it takes a row out, and its meaning for a reader."""

    name: str
    stage: Stage
    meaning: str


REASONS = (
    Reason("outside_window", "window", "index date before the baseline or after the follow-up"),
    Reason("between_windows", "window", "index date between the baseline and the follow-up"),
    Reason(
        "before_single_assessment", "window", "assessment begun before the single assessment was returned (2014/15)"
    ),
    Reason("transition_dropped", "window", "period that contains the unit's go-live, dropped by the study"),
    Reason("age_unknown", "population", "age on the index date not known"),
    Reason("age_out_of_range", "population", "age on the index date outside the study's range"),
    Reason("before_first_return", "follow_up", "index date before the authority's first observed day"),
    Reason(
        "unit_incomplete", "follow_up", "a return of the unit for that year is missing, empty or mostly quarantined"
    ),
    Reason("not_fully_observed", "follow_up", "window not observed to its last day"),
    Reason("quarantined_record", "follow_up", "a record of the child that could not be read could lie in the window"),
    Reason("field_unreadable", "outcome", "a field that the outcome is read from could not be used"),
    Reason("placement_unknown", "outcome", "no placement known that is not temporary"),
    Reason("not_in_denominator", "outcome", "placement outside the study's denominator"),
    Reason("not_rereferred", "outcome", "not re-referred, where the outcome is conditional on it"),
    Reason("open_after_window", "outcome", "still open on the last day observed"),
    Reason("covariate_missing", "covariates", "a covariate of the study is not known (found when collapsed)"),
)
ANALYSED = "analysed"
PRECEDENCE = tuple(reason.name for reason in REASONS)

PUBLISHED_REASONS = (
    Reason("before_measure", "window", "year before the published count meant what it does now"),
    Reason("no_authority", "population", "none of the unit's authorities existed that year"),
    Reason("none_counted", "population", "nobody was counted in the denominator"),
    Reason("unavailable", "follow_up", "no published count, as of a return that was not made"),
    Reason("suppressed", "outcome", "a published count is suppressed"),
)
"""Why a unit's year of a published measure is not analysed."""

_OUTSIDE_THE_ESTIMAND = frozenset({"not_in_denominator", "not_rereferred"})
_KNOWN_REASONS = {reason.name: reason for reason in (*REASONS, *PUBLISHED_REASONS)}


def meaning_of(reason: str) -> str | None:
    """Returns what a reason means; None for one that is none of ours."""
    known = _KNOWN_REASONS.get(reason)
    return known.meaning if known else None


def is_eligibility(reason: str) -> bool:
    """Returns whether a reason is one of window or population, so that the row is not eligible."""
    return reason in _KNOWN_REASONS and _KNOWN_REASONS[reason].stage in ("window", "population")


def is_unknown(reason: str) -> bool:
    """Returns whether a row with the reason belongs to the estimand and lacks its outcome, or a covariate."""
    return not (reason == ANALYSED or is_eligibility(reason) or reason in _OUTSIDE_THE_ESTIMAND)
