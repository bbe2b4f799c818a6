"""Variance components against the moment equations written out with the projection of the whole panel, N x N."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import block_diag
from scipy.optimize import brentq

from sos_spark.analysis.variance_components import variance_components
from sos_spark.fit.regression.design import NEVER
from tools.monte_carlo.main_design import panel_of_totals


def by_projection(mean: np.ndarray, used: np.ndarray) -> tuple[float, float]:
    """Returns the shocks' standard deviation and autocorrelation; LA and period dummies swept out, sampling aside."""
    n_units, n_periods = mean.shape
    unit, period = (index.ravel()[used.ravel()] for index in np.indices(mean.shape))
    x = np.column_stack([np.eye(n_units)[unit], np.eye(n_periods)[period][:, 1:]])
    m = np.eye(len(unit)) - x @ np.linalg.pinv(x)
    residual = m @ mean[used]
    neighbours = (unit[:, None] == unit) & (period[:, None] + 1 == period)
    seen = residual @ residual, residual @ neighbours @ residual

    def expected(carried: float) -> tuple[float, float]:
        one = carried ** np.abs(np.subtract.outer(np.arange(n_periods), np.arange(n_periods)))
        swept = m @ block_diag(*[one] * n_units)[np.ix_(used.ravel(), used.ravel())] @ m
        return float(np.trace(swept)), float(np.sum(neighbours * swept))

    def misfit(carried: float) -> float:
        squares, products = expected(carried)
        return products * seen[0] - squares * seen[1]

    carried = brentq(misfit, -0.9, 0.95)
    return float(np.sqrt(seen[0] / expected(carried)[0])), float(carried)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n_treated", "tolerance"), [(0, 1e-6), (5, 0.02)])
def test_shocks_solve_the_moment_equations(seed: int, n_treated: int, tolerance: float) -> None:
    # So many rows that sampling is nothing: what is left is the sweeping out, exact where every LA has every period.
    random = np.random.default_rng(seed)
    shocks = random.normal(0, 0.04, (16, 9))
    for period in range(1, 9):
        shocks[:, period] += 0.5 * shocks[:, period - 1]
    rows = np.full((16, 9), 1e12)
    y_sum = np.round(rows * (0.4 + random.normal(0, 0.05, 16)[:, None] + random.normal(0, 0.02, 9) + shocks))
    panel = panel_of_totals(rows, y_sum, np.where(np.arange(16) < n_treated, 5, NEVER))

    ours = variance_components(panel)

    sd, carried = by_projection(y_sum / rows, panel.treated == 0)
    assert ours.sd_shock == pytest.approx(sd, rel=tolerance)
    assert ours.autocorrelation == pytest.approx(carried, abs=2 * tolerance)
