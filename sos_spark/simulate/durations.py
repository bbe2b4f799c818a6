"""Lengths of assessments in working days, and the two effects that can be planted in them.

An effect on the length shifts it by whole days, rounded at random so that the mean moves by the size asked. A negative
one leaves the short ones alone and shifts the others by more, so that no length falls below zero. An effect on the
share within 45 days moves lengths across the 45th day and nothing else: out of the tail into days 41 to 45, or from
these into the tail. Both are views of one length, so that each effect shows in the other outcome: the expectations are
computed from the probabilities of every length, and the truth file gives both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sos_spark.simulate.draws import Draws, Flags, Floats, Ints

STATUTORY_DAYS = 45
_SPIKE_FROM = 41
_SPIKE = STATUTORY_DAYS - _SPIKE_FROM + 1


@dataclass(frozen=True)
class Lengths:
    """Lengths drawn, and the change of both expectations that effects made, a value a row."""

    days: Ints
    mean_change: Floats
    within_change: Floats
    is_cut: Flags


def draw_lengths(
    draws: Draws, name: str, numbers: Ints, chances: Floats, years: Ints, *, longer: Floats, within: Floats
) -> Lengths:
    """Draws lengths from `chances[years]` (probabilities of days 0 to 160) and applies effects.

    `longer` is the effect on the length in working days, `within` the one on the share within 45, a value a row. A row
    is cut where its group has not the lengths to make the effect from.
    """
    days = np.empty(len(numbers), dtype=np.int64)
    mean_change, within_change = np.zeros(len(numbers)), np.zeros(len(numbers))
    is_cut = np.zeros(len(numbers), dtype=bool)
    u_length, u_round = draws.uniform(f"{name}/length", numbers), draws.uniform(f"{name}/round", numbers)
    u_move, u_to = draws.uniform(f"{name}/move", numbers), draws.uniform(f"{name}/move_to", numbers)
    for rows in _alike(years, longer, within):
        before, shift, points = chances[years[rows[0]]], float(longer[rows[0]]), float(within[rows[0]])
        drawn = np.searchsorted(np.cumsum(before)[:-1], u_length[rows], side="right")
        after, drawn, shift_cut = _shift(before, drawn, shift, u_round[rows])
        after, drawn, move_cut = _move(after, drawn, points, u_move[rows], u_to[rows])
        days[rows] = drawn
        mean_change[rows] = _mean(after) - _mean(before)
        within_change[rows] = after[: STATUTORY_DAYS + 1].sum() - before[: STATUTORY_DAYS + 1].sum()
        is_cut[rows] = shift_cut or move_cut
    return Lengths(days, mean_change, within_change, is_cut)


def _alike(years: Ints, longer: Floats, within: Floats) -> Iterator[Ints]:
    """Yields the positions of rows that share a year and both effects."""
    key = years.astype(np.int64)
    for sizes in (longer, within):
        values, position = np.unique(sizes, return_inverse=True)
        key = key * len(values) + position
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order])) + 1
    yield from (rows for rows in np.split(order, starts) if rows.size)


def _mean(chances: Floats) -> float:
    return float(chances @ np.arange(len(chances)))


def _shift(chances: Floats, drawn: Ints, shift: float, u_round: Floats) -> tuple[Floats, Ints, bool]:
    """Moves lengths of at least twice the shift by the shift over their share; all of them where it is positive."""
    if shift == 0:
        return chances, drawn, False
    lowest = 0 if shift > 0 else int(np.ceil(2 * -shift))
    share = float(chances[lowest:].sum())
    step = shift / share if share > 0 else 0.0
    cut = share < 0.5 or -step > lowest
    if cut:
        step = 0.0
    whole = int(np.floor(step))
    part = step - whole
    moved = np.where(drawn >= lowest, drawn + whole + (u_round < part), drawn)
    after = np.zeros(len(chances) + max(whole + 1, 0))
    after[:lowest] += chances[:lowest]
    for days, weight in ((whole, 1 - part), (whole + 1, part)):
        if weight > 0:
            after[lowest + days : len(chances) + days] += weight * chances[lowest:]
    return after, moved, cut


def _move(chances: Floats, drawn: Ints, points: float, u_move: Floats, u_to: Floats) -> tuple[Floats, Ints, bool]:
    """Moves lengths across the 45th day: inwards where points is positive, outwards where it is negative."""
    if points == 0:
        return chances, drawn, False
    days = np.arange(len(chances))
    source = days > STATUTORY_DAYS if points > 0 else (days >= _SPIKE_FROM) & (days <= STATUTORY_DAYS)
    target_from = _SPIKE_FROM if points > 0 else STATUTORY_DAYS + 1
    available = float(chances[source].sum())
    cut = available < abs(points)
    chance = 1.0 if cut else abs(points) / available
    moves = source[drawn] & (u_move < chance)
    moved = np.where(moves, target_from + (u_to * _SPIKE).astype(np.int64), drawn)
    after = chances - chance * chances * source
    after[target_from : target_from + _SPIKE] += chance * available / _SPIKE
    return after, moved, cut
