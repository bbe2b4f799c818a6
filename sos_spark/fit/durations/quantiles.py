"""From effects on the share concluded within each day to effects on quantiles, by inversion.

The observed distribution of pilots after go-live is taken as it is; without the programme the share within d days would
have been the observed one less the effect. A quantile's interval holds every day that the shares' intervals do not rule
out as that quantile (Chernozhukov, Fernandez-Val and Melly 2013, Econometrica 81(6), section 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.fit.durations.counts import Mask
from sos_spark.fit.regression.moments import Array

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
_ROUNDING = 1e-12


@dataclass(frozen=True)
class QuantileEffect:
    """The day by which a share `level` was concluded, and would have been; NaN beyond the days that are counted."""

    level: float
    observed: float
    without: float
    low: float
    high: float

    @property
    def effect(self) -> float:
        """Observed less without."""
        return self.observed - self.without


def quantile_effects(observed: Array, effect: Array, low: Array, high: Array) -> list[QuantileEffect]:
    """Returns the effect on each quantile, in days, from shares (D + 1,), effects on them and their intervals."""
    without = np.maximum.accumulate(np.clip(observed - effect, 0.0, 1.0))
    # An end of an interval that is not known, as of a share that never varies, is the share itself.
    most, least = (np.where(np.isnan(end), without, observed - end) for end in (low, high))
    return [
        QuantileEffect(
            level,
            (seen := _first(np.asarray(observed >= level - _ROUNDING))),
            _first(np.asarray(without >= level - _ROUNDING)),
            seen - _after_last(np.asarray(least < level - _ROUNDING)),
            seen - _first(np.asarray(most >= level - _ROUNDING)),
        )
        for level in LEVELS
    ]


def _first(reached: Mask) -> float:
    """The first day that is marked; NaN where none is."""
    days = np.flatnonzero(reached)
    return float(days[0]) if len(days) else float("nan")


def _after_last(below: Mask) -> float:
    """The day after the last that is marked; NaN where that is beyond the days that are counted."""
    days = np.flatnonzero(below)
    after = float(days[-1] + 1) if len(days) else 0.0
    return after if after < len(below) else float("nan")
