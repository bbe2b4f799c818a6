"""The sign vectors of the wild cluster bootstrap: one column a cluster, in the order of the sorted unit ids.

The draws are a function of (number of clusters, draws, seed, kind) alone and are made again whenever they are needed,
which is cheaper than to keep them: every test, interval and outcome that names the same four uses the same signs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]
SignKind = Literal["rademacher", "webb"]

_WEBB = np.array([-(1.5**0.5), -1.0, -(0.5**0.5), 0.5**0.5, 1.0, 1.5**0.5])
EIGHT_SIGNS = np.where(np.arange(256)[:, None] >> np.arange(8) & 1 == 1, -1.0, 1.0)
"""The signs that a byte stands for, (256, 8): bit j set means that sign j is -1."""
_FLOATS_A_BATCH = 500_000
_ROWS_OF_CODES = 2**17


@dataclass(frozen=True)
class SignDraws:
    """Which sign vectors a bootstrap uses.

    When all 2^G Rademacher vectors are no more than the draws asked for they are enumerated, the identity included.
    Then only the half with a first sign of +1 is made, since t*(-v) = -t*(v) and every use of t* is symmetric: a share
    of the rows is the share of all 2^G. Row 0 of an enumeration is the identity.

    Webb's six points are from Webb (2014, Queen's Economics Department Working Paper 1315).
    """

    unit_ids: tuple[str, ...]
    asked: int
    seed: int
    kind: SignKind = "rademacher"

    @classmethod
    def for_units(cls, unit_ids: Iterable[str], *, draws: int, seed: int, kind: SignKind = "rademacher") -> SignDraws:
        """Returns the draws for a set of clusters; their order does not matter, each sign belongs to a unit id."""
        return cls(tuple(sorted(unit_ids)), draws, seed, kind)

    @property
    def enumerated(self) -> bool:
        """Whether every sign vector is used once."""
        return self.kind == "rademacher" and 2 ** len(self.unit_ids) <= self.asked

    @property
    def n_draws(self) -> int:
        """The number of sign vectors the shares are of: 2^G when enumerated."""
        return 2 ** len(self.unit_ids) if self.enumerated else self.asked

    def p_value(self, n_rows_counted: int) -> float:
        """Returns the share of an enumeration's rows that count; of drawn rows (1 + count) / (1 + draws), never 0."""
        if self.enumerated:
            return n_rows_counted / self.n_rows
        return (1 + n_rows_counted) / (1 + self.n_rows)

    @property
    def n_rows(self) -> int:
        """The number of rows `batches` yields altogether: half of an enumeration, else every draw."""
        return self.n_draws // 2 if self.enumerated else self.asked

    def columns(self, unit_ids: Sequence[str]) -> npt.NDArray[np.intp]:
        """Returns the column of each unit id. Shape (len(unit_ids),)."""
        place = {unit_id: column for column, unit_id in enumerate(self.unit_ids)}
        return np.array([place[unit_id] for unit_id in unit_ids], dtype=np.intp)

    def batches(self, *, floats_per_row: int) -> Iterator[Array]:
        """Yields the sign vectors in order, (rows, G) at a time, so few that rows x floats_per_row is about 4 MB.

        The vectors do not depend on how they are batched: each row takes a whole number of 64-bit words.
        """
        size = max(64, _FLOATS_A_BATCH // max(floats_per_row, 1))
        width = len(self.unit_ids)
        if self.kind == "rademacher":
            for codes in self.code_batches(rows=size):
                yield EIGHT_SIGNS[codes.T].reshape(codes.shape[1], -1)[:, :width]
            return
        random = np.random.default_rng(self.seed)
        for start in range(0, self.n_rows, size):
            yield _WEBB[(random.random((min(size, self.n_rows - start), width)) * len(_WEBB)).astype(np.intp)]

    def code_batches(self, *, rows: int = _ROWS_OF_CODES) -> Iterator[Codes]:
        """Yields the same Rademacher vectors as bits, (bytes, rows) at a time: column 8 b + j is -1 where bit j is set.

        Bits beyond the last column mean nothing.
        """
        width = len(self.unit_ids)
        random = np.random.default_rng(self.seed)
        for start in range(0, self.n_rows, rows):
            size = min(rows, self.n_rows - start)
            if self.enumerated:
                # Bit j of the row's number is set where column j + 1 is -1; column 0 stays +1.
                words = (np.arange(start, start + size, dtype=np.uint64) << np.uint64(1))[:, None]
            else:
                words = random.integers(0, 2**64, size=(size, -(-width // 64)), dtype=np.uint64)
            yield np.ascontiguousarray(words.astype("<u8", copy=False).view(np.uint8)[:, : -(-width // 8)].T)
