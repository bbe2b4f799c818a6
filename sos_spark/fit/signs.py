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
SignKind = Literal["rademacher", "webb"]

_WEBB = np.array([-(1.5**0.5), -1.0, -(0.5**0.5), 0.5**0.5, 1.0, 1.5**0.5])
_EIGHT_SIGNS = np.where(np.arange(256)[:, None] >> np.arange(8) & 1 == 1, -1.0, 1.0)
_FLOATS_A_BATCH = 500_000


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
        random = np.random.default_rng(self.seed)
        for start in range(0, self.n_rows, size):
            rows = min(size, self.n_rows - start)
            if self.enumerated:
                # Bit j - 1 of the row's number is set where column j is -1; column 0 stays +1.
                numbers = np.arange(start, start + rows, dtype=np.uint64)
                shifts = np.maximum(np.arange(width) - 1, 0).astype(np.uint64)
                bits = (numbers[:, None] >> shifts) & np.uint64(1)
                bits[:, 0] = 0
                yield np.where(bits == 1, -1.0, 1.0)
            elif self.kind == "rademacher":
                words = random.integers(0, 2**64, size=(rows, -(-width // 64)), dtype=np.uint64)
                codes = words.astype("<u8", copy=False).view(np.uint8)[:, : -(-width // 8)]
                yield _EIGHT_SIGNS[codes].reshape(rows, -1)[:, :width]
            else:
                yield _WEBB[(random.random((rows, width)) * len(_WEBB)).astype(np.intp)]
