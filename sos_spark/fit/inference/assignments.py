"""The ways a set of labels can fall on the LAs: drawn at random, or every one of them when they are few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import factorial, prod

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Assignments:
    """Permutations of labels over LAs, apart within each stratum.

    All distinct assignments are used, the actual one among them, when they are no more than asked for. Draws are a
    function of the labels, the strata, the number and the seed. Shapes: labels (G,) and strata (G,), small integers.
    """

    labels: Ints
    strata: Ints
    asked: int
    seed: int

    @classmethod
    def of(
        cls, labels: Sequence[int] | Ints, *, strata: Sequence[int] | Ints | None = None, permutations: int, seed: int
    ) -> Assignments:
        """Returns the permutations of these labels; without strata, over all LAs."""
        held = np.asarray(labels, dtype=np.int64)
        return cls(held, np.zeros_like(held) if strata is None else np.asarray(strata, np.int64), permutations, seed)

    @property
    def n_distinct(self) -> int:
        """The number of distinct assignments: a product of multinomial coefficients."""
        return prod(
            factorial(int(np.count_nonzero(mine))) // prod(factorial(int(n)) for n in np.unique_counts(own).counts)
            for mine, own in self._by_stratum()
        )

    @property
    def enumerated(self) -> bool:
        """Whether every distinct assignment is used once."""
        return self.n_distinct <= self.asked

    @property
    def n(self) -> int:
        """The number of assignments `batches` yields altogether."""
        return self.n_distinct if self.enumerated else self.asked

    def batches(self, *, size: int) -> Iterator[Ints]:
        """Yields the assignments, (at most size, G) at a time."""
        if self.enumerated:
            yield from self._all(size)
            return
        random = np.random.default_rng(self.seed)
        for start in range(0, self.asked, size):
            rows = min(size, self.asked - start)
            drawn = np.empty((rows, len(self.labels)), dtype=np.int64)
            for mine, own in self._by_stratum():
                drawn[:, mine] = random.permuted(np.broadcast_to(own, (rows, len(own))), axis=1)
            yield drawn

    def p_value(self, n_as_extreme: int) -> float:
        """Returns (1 + count) / (1 + permutations), or count / number when all assignments were seen."""
        return n_as_extreme / self.n if self.enumerated else (1 + n_as_extreme) / (1 + self.n)

    def _by_stratum(self) -> list[tuple[npt.NDArray[np.bool_], Ints]]:
        masks = [self.strata == stratum for stratum in np.unique(self.strata)]
        return [(mask, self.labels[mask]) for mask in masks]

    def _all(self, size: int) -> Iterator[Ints]:
        parts = self._by_stratum()
        places = np.concatenate([np.flatnonzero(mask) for mask, _ in parts])
        whole = product(*(list(_arrangements(own.tolist())) for _, own in parts))
        while chunk := list(islice(whole, size)):
            arranged = np.empty((len(chunk), len(places)), dtype=np.int64)
            arranged[:, places] = [sum(row, ()) for row in chunk]
            yield arranged


def _arrangements(labels: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yields every distinct order of the labels, in lexicographic order."""
    row = sorted(labels)
    while True:
        yield tuple(row)
        rise = next((i for i in range(len(row) - 2, -1, -1) if row[i] < row[i + 1]), None)
        if rise is None:
            return
        swap = next(j for j in range(len(row) - 1, rise, -1) if row[j] > row[rise])
        row[rise], row[swap] = row[swap], row[rise]
        row[rise + 1 :] = row[:rise:-1]
