"""Averages of group-time effects with the residuals of a model in which groups share effects.

The saturated regression of `staggered` gives every group and period a mean of its own, so a group of one LA has no
residual and its variation is in no standard error, and small groups have little. Where there is a small group, an
average's variance comes from the model mean[g, t] = group + period + effect of the event time (from go-live on),
in the way of `residual_model`: the estimate stays what it is, sum of L[g, t] m[g, t].
"""

from __future__ import annotations

import numpy as np

from sos_spark.fit.combination import with_combination
from sos_spark.fit.design import TREATED
from sos_spark.fit.moments import Array, ClusterMoments
from sos_spark.fit.residual_model import effect_groups, has_a_small_group
from sos_spark.fit.staggered import GroupTime, UnitPanel, cell_moments, saturated_moments

_ROUNDING = 1e-16
_DEPENDENT = 1e-9


def average_moments(panel: UnitPanel, effects: GroupTime, linear_map: Array) -> ClusterMoments:
    """Returns the regression that has an average of group-time effects, a map (K,), as its coefficient `treated`.

    LA effects are not swept out: the design compares means of groups.
    """
    n_periods = panel.rows.shape[1]
    if not has_a_small_group(panel.gtime, n_periods - 1):
        return saturated_moments(panel, effects, {TREATED: linear_map})
    regressors = _shared(panel, effects)
    rows = np.array([panel.rows[panel.gtime == g, t].sum() for g, t in effects.cells])
    inverse = np.linalg.inv(regressors.T @ (rows[:, None] * regressors))
    share = linear_map @ regressors
    ols = inverse @ share
    u = linear_map / rows - regressors @ ols
    squares = float(rows @ u**2)
    if squares > _ROUNDING * (squares + float(share @ ols)):
        regressors, share = np.column_stack([regressors, u]), np.append(share, squares)
    names = tuple(f"nuisance_{k}" for k in range(len(share)))
    return with_combination(cell_moments(panel, effects, regressors, names=names), share, name=TREATED)


def _shared(panel: UnitPanel, effects: GroupTime) -> Array:
    """Returns the regressors (cells, k) of the model with shared effects, of full rank."""
    group, period = effects.cells.T
    periods = np.arange(panel.rows.shape[1])
    of_unit = effect_groups(panel.gtime, periods)
    first = [int(np.flatnonzero(panel.gtime == g)[0]) for g in group]
    shared = of_unit[first, period]
    columns = [
        *(group == g for g in np.unique(group)),
        *(period == t for t in np.unique(period)[1:]),
        *(shared == number for number in np.unique(shared[shared >= 0])),
    ]
    kept: list[Array] = []
    basis = np.empty((len(group), 0))
    for column in np.array(columns, dtype=np.float64):
        left = column - basis @ (basis.T @ column)
        left -= basis @ (basis.T @ left)
        if left @ left > _DEPENDENT * (column @ column):
            kept.append(column)
            basis = np.column_stack([basis, left / np.linalg.norm(left)])
    return np.column_stack(kept)
