"""CR2 inference on combinations of cell means in closed form, without the saturated regression's cross-products.

In a regression saturated in groups and periods the rows of LA l in a cell of N rows, n of them its own, have the
leverage block 11'/N. So Bell and McCaffrey's adjustment multiplies l's score in that cell by (1 - n/N)^-1/2, none where
the LA is alone in it, and with a[l, c] = L[c] / N[c] times that factor the Satterthwaite df come from

    P[l, m] = 1(l = m) sum_c a[l, c]^2 n[l, c] - sum_c a[l, c] n[l, c] a[m, c] n[m, c] / N[c].

The same numbers as `Sandwich` of `saturated_moments` at a fraction of the memory: groups x periods may be many.
"""

from __future__ import annotations

import numpy as np

from sos_spark.fit import student
from sos_spark.fit.regression.covariance import Satterthwaite
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.group_time import GroupTime, UnitPanel

_NO_VARIATION = 1e-12


def saturated_satterthwaite(panel: UnitPanel, effects: GroupTime, maps: Array) -> Satterthwaite:
    """Returns CR2 inference on linear maps (m, K) of the cells' means; se and df are NaN where nothing is left to vary.

    Rows weigh as the panel's do: rows, or LA means (`UnitPanel.weighing`).
    """
    group, period = effects.cells.T
    mine = panel.gtime[:, None] == group
    n = np.where(mine, panel.rows[:, period], 0.0)
    total = n.sum(axis=0)
    with np.errstate(divide="ignore"):
        factor = np.where(n < total, 1.0 / np.sqrt(1.0 - n / total), 0.0)
    left = np.where(mine, panel.y_sum[:, period], 0.0) - n * effects.means
    estimate, se, df = maps @ effects.means, np.empty(len(maps)), np.empty(len(maps))
    for row, linear_map in enumerate(maps):
        cells = np.flatnonzero(linear_map)
        a = factor[:, cells] * (linear_map[cells] / total[cells])
        scores = np.sum(a * left[:, cells], axis=1)
        across = a * n[:, cells] / np.sqrt(total[cells])
        p = np.diag(np.sum(a**2 * n[:, cells], axis=1)) - across @ across.T
        size = np.abs(linear_map[cells]) @ np.abs(effects.means[cells])
        se[row] = np.sqrt(scores @ scores)
        se[row] = se[row] if se[row] > _NO_VARIATION * size else np.nan
        df[row] = np.trace(p) ** 2 / np.sum(p**2) if se[row] > 0 else np.nan
    return Satterthwaite(estimate, se, df, 2 * student.above(np.abs(estimate / se), df))
