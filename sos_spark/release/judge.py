"""The judgement of an outcome's counts: what is hidden, by which rule, and what the attack finds.

In order: what a count is alone, dominance of an amount among it; what two counts of nearly the same children tell by
their difference; rounding; and what must be hidden besides, which ends when an attack finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sos_spark.config.disclosure import Counts, Profile
from sos_spark.release.attack import Attacker
from sos_spark.release.counts import ANY, EVENT, OTHER, OutcomeCounts, total_of
from sos_spark.release.dominance import is_dominated
from sos_spark.release.linked import Box, Count, groups_of, nested_differences
from sos_spark.release.rounding import round_controlled, windows
from sos_spark.release.suppress import Linked, information, suppress

Rule = Literal["threshold", "all or none", "difference", "dominance", "secondary", ""]
Key = tuple[Box, ...]


@dataclass(frozen=True)
class Verdict:
    """What was decided of a count.

    Attributes:
        value: The count itself: for the checker only.
        shown: What may be published; None: hidden.
        low: The least that what is published allows it to have been; the attack's for a hidden count.
        high: The same, the greatest.
        rule: Why it is hidden; blank where it is shown.
        reason: The same in words.
    """

    value: int
    shown: int | None
    low: float
    high: float
    rule: Rule = ""
    reason: str = ""


@dataclass(frozen=True)
class Judgement:
    """The verdicts on an outcome's counts by set, and how the least was found."""

    verdicts: Mapping[Key, Verdict]
    lost: float
    least: bool
    attacks: int

    def of(self, count: Count) -> Verdict:
        """Returns the verdict on a count."""
        return self.verdicts[key_of(count)]


def key_of(count: Count) -> Key:
    """Returns what a count is a count of: its boxes in an order that does not depend on how it was named."""
    return tuple(sorted(count.boxes, key=lambda box: [sorted(part) for part in (box.units, box.months, box.sides)]))


def judge(
    outcome: OutcomeCounts, profile: Profile, *, beside: Iterable[tuple[OutcomeCounts, Judgement]] = ()
) -> Judgement:
    """Returns the judgement on an outcome's counts, without regard to earlier releases.

    `beside`: the outcomes of the same entity that were judged before, and the verdicts on them: what they show of
    nearly the same children.
    """
    counts = list({key_of(count): count for count in outcome.counts()}.values())
    values = np.array([count.value for count in counts], dtype=np.int64)
    reasons = _alone(outcome, profile)
    for key, reason in _by_difference(outcome, counts, profile.counts, beside).items():
        reasons.setdefault(key, reason)
    sensitive = np.array([key_of(count) in reasons for count in counts], dtype=bool)
    groups = groups_of(counts)
    rounded = round_controlled(groups.members, values, profile.counts.round_to, above=profile.counts.hide_up_to)
    lower, upper = windows(
        rounded, profile.counts.round_to, hide_up_to=profile.counts.hide_up_to,
        zero_is_shown=not profile.counts.hide_zero,
    )  # fmt: skip
    differences, left = nested_differences(groups.members, values)
    sizes = [*left, *(total_of(outcome.known, parts) for parts in groups.parts)]
    targets = np.vstack([differences, np.eye(groups.members.shape[1])])
    small = [place for place, size in enumerate(sizes) if size is not None and 1 <= size <= profile.counts.hide_up_to]
    linked = Linked(
        members=groups.members, lower=lower, upper=upper, weights=information(values.astype(float)),
        sensitive=sensitive, fixed=np.zeros(len(counts), dtype=bool), targets=targets[small],
        width=profile.counts.width,
    )  # fmt: skip
    found = suppress(linked)
    hidden = np.flatnonzero(found.hidden)
    seen = Attacker(linked.members[~found.hidden], lower[~found.hidden], upper[~found.hidden])
    intervals = dict(zip(hidden.tolist(), seen.intervals(linked.members[hidden]), strict=True)) if len(hidden) else {}
    verdicts = {}
    for place, count in enumerate(counts):
        key = key_of(count)
        if found.hidden[place]:
            rule, why = reasons.get(key, ("secondary", "else a hidden count could be worked out from it"))
            at = intervals[place]
            verdicts[key] = Verdict(count.value, None, at.low, at.high, rule, why)
        else:
            shown = int(rounded.values[place])
            verdicts[key] = Verdict(count.value, shown, float(lower[place]), float(upper[place]))
    return Judgement(verdicts, found.lost, found.least, found.rounds)


def _alone(outcome: OutcomeCounts, profile: Profile) -> dict[Key, tuple[Rule, str]]:
    """What is hidden for what it is: a small count, everyone or no one of a group, an amount that few make up."""
    counts = profile.counts
    hidden: dict[Key, tuple[Rule, str]] = {}
    for row in outcome.rows:
        for count in (row.n, row.events):
            if count is not None and counts.is_sensitive(count.value):
                hidden[key_of(count)] = ("threshold", f"1 to {counts.hide_up_to}" if count.value else "zero")
        if row.events is not None:
            rest = row.n.value - row.events.value
            if counts.is_sensitive(rest):
                hidden.setdefault(key_of(row.events), ("threshold", "so few had no event"))
            if counts.hide_all_or_none and row.n.value and rest in (0, row.n.value):
                hidden.setdefault(key_of(row.events), ("all or none", "everyone or no one had the event"))
        if row.amount is not None and is_dominated(row.n.value, *row.amount, rule=profile.magnitudes):
            hidden.setdefault(key_of(row.n), ("dominance", "one or two may make up most of the sum"))
    return hidden


def _by_difference(
    outcome: OutcomeCounts,
    counts: Sequence[Count],
    rule: Counts,
    beside: Iterable[tuple[OutcomeCounts, Judgement]],
) -> dict[Key, tuple[Rule, str]]:
    """Counts that differ by few from a shown one of the same authorities and months: that many are the difference."""
    hidden: dict[Key, tuple[Rule, str]] = {}
    spread = rule.round_to - 1
    for before, judgement in beside:
        verdicts, name, event = judgement.verdicts, before.outcome_id, before.universe.event
        shown = {everyone_in(key, event): verdict for key, verdict in verdicts.items() if verdict.shown is not None}
        for count in counts:
            other = shown.get(everyone_in(key_of(count), outcome.universe.event))
            if other is not None and few_between(
                count.value - spread, count.value + spread, other.low, other.high, rule
            ):
                hidden[key_of(count)] = ("difference", f"differs by few from the same count of {name}")
    return hidden


def everyone_in(key: Key, event: str) -> tuple[tuple[frozenset[str], frozenset[str], frozenset[str]], ...]:
    """Returns whose months a count is of, and of which side: everyone, or an event of that name."""
    names = {
        frozenset({EVENT, OTHER}): frozenset({ANY}),
        frozenset({EVENT}): frozenset({f"{EVENT} {event}"}),
    }
    return tuple((box.units, box.months, names.get(box.sides, box.sides)) for box in key)


def few_between(low: float, high: float, other_low: float, other_high: float, rule: Counts) -> bool:
    """Returns whether what is published of two counts tells that they differ, by few, and closely by how many."""
    least = max(0.0, low - other_high, other_low - high)
    most = max(high - other_low, other_high - low)
    return 1 <= least <= rule.hide_up_to and most - least < rule.width
