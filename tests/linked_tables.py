"""Random linked tables for the tests of disclosure control, and what can be said of them by trying everything."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sos_spark.release.linked import nested_differences
from sos_spark.release.suppress import Linked, information

HIDE_UP_TO = 5
WIDTH = 5


def margins(shape: Sequence[int], over: Sequence[int] | None = None) -> NDArray[np.float64]:
    """The sets of a table and all its margins; `over`: the dimensions that the table has, of those the cells have."""
    dimensions = range(len(shape)) if over is None else over
    place = np.arange(int(np.prod(shape))).reshape(shape)
    choices = [[None, *range(size)] if d in dimensions else [None] for d, size in enumerate(shape)]
    rows = []
    for levels in itertools.product(*choices):
        row = np.zeros(place.size)
        row[place[tuple(slice(None) if level is None else level for level in levels)].ravel()] = 1.0
        rows.append(row)
    return np.array(rows)


def two_linked_tables(shape: Sequence[int]) -> NDArray[np.float64]:
    """The sets of A by B and of A by C: they share the margin A, and A by B by C is published nowhere."""
    return np.unique(np.vstack([margins(shape, (0, 1)), margins(shape, (0, 2))]), axis=0)


def linked(
    members: NDArray[np.float64], cells: NDArray[np.int64], *, hide_up_to: int = HIDE_UP_TO, width: int = WIDTH
) -> Linked:
    """The counts of tables, to protect: the small ones, and small groups that no table shows but their difference."""
    values = (members @ cells).astype(np.int64)
    differences, left = nested_differences(members, values)
    kept = [place for place, value in enumerate(left) if 1 <= value <= hide_up_to]
    exact = values.astype(float)
    return Linked(
        members=members,
        lower=exact,
        upper=exact,
        weights=information(exact),
        sensitive=(values >= 1) & (values <= hide_up_to),
        fixed=np.zeros(len(values), dtype=bool),
        targets=differences[kept],
        width=width,
    )


def random_linked(rng: np.random.Generator, *, largest: int = 4) -> Linked:
    """A table of two or three dimensions with its margins, or two tables that overlap; counts small and large.

    `largest`: so many levels at most has a dimension of a flat table; one of the others has one fewer.
    """
    kind = rng.choice(["two", "three", "overlapping"], p=[0.8, 0.05, 0.15])
    n_dimensions, most = (2, largest) if kind == "two" else (3, largest - 1)
    shape = tuple(rng.integers(2, most + 1, size=n_dimensions))
    cells = rng.negative_binomial(rng.uniform(0.8, 3.0), rng.uniform(0.02, 0.1), size=int(np.prod(shape)))
    return linked(two_linked_tables(shape) if kind == "overlapping" else margins(shape), cells)


def every_table(
    members: NDArray[np.float64], values: NDArray[np.float64], published: NDArray[np.bool_], most: int
) -> Iterator[NDArray[np.int64]]:
    """Every table of whole numbers that agrees with what is published; no cell above `most`. By trying, not solving."""
    n_cells = members.shape[1]
    sets = [(np.flatnonzero(members[row]), values[row]) for row in np.flatnonzero(published)]

    def fill(cells: list[int]) -> Iterator[list[int]]:
        at = len(cells)
        for of, total in sets:
            so_far = sum(cells[i] for i in of if i < at)
            if so_far > total or (of[-1] < at and so_far != total):
                return
        if at == n_cells:
            yield cells
            return
        for value in range(most + 1):
            yield from fill([*cells, value])

    for found in fill([]):
        yield np.array(found)
