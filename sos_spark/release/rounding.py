"""Controlled rounding: every count becomes a multiple of a base, and what added up before still does.

Each count goes to the multiple below or above it, the nearest where that adds up; of all roundings that add up, the one
that moves the counts least (Cox, 1987, JASA 82). Where none does with neighbouring multiples alone, the next ones are
taken in: in three dimensions, or over linked tables, there need not be one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from sos_spark.release.linked import Members

_MOST_REACH = 3
_SECONDS = 20.0


@dataclass(frozen=True)
class Rounded:
    """Rounded counts.

    Attributes:
        values: Shape (counts,), multiples of the base.
        reach: No count was moved by as much as this many bases: what an attacker knows of the rule.
    """

    values: NDArray[np.int64]
    reach: int


def round_controlled(members: Members, values: NDArray[np.int64], base: int, *, above: int = 0) -> Rounded:
    """Returns the counts rounded to a base so that they still are sums over groups of what is not negative.

    A count above `above` stays above it.

    Raises:
        ValueError: None was found that moves every count by less than 3 bases.
    """
    if base == 1:
        return Rounded(values.copy(), 0)
    for reach in range(1, _MOST_REACH + 1):
        found = _rounded(members, values, base, reach, above)
        if found is not None:
            return Rounded(found, reach)
    raise ValueError("no rounding that adds up was found")


def _rounded(
    members: Members, values: NDArray[np.int64], base: int, reach: int, above: int
) -> NDArray[np.int64] | None:
    """The least move of counts, none by `reach` bases or more; None where there is none.

    Unknowns: by how many bases each count lies above its multiple below; each group's rounded sum; each count's move.
    """
    n_counts, n_groups = members.shape
    below = values // base
    rest = values - base * below
    least = np.where(values > above, above // base + 1, 0)
    low = np.maximum(1 - reach, least - below)
    high = np.where(rest == 0, reach - 1, reach)
    eye, groups = sparse.eye_array(n_counts), sparse.csr_array(members)
    none, no_groups = sparse.csr_array((n_counts, n_counts)), sparse.csr_array((n_counts, n_groups))
    sums = sparse.hstack([base * eye, -groups, none])
    moved = sparse.vstack([sparse.hstack([base * eye, no_groups, -eye]), sparse.hstack([-base * eye, no_groups, -eye])])
    found = milp(
        np.concatenate([np.zeros(n_counts + n_groups), np.ones(n_counts)]),
        constraints=[
            LinearConstraint(sums, -base * below, -base * below),
            LinearConstraint(moved, -np.inf, np.concatenate([rest, -rest])),
        ],
        integrality=np.concatenate([np.ones(n_counts), np.zeros(n_groups + n_counts)]),
        bounds=Bounds(
            np.concatenate([low, np.zeros(n_groups + n_counts)]),
            np.concatenate([high, np.full(n_groups + n_counts, np.inf)]),
        ),
        options={"time_limit": _SECONDS, "mip_rel_gap": 1e-3},
    )
    if found.x is None:
        return None
    rounded: NDArray[np.int64] = base * (below + np.round(found.x[:n_counts]).astype(np.int64))
    return rounded


def windows(
    rounded: Rounded, base: int, *, hide_up_to: int, zero_is_shown: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns what an attacker knows of each published count, who knows the rule: the least and the greatest it was.

    A count that is shown and not zero is above what is hidden; a shown zero is one, where zeros are shown.
    """
    values = rounded.values.astype(float)
    if base == 1:
        return values, values
    spread = base * rounded.reach - 1
    low = np.maximum(values - spread, hide_up_to + 1)
    if zero_is_shown:
        return np.where(values == 0, 0.0, low), np.where(values == 0, 0.0, values + spread)
    return low, values + spread
