"""Averages of group-time effects with the residuals of a model in which groups share effects.

The saturated regression of `staggered` gives every group and period a mean of its own, so a group of one LA has no
residual and its variation is in no standard error, and small groups have little. Where there is a small group, the
variance of averages comes from the model mean[g, t] = group + period + effect of the event time (from go-live on), in
the way of `residual_model`: an average sum of L[g, t] m[g, t] weighs rows with v = L[g, t] / rows[g, t], and the
regression gets what of v the model's regressors do not span. The estimate stays what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.staggered.group_time import GroupTime, UnitPanel, basis_with, cell_moments, saturated_moments
from sos_spark.fit.staggered.residual_model import effect_groups, has_a_small_group

_DEPENDENT = 1e-9
_ROUNDING = 1e-16
"""Share of v's sum of squares outside the model below which it is rounding."""


def average_moments(panel: UnitPanel, effects: GroupTime, maps: Mapping[str, Array]) -> ClusterMoments:
    """Returns a regression that has averages of group-time effects, maps (K,) by name, as its first coefficients.

    The maps are linearly independent. LA effects are not swept out: the design compares means of groups.
    """
    if not has_a_small_group(panel.gtime, panel.rows.shape[1] - 1):
        return saturated_moments(panel, effects, maps)
    rows = np.array([panel.rows[panel.gtime == g, t].sum() for g, t in effects.cells])
    root = np.sqrt(rows)
    # Orthonormal in the cells' rows: first what the model spans, then what the averages need beyond it.
    columns = _extended(np.empty((len(rows), 0)), (root * column for column in _shared(panel, effects)), _DEPENDENT)
    columns = _extended(columns, (linear_map / root for linear_map in maps.values()), _ROUNDING)
    regressors = columns / root[:, None]
    basis = basis_with(np.array(list(maps.values())) @ regressors)
    nuisance = tuple(f"nuisance_{k}" for k in range(columns.shape[1] - len(maps)))
    return cell_moments(panel, effects, regressors @ basis, names=(*maps, *nuisance))


def _shared(panel: UnitPanel, effects: GroupTime) -> Array:
    """Returns the regressors (k, cells) of the model with shared effects; some may depend on others."""
    group, period = effects.cells.T
    of_unit = effect_groups(panel.gtime, np.arange(panel.rows.shape[1]))
    first = [int(np.flatnonzero(panel.gtime == g)[0]) for g in group]
    shared = of_unit[first, period]
    columns = [
        *(group == g for g in np.unique(group)),
        *(period == t for t in np.unique(period)),
        *(shared == number for number in np.unique(shared[shared >= 0])),
    ]
    return np.array(columns, dtype=np.float64)


def _extended(basis: Array, columns: Iterable[Array], threshold: float) -> Array:
    """Returns an orthonormal basis (K, m) that spans the columns too; a smaller share of one outside is rounding."""
    for column in columns:
        left = column - basis @ (basis.T @ column)
        left -= basis @ (basis.T @ left)
        if left @ left > threshold * (column @ column):
            basis = np.column_stack([basis, left / np.linalg.norm(left)])
    return basis
