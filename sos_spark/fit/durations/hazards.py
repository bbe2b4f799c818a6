"""The hazard of being concluded on a day, of rows still open and seen on it: what the data's end cuts short counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.fit.durations.counts import DayCounts, Mask
from sos_spark.fit.regression.moments import Array

_CUTS = (0, 10, 20, 30, 41, 46, 61)
"""The first days of bands: 41 to 45 are the last before the statutory limit, at which many assessments end."""


@dataclass(frozen=True)
class Curve:
    """What became of a group's rows day by day. Shapes (D + 1,)."""

    at_risk: Array
    ended: Array

    @property
    def hazard(self) -> Array:
        """The share of those open and seen that were concluded on the day; 0 where none was seen."""
        return np.asarray(np.divide(self.ended, self.at_risk, out=np.zeros_like(self.ended), where=self.at_risk > 0))

    @property
    def within(self) -> Array:
        """The share concluded by the end of the day, by Kaplan and Meier (1958)."""
        return np.asarray(1 - np.cumprod(1 - self.hazard))


def curve(counts: DayCounts, group: Mask) -> Curve:
    """Returns what became of the rows of the unit-periods marked in (G, T)."""
    return Curve(counts.at_risk[group].sum(axis=0), counts.ended[group].sum(axis=0))


def bands(last_day: int) -> list[tuple[int, int]]:
    """Returns the first and last day of each band."""
    firsts = [first for first in _CUTS if first <= last_day]
    return list(zip(firsts, [*(first - 1 for first in firsts[1:]), last_day], strict=True))


def daily_hazard(counts: DayCounts, first: int, last: int) -> tuple[Array, Array]:
    """Returns (G, T) days that rows were open and seen in a band, and how many were concluded in it."""
    band = slice(first, last + 1)
    return counts.at_risk[:, :, band].sum(axis=2), counts.ended[:, :, band].sum(axis=2)
