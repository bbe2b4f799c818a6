"""Differencing: what this release and all earlier ones tell together that none tells alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sos_spark.config.disclosure import Counts, Profile
from sos_spark.errors import DisclosureError
from sos_spark.release.attack import Attacker, narrow
from sos_spark.release.counts import OutcomeCounts, total_of
from sos_spark.release.judge import Judgement, everyone_in, few_between, key_of
from sos_spark.release.ledger import Released
from sos_spark.release.linked import Box, Count, groups_of, nested_differences

_LEFT = "what is left of one count without another"
_GROUP = "a group that the counts of several tables single out"


@dataclass(frozen=True)
class Exposed:
    """What becomes known: in words, and the keys of this release's counts that it rests on, where known."""

    words: str
    keys: tuple[str, ...] = ()


def attack_with(
    outcome: OutcomeCounts, judgement: Judgement, earlier: Sequence[Released], profile: Profile
) -> list[Exposed]:
    """Returns what becomes known when an outcome's release stands beside earlier ones of the same entity.

    Earlier counts of the same universe that agree with today's data are further sums over the same children. One that
    does not agree was of other data: it, like a count of another universe, is set against the same count of today.

    Raises:
        DisclosureError: Earlier releases contradict each other or today's data, so that nothing can be said.
    """
    own = [one for one in earlier if one.universe == outcome.universe.digest]
    agreeing = [one for one in own if _agrees(one, outcome)]
    others = [one for one in earlier if one not in agreeing]
    return [
        *_nearly_the_same(outcome, judgement, others, profile.counts),
        *_singled_out(outcome, judgement, agreeing, profile),
    ]


def _agrees(one: Released, outcome: OutcomeCounts) -> bool:
    """Returns whether today's children in the boxes are as many as was said; more may lie outside today's cells."""
    if one.low is None or one.high is None:
        return True
    total = total_of(outcome.known, one.boxes)
    if total is None:
        return True
    return total <= one.high and (total >= one.low or not _covers(outcome, one.boxes))


def _covers(outcome: OutcomeCounts, boxes: Sequence[Box]) -> bool:
    units = {code for unit in outcome.known["unit_id"].unique() for code in str(unit).split("+")}
    months = frozenset().union(*outcome.known["months"])
    return all(box.units <= units and box.months <= months for box in boxes)


def _nearly_the_same(
    outcome: OutcomeCounts, judgement: Judgement, earlier: Sequence[Released], rule: Counts
) -> list[Exposed]:
    """Counts of the same authorities and months, of other data or defined otherwise, that differ by few."""
    before: dict[object, list[Released]] = {}
    for one in earlier:
        if not one.hidden:
            before.setdefault(everyone_in(key_of(Count(one.key, one.boxes, 0)), one.event), []).append(one)
    exposed = []
    for count in {key_of(count): count for count in outcome.counts()}.values():
        verdict = judgement.of(count)
        if verdict.shown is None:
            continue
        for one in before.get(everyone_in(key_of(count), outcome.universe.event), []):
            if few_between(verdict.low, verdict.high, one.low or 0, one.high or 0, rule):
                exposed.append(Exposed(f"differs by few from {in_words(one.key)} of an earlier release", (count.key,)))
                break
    return exposed


def _singled_out(
    outcome: OutcomeCounts, judgement: Judgement, agreeing: Sequence[Released], profile: Profile
) -> list[Exposed]:
    """Hidden counts, and small groups that no table shows, that all releases together narrow down."""
    counts = list({key_of(count): count for count in outcome.counts()}.values())
    verdicts = [judgement.of(count) for count in counts]
    before = [Count(one.key, one.boxes, 0) for one in agreeing]
    groups = groups_of([*counts, *before])
    hidden = np.array([*(one.shown is None for one in verdicts), *(one.hidden for one in agreeing)], dtype=bool)
    lower = np.array([*(one.low for one in verdicts), *(one.low or 0 for one in agreeing)], dtype=float)
    upper = np.array([*(one.high for one in verdicts), *(one.high or 0 for one in agreeing)], dtype=float)
    differences, _ = nested_differences(groups.members, np.zeros(len(hidden), dtype=np.int64))
    sizes = [total_of(outcome.known, parts) for parts in groups.parts]
    targets = np.vstack([groups.members, differences, np.eye(len(sizes))])
    small = profile.counts.hide_up_to
    wanted = [int(place) for place in np.flatnonzero(hidden)]
    wanted += [
        place for place in range(len(hidden), len(targets))
        if (size := _size(targets[place], sizes)) is None or 1 <= size <= small
    ]  # fmt: skip
    try:
        attacker = Attacker(groups.members[~hidden], lower[~hidden], upper[~hidden])
        found = narrow(attacker, targets, profile.counts.width, least=wanted)
    except ValueError:
        raise DisclosureError(
            "The releases in the ledger do not agree with each other or with this run",
            where=outcome.outcome_id,
            expected="earlier counts of the same children that today's data can have given",
            remedy="Check that the ledger is of this lake; if returns were corrected since, leave the tables that hold"
            " these counts out with --leave-out",
        ) from None
    names = [
        *(in_words(count.key) for count in counts),
        *(f"{in_words(one.key)} of an earlier release" for one in agreeing),
    ]
    exposed = []
    for place, interval in found.items():
        if place >= len(hidden) and (interval.high < 1 or interval.low > small):
            continue  # its size is not known here, and the attack shows it to be nothing or large
        if place < len(hidden):
            words = f"{names[place]}: hidden, and can be worked out"
        else:
            words = _LEFT if place < len(hidden) + len(differences) else _GROUP
        shared = (groups.members[: len(counts)] * targets[place]).any(axis=1) & ~hidden[: len(counts)]
        exposed.append(Exposed(words, tuple(counts[at].key for at in np.flatnonzero(shared))))
    return exposed


def in_words(key: str) -> str:
    """Returns a count's key as it is told: its table, then its place in it."""
    return key.replace("|", ", ")


def _size(target: NDArray[np.float64], sizes: Sequence[int | None]) -> int | None:
    """How many children a set holds; None where it is not known of one of its groups."""
    parts = [sizes[int(place)] for place in np.flatnonzero(target)]
    return None if any(part is None for part in parts) else sum(part or 0 for part in parts)
