"""The attacker: what a hidden count can have been, given everything that is published.

He knows every published count, or its window where it is rounded, and that no group has fewer than no children. What a
hidden count can have been is then the least and the greatest value of its set over all tables that agree with what is
published: two linear programs (HiGHS), and two integer ones where a linear optimum is no whole table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from sos_spark.release.linked import Members

_WHOLE = 1e-6
"""How far from a whole number a solver's value may lie and still be that number."""
_COLUMNS_AT_ONCE = 4000
"""Of the blocks that are solved in one call."""


@dataclass(frozen=True)
class Interval:
    """What a count can have been: whole numbers, `high` infinite where nothing bounds it.

    Attributes:
        low: The least.
        high: The greatest.
        relaxed: The width of the interval of the linear programs, at least high - low.
        gains: For each published row, by how much at most the width grows if the row is hidden: inf where without
            limit. None where the interval is without limit already.
    """

    low: float
    high: float
    relaxed: float
    gains: NDArray[np.float64] | None

    @property
    def width(self) -> float:
        """How far apart the greatest and the least are."""
        return self.high - self.low


@dataclass(frozen=True)
class _Optimum:
    """A linear program's optimum: its value, a table that attains it, and each published row's multiplier."""

    value: float
    table: NDArray[np.float64]
    multipliers: NDArray[np.float64]


class Attacker:
    """Knows published sums over groups: shapes (rows, groups), (rows,), (rows,); rows with lower = upper are exact."""

    def __init__(self, members: Members, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> None:
        self._members, self._lower, self._upper = members, lower, upper
        self._exact = lower == upper
        self._covered = members.any(axis=0) if len(members) else np.zeros(members.shape[1], dtype=bool)
        window = members[~self._exact]
        self._ub = np.vstack([window, -window]) if len(window) else None
        self._b_ub = np.concatenate([upper[~self._exact], -lower[~self._exact]]) if len(window) else None
        self._eq = members[self._exact] if self._exact.any() else None
        self._b_eq = lower[self._exact] if self._exact.any() else None
        self.tables: list[NDArray[np.float64]] = []
        """Whole tables met on the way that agree with what is published."""

    def intervals(self, targets: Members) -> list[Interval]:
        """Returns what the sum over each of some sets of groups can have been.

        Raises:
            ValueError: No table agrees with what is published.
        """
        endless: NDArray[np.bool_] = np.any(targets[:, ~self._covered] > 0, axis=1)
        least = self._least(np.concatenate([targets, -targets[~endless]]))
        tops = iter(least[len(targets) :])
        return [
            self._interval(target, low, None if open_ended else next(tops))
            for target, low, open_ended in zip(targets, least, endless.tolist(), strict=False)
        ]

    def _interval(self, target: NDArray[np.float64], low: _Optimum, top: _Optimum | None) -> Interval:
        whole_low = self._whole(target, low)
        if top is None:
            return Interval(whole_low, math.inf, math.inf, None)
        gains = self._gains(low.multipliers) + self._gains(top.multipliers)
        return Interval(whole_low, -self._whole(-target, top), -top.value - low.value, gains)

    def _least(self, objectives: NDArray[np.float64]) -> list[_Optimum]:
        """The least value of each objective over all tables that agree, not only whole ones.

        One program of independent blocks: calling the solver costs more than a small program does.
        """
        copies = sparse.eye_array(len(objectives), format="csr")
        ub = None if self._ub is None else sparse.kron(copies, self._ub, format="csc")
        eq = None if self._eq is None else sparse.kron(copies, self._eq, format="csc")
        found = linprog(
            objectives.ravel(),
            A_ub=ub,
            b_ub=None if self._b_ub is None else np.tile(self._b_ub, len(objectives)),
            A_eq=eq,
            b_eq=None if self._b_eq is None else np.tile(self._b_eq, len(objectives)),
            method="highs",
        )
        if found.status != 0:
            raise ValueError("no table agrees with what is published")
        tables = found.x.reshape(objectives.shape)
        rows = np.zeros((len(objectives), len(self._members)))
        if eq is not None:
            rows[:, self._exact] = found.eqlin.marginals.reshape(len(objectives), -1)
        if ub is not None:
            upper, lower = np.split(found.ineqlin.marginals.reshape(len(objectives), -1), 2, axis=1)
            rows[:, ~self._exact] = upper - lower
        values = (objectives * tables).sum(axis=1)
        return [_Optimum(float(value), *pair) for value, *pair in zip(values, tables, rows, strict=True)]

    def _gains(self, multipliers: NDArray[np.float64]) -> NDArray[np.float64]:
        """By how much a minimum can fall if a row is hidden: its sum is then anything from nothing to no limit.

        A minimum is the sum of multiplier times bound. A negative multiplier is of an upper bound, which goes; a
        positive one of a lower bound, which becomes zero.
        """
        firm = np.where(np.abs(multipliers) < 1e-9, 0.0, multipliers)
        return np.where(firm < 0, math.inf, firm * self._lower)

    def _whole(self, objective: NDArray[np.float64], relaxed: _Optimum) -> float:
        """The least value over tables of whole numbers: the relaxed one rounded up, where a table attains it."""
        table = np.round(relaxed.table)
        if objective @ table == _up(relaxed.value) and self._agrees(table):
            self.tables.append(table)
            return _up(relaxed.value)
        constraint = LinearConstraint(self._members, self._lower, self._upper)
        found = milp(objective, constraints=constraint, integrality=np.ones(len(objective)), bounds=Bounds(0, np.inf))
        if found.x is None:
            raise ValueError("no table agrees with what is published")
        self.tables.append(np.round(found.x))
        return float(round(found.fun))

    def _agrees(self, table: NDArray[np.float64]) -> bool:
        sums = self._members @ table
        return bool((sums >= self._lower - _WHOLE).all() and (sums <= self._upper + _WHOLE).all())


def _up(value: float) -> float:
    return float(math.ceil(value - _WHOLE))


def narrow(
    attacker: Attacker, targets: Members, width: int, *, least: Sequence[int] | None = None
) -> dict[int, Interval]:
    """Returns the targets whose interval spans less than a width, with it; `least`: only these rows are looked at.

    A table met on the way to one target's bounds is one that agrees with what is published, so it shows for every
    other target a value that it can have had: those it shows to be wide enough need no program of their own.
    """
    low, high = np.full(len(targets), math.inf), np.full(len(targets), -math.inf)
    waiting = list(range(len(targets)) if least is None else least)
    at_once = max(1, _COLUMNS_AT_ONCE // (2 * targets.shape[1] or 1))
    used, found = 0, {}
    while waiting:
        for table in attacker.tables[used:]:
            shown = targets @ table
            low, high = np.minimum(low, shown), np.maximum(high, shown)
        used = len(attacker.tables)
        waiting = [place for place in waiting if high[place] - low[place] < width]
        now, waiting = waiting[:at_once], waiting[at_once:]
        if now:
            intervals = attacker.intervals(targets[now])
            found.update({at: one for at, one in zip(now, intervals, strict=True) if one.width < width})
    return found
