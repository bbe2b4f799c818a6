"""Random numbers that are a pure function of what they are for: seed, place, name of the draw and number of the thing.

Nothing depends on how many numbers were drawn before, so the same seed gives the same child whatever the partitioning,
and a planted effect changes only the draws it bears on. Mixing function: SplitMix64 (Steele, Lea and Flood, 2014).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True)
class Draws:
    """Draws for one place (an authority, or the whole country) under one seed."""

    seed: int
    place: str

    def uniform(self, name: str, numbers: Ints) -> Floats:
        """Returns a number strictly between 0 and 1 for each thing's number."""
        text = f"{self.seed}|{self.place}|{name}".encode()
        key = np.uint64(int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big"))
        with np.errstate(over="ignore"):
            z = key + (numbers.astype(np.uint64) + np.uint64(1)) * _GOLDEN
            z = (z ^ (z >> np.uint64(30))) * _MIX_1
            z = (z ^ (z >> np.uint64(27))) * _MIX_2
            z = z ^ (z >> np.uint64(31))
        return ((z >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53

    def normal(self, name: str, numbers: Ints) -> Floats:
        """Returns a standard normal number for each thing's number."""
        scores: Floats = ndtri(self.uniform(name, numbers))
        return scores

    def exponential(self, name: str, numbers: Ints, *, mean: float) -> Floats:
        """Returns an exponential number for each thing's number."""
        return -mean * np.log(self.uniform(name, numbers))

    def below(self, name: str, numbers: Ints, chance: Floats | float) -> Flags:
        """Says for each thing whether its draw falls below a chance."""
        return self.uniform(name, numbers) < chance

    def choice(self, name: str, numbers: Ints, weights: Sequence[float]) -> Ints:
        """Returns an index into the weights, which need not add up to one, for each thing's number."""
        edges = np.cumsum(np.asarray(weights, dtype=np.float64))
        picked: Ints = np.searchsorted(edges[:-1], self.uniform(name, numbers) * edges[-1], side="right")
        return picked


def spread_scores(seed: int, name: str, codes: Sequence[str]) -> dict[str, float]:
    """Returns evenly spread normal scores in a random order: no sample of authorities is an unlucky one.

    Ranks depend on every code given, so give all authorities, not the few that are written.
    """
    order = sorted(
        codes, key=lambda code: (hashlib.blake2b(f"{seed}|{name}|{code}".encode(), digest_size=8).digest(), code)
    )
    scores = ndtri((np.arange(len(order)) + 0.5) / len(order))
    return dict(zip(order, scores.tolist(), strict=True))
