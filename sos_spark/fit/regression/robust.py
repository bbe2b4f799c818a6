"""Heteroskedasticity-robust standard errors of individual rows, from the cells' sums of squares.

Rows of a cell share their regressors, so sum_i x_i x_i' e_i^2 needs the sum of e_i^2 in the cell alone: the sum of
squares within it, plus n times the squared residual of its mean.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import PreparedPanel, Regression
from sos_spark.fit.regression.moments import Array


def hc1(panel: PreparedPanel, regression: Regression, sandwich: Sandwich) -> Array | None:
    """Returns the HC1 covariance (K, K), factor N/(N-K), K = regressors + LAs + periods - 1 (pyfixest's).

    None where the cells cannot give it: without y_sumsq, or with a continuous covariate, which would need fourth
    moments.
    """
    cells = panel.cells
    moments = regression.moments
    if cells.y_sumsq is None or panel.continuous:
        return None
    freedom = panel.n_rows - len(moments.names) - moments.n_clusters
    if freedom <= 0:
        return np.full_like(sandwich.bread, np.nan)
    totals = panel.rows.sum(axis=1)
    y_mean = panel.y_sum.sum(axis=1) / totals
    beta, bread = sandwich.beta, sandwich.bread
    within = np.maximum(cells.y_sumsq - cells.y_sum**2 / cells.n, 0.0)
    meat = np.zeros_like(bread)
    order = np.argsort(cells.unit, kind="stable")
    ends = np.searchsorted(cells.unit[order], np.arange(len(totals) + 1))
    for unit in range(len(totals)):
        mine = order[ends[unit] : ends[unit + 1]]
        n = cells.n[mine]
        x = _regressors(panel, regression, unit, mine)
        x = x - n @ x / totals[unit]
        residual = cells.y_sum[mine] / n - y_mean[unit] - x @ beta
        squares = moments.weight[unit] ** 2 * (within[mine] + n * residual**2)
        meat += x.T @ (squares[:, None] * x)
    return np.asarray(panel.n_rows / freedom * (bread @ meat @ bread))


def _regressors(panel: PreparedPanel, regression: Regression, unit: int, cells: npt.NDArray[np.intp]) -> Array:
    """Returns the regressors of an LA's cells, LA mean not yet swept out, (cells, K)."""
    period, levels = panel.cells.period[cells], panel.cells.levels[cells]
    place = {name: k for k, name in enumerate(regression.moments.names)}
    x = np.zeros((len(cells), len(place)))
    for name, effect in regression.effects.items():
        if name in place:
            x[:, place[name]] = effect[unit, period]
    # A dummy that was left out has no place; nor has the reference, which stands at -1, the end of the list.
    of_period = np.array([place.get(f"period_{number}", -1) for number in panel.periods])[period]
    of_level = np.array([*(place.get(name, -1) for name in panel.covariates), -1])[levels]
    for column in (of_period, *of_level.T):
        row = np.flatnonzero(column >= 0)
        x[row, column[row]] = 1.0
    return x
