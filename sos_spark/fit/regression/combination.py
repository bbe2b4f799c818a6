"""A linear combination of a regression's coefficients as a coefficient of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sos_spark.fit.regression.moments import Array, ClusterMoments


def with_combination(moments: ClusterMoments, combination: Array, *, name: str) -> ClusterMoments:
    """Returns the same regression in a basis that has the combination (K,) of its coefficients as one coefficient.

    It takes the place of the coefficient with the largest weight in it (the first, of ties); the others stay. Fit and
    residuals are the same, so every covariance, bootstrap and test of the combination follows.
    """
    place = int(np.argmax(np.abs(combination)))
    # With T the identity but for the pivot's row, b = T b*: the pivot is (tau - sum of the others' weights) / its own.
    row = -combination / combination[place]
    row[place] = 1.0 / combination[place]
    step = row.copy()
    step[place] -= 1.0
    across = moments.xx[:, place, :]
    xx = moments.xx + step[None, :, None] * across[:, None, :] + across[:, :, None] * step[None, None, :]
    xx += across[:, place, None, None] * np.outer(step, step)
    names = list(moments.names)
    names[place] = name
    return replace(moments, names=tuple(names), xx=xx, xy=moments.xy + moments.xy[:, place, None] * step)
