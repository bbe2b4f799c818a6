"""Counts that are linked: each is the sum over a set of groups of children, and the sets overlap.

A margin, a second table over the same children, an earlier release: all are further sums over the same finest groups.
So nothing has to be declared as a margin of anything: what follows from what, and what the difference between two
published counts is, are read off the sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Members = NDArray[np.float64]
"""Shape (counts, groups); 1 where a count includes a group, else 0."""


@dataclass(frozen=True)
class Box:
    """Children of any of these units, in any of these months, on any of these sides of the outcome."""

    units: frozenset[str]
    months: frozenset[str]
    sides: frozenset[str]


@dataclass(frozen=True)
class Count:
    """A count that is, or was, to be published. `key` names it for the checker; boxes do not overlap each other."""

    key: str
    boxes: tuple[Box, ...]
    value: int


@dataclass(frozen=True)
class Groups:
    """The finest groups that sets of counts can tell apart.

    Attributes:
        members: Shape (counts, groups).
        parts: What each group holds, as boxes that do not overlap.
    """

    members: Members
    parts: tuple[tuple[Box, ...], ...]


def groups_of(counts: Sequence[Count]) -> Groups:
    """Returns the groups that these counts tell apart: children of one are in the same counts."""
    boxes = [(place, box) for place, count in enumerate(counts) for box in count.boxes]
    classes = [_classes([getattr(box, side) for _, box in boxes]) for side in ("units", "months", "sides")]
    cells: dict[tuple[int, ...], list[Box]] = {}
    for units, in_units in classes[0]:
        for months, in_months in classes[1]:
            for sides, in_sides in classes[2]:
                inside = in_units & in_months & in_sides
                signature = tuple(sorted({boxes[place][0] for place in np.flatnonzero(inside)}))
                if signature:
                    cells.setdefault(signature, []).append(Box(units, months, sides))
    members = np.zeros((len(counts), len(cells)))
    for column, signature in enumerate(cells):
        members[list(signature), column] = 1.0
    return Groups(members, tuple(map(tuple, cells.values())))


def _classes(sets: Sequence[frozenset[str]]) -> list[tuple[frozenset[str], NDArray[np.bool_]]]:
    """Labels that every set treats alike, and for each class which sets have it."""
    alike: dict[bytes, list[str]] = {}
    for label in sorted(frozenset().union(*sets)):
        alike.setdefault(np.array([label in one for one in sets]).tobytes(), []).append(label)
    return [(frozenset(labels), np.frombuffer(pattern, dtype=np.bool_)) for pattern, labels in alike.items()]


def nested_differences(members: Members, values: NDArray[np.int64]) -> tuple[Members, list[int]]:
    """Returns what is left of a count when one that lies within it is taken away: each such set once, and its value.

    The two together tell it whether or not any table holds it.
    """
    inner = members @ members.T == members.sum(axis=1)[None, :]  # [a, b]: b lies within a
    seen = {row.tobytes() for row in members}
    sets: list[NDArray[np.float64]] = []
    left: list[int] = []
    for outer, within in zip(*np.nonzero(inner), strict=True):
        rest = members[outer] - members[within]
        if rest.any() and rest.tobytes() not in seen:
            seen.add(rest.tobytes())
            sets.append(rest)
            left.append(int(values[outer] - values[within]))
    return (np.array(sets) if sets else np.zeros((0, members.shape[1]))), left
