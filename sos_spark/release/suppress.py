"""Which further counts to hide, so that no hidden one can be worked out, with the least information lost.

Cell suppression as a master problem over what to hide and the attack as its oracle (Fischetti and Salazar-Gonzalez,
2001, Management Science 47): whatever the attacker can still narrow down gives an inequality, which says what of all
that is published the attack rests on; the master then hides the least that breaks every attack met so far. It ends when
the attack finds nothing, so what it returns has been attacked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from sos_spark.release.attack import Attacker, Interval, narrow
from sos_spark.release.linked import Members

MOST_MASTERS = 40
"""After so many the least loss is given up, not the protection: the cheapest choice that withstood all is taken."""
_MASTER_SECONDS = 5.0
_SAME = 1e-9


@dataclass(frozen=True)
class Linked:
    """Linked counts to protect.

    Attributes:
        members: Shape (counts, groups).
        lower: For each count, the least that its published form allows; the count itself where it is exact.
        upper: The same, the greatest.
        weights: What is lost when a count is hidden.
        sensitive: Counts that must be hidden for what they are.
        fixed: Counts that are published whatever is decided here: an earlier release.
        targets: Shape (targets, groups): further sets that may not be narrowed down, published or not.
        width: How wide what a hidden count can have been must be.
    """

    members: Members
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    weights: NDArray[np.float64]
    sensitive: NDArray[np.bool_]
    fixed: NDArray[np.bool_]
    targets: Members
    width: int


@dataclass(frozen=True)
class Suppression:
    """What to hide.

    Attributes:
        hidden: Shape (counts,).
        lost: The sum of the weights of what is hidden.
        least: Whether no other choice loses less.
        rounds: How many attacks were met.
        exposed: Targets that stay narrow whatever is hidden: rows of `members`, then of `targets`.
    """

    hidden: NDArray[np.bool_]
    lost: float
    least: bool
    rounds: int
    exposed: tuple[int, ...]


def information(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns what is lost when counts are hidden: bits of them, so that a margin is dearer than one of its parts."""
    return 1.0 + np.log2(1.0 + values)


def suppress(linked: Linked) -> Suppression:
    """Returns the least that must be hidden, found by attack after attack.

    From what the master hides, the cheapest count of every attack is hidden until none succeeds: a choice that
    protects. The master's next choice costs no more than any that does; where it costs as much, there is no better.
    """
    attacks = _Attacks(linked)
    hidden, bound = linked.sensitive & ~linked.fixed, 0.0
    best, least, masters = None, False, 0
    while True:
        hidden = attacks.withstood_by(hidden)
        lost = float(linked.weights[hidden].sum())
        if best is None or lost < linked.weights[best].sum() - _SAME:
            best = hidden
        if not attacks.rows:
            least = True
            break
        masters += 1
        hidden, proven = attacks.cheapest()
        bound = float(linked.weights[hidden].sum())
        if not proven or masters == MOST_MASTERS:
            break
        if bound >= linked.weights[best].sum() - _SAME:
            least = True
            break
    lost = float(linked.weights[best].sum())
    return Suppression(best, lost, least, attacks.rounds, tuple(sorted(attacks.hopeless)))


class _Attacks:
    """The attacks met so far, each an inequality over what is hidden; `hopeless`: targets that nothing protects."""

    def __init__(self, linked: Linked) -> None:
        self.linked = linked
        self.rows: list[NDArray[np.float64]] = []
        self.floors: list[float] = []
        self.hopeless: set[int] = set()
        self.rounds = 0

    def withstood_by(self, hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Returns what is hidden and more, until no attack succeeds but on what is hopeless."""
        while True:
            self.rounds += 1
            new = len(self.rows)
            for place, interval in _exposed_by(self.linked, hidden, self.hopeless).items():
                cut = _cut(self.linked, hidden, place, interval)
                if cut is None:
                    self.hopeless.add(place)
                else:
                    self.rows.append(cut[0])
                    self.floors.append(cut[1])
            if len(self.rows) == new:
                return hidden
            hidden = self._broken(hidden, new)

    def _broken(self, hidden: NDArray[np.bool_], new: int) -> NDArray[np.bool_]:
        """Hides the cheapest counts of each attack from the `new`-th on, for what they add, until it fails."""
        hidden = hidden.copy()
        for row, floor in zip(self.rows[new:], self.floors[new:], strict=True):
            while row @ hidden < floor - _SAME:
                price = np.where((row > 0) & ~hidden, self.linked.weights / np.maximum(row, _SAME), np.inf)
                hidden[int(price.argmin())] = True
        return hidden

    def cheapest(self) -> tuple[NDArray[np.bool_], bool]:
        """Returns the cheapest choice that breaks every attack met, and whether it is proven to be."""
        must = (self.linked.sensitive & ~self.linked.fixed).astype(float)
        may = (~self.linked.fixed).astype(float)
        found = milp(
            self.linked.weights,
            constraints=LinearConstraint(np.array(self.rows), np.array(self.floors) - _SAME, np.inf),
            integrality=np.ones(len(must)),
            bounds=Bounds(must, may),
            options={"time_limit": _MASTER_SECONDS, "mip_rel_gap": 1e-6},
        )
        return (may.astype(bool), False) if found.x is None else (found.x > 0.5, found.status == 0)


def exposed_by(linked: Linked, hidden: NDArray[np.bool_]) -> dict[int, Interval]:
    """Returns the sets that an attacker narrows down when these counts are hidden and all others published.

    Keys are rows of `members`, of hidden counts only, then of `targets`.
    """
    return _exposed_by(linked, hidden, set())


def _exposed_by(linked: Linked, hidden: NDArray[np.bool_], known: set[int]) -> dict[int, Interval]:
    attacker = Attacker(linked.members[~hidden], linked.lower[~hidden], linked.upper[~hidden])
    targets = np.vstack([linked.members, linked.targets])
    n_counts = len(linked.members)
    wanted = [int(place) for place in np.flatnonzero(hidden)] + list(range(n_counts, len(targets)))
    return narrow(attacker, targets, linked.width, least=[place for place in wanted if place not in known])


def _cut(
    linked: Linked, hidden: NDArray[np.bool_], place: int, interval: Interval
) -> tuple[NDArray[np.float64], float] | None:
    """An inequality over what is hidden that every protection of a target meets; None where nothing protects it."""
    deficit = linked.width - interval.relaxed
    gains = np.zeros(len(hidden))
    if interval.gains is not None:
        gains[~hidden] = interval.gains
    gains[linked.fixed] = 0.0
    if deficit > 1e-6:
        row = np.minimum(gains, deficit)
        floor = deficit
    else:  # wide enough, but not over whole tables: something the programs rest on must go, or else anything
        row = (gains > 0).astype(float) if _tight(interval) else (~hidden & ~linked.fixed).astype(float)
        floor = 1.0
    if row.sum() < floor - _SAME:
        return None
    if place < len(hidden) and not linked.sensitive[place]:
        row = row.copy()
        row[place] -= floor  # it binds only as long as this count is itself hidden
        floor = 0.0
    return row, floor


def _tight(interval: Interval) -> bool:
    """Returns whether rounding the linear bounds inwards already gives the whole ones."""
    return math.isfinite(interval.high) and interval.relaxed - interval.width < 2 - 1e-6
