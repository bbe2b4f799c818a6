"""Synthetic difference-in-differences against diff-diff's, and the weights against a general solver.

diff-diff stops its Frank-Wolfe iterations, as the authors' R package does, when a step gains less than (1e-5 sigma)^2;
the weights here are the exact minima. So the estimator is compared under equal weights to rounding, the weights by the
value of what they minimise, and the whole fits within a hundredth of a standard error.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from diff_diff import SyntheticDiD
from diff_diff.utils import compute_sdid_estimator, compute_sdid_unit_weights, compute_time_weights
from scipy.optimize import minimize

from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.regression.design import NEVER
from sos_spark.fit.synthetic import BalancedPanel, simplex_weights, synthetic_did
from tests.fit_panels import a_design, some_cells
from tests.oracle.test_fit_known_answers import yearly, yearly_design
from tests.references import Reference

SDID = Reference(
    "Synthetic difference-in-differences",
    "estimate at the same weights",
    "diff-diff",
    "package",
    1e-12,
    absolute=True,
)

JACKKNIFE = Reference(
    "Synthetic difference-in-differences",
    "jackknife standard error at the same weights",
    "diff-diff",
    "package",
    1e-9,
)


def objective(x: np.ndarray, y: np.ndarray, w: np.ndarray, ridge: float) -> float:
    error = (x - x.mean(axis=0)) @ w - (y - y.mean())
    return float(error @ error + ridge * w @ w)


@pytest.mark.parametrize(("rows", "columns", "ridge"), [(8, 20, 0.3), (8, 20, 1e-3), (30, 6, 1e-9), (5, 40, 2.0)])
def test_weights_are_the_minimum_of_a_general_solver(rows: int, columns: int, ridge: float) -> None:
    random = np.random.default_rng(rows)
    x, y = random.normal(size=(rows, columns)), random.normal(size=rows)
    w = simplex_weights(x, y, ridge=ridge)
    solved = minimize(
        lambda v: objective(x, y, v, ridge),
        np.full(columns, 1 / columns),
        bounds=[(0, 1)] * columns,
        constraints={"type": "eq", "fun": lambda v: v.sum() - 1},
        options={"maxiter": 2_000, "ftol": 1e-15},
    )
    assert w.sum() == pytest.approx(1, abs=1e-12)
    assert w.min() >= 0
    assert objective(x, y, w, ridge) <= solved.fun * (1 + 1e-10)
    assert w == pytest.approx(solved.x, abs=2e-5)
    # The minimum itself: no unit's gradient is below that of those with weight, where it is one number.
    error = (x - x.mean(axis=0)) @ w - (y - y.mean())
    gradient = (x - x.mean(axis=0)).T @ error + ridge * w
    assert np.ptp(gradient[w > 0]) < 1e-10
    assert gradient.min() >= gradient[w > 0].max() - 1e-10


def as_frame(panel: BalancedPanel) -> pd.DataFrame:
    unit, period = (index.ravel() for index in np.indices(panel.means.shape))
    treated = (panel.gtime != NEVER).astype(int)
    return pd.DataFrame({"unit": unit, "period": period, "treated": treated[unit], "y": panel.means.ravel()})


def test_the_same_panel_in_diff_diff() -> None:
    pilots = {str(201 + k): 8 for k in range(9)}
    panel = prepare(some_cells(n_units=60, n_periods=20), a_design(pilots=pilots)).panel
    fitted = synthetic_did(panel, refits=300, seed=1)
    (group,) = fitted.groups
    treated = fitted.panel.gtime != NEVER
    theirs, ours = fitted.panel.means[~treated].T, fitted.panel.means[treated].mean(axis=0)
    early, late = theirs[:8], theirs[8:]

    reference = SyntheticDiD(n_bootstrap=300, seed=1).fit(
        as_frame(fitted.panel), "y", "treated", "unit", "period", post_periods=list(range(8, 20))
    )

    weights = group.unit_weights, group.time_weights
    assert fitted.att == SDID.equals(compute_sdid_estimator(early, late, ours[:8], ours[8:], *weights))
    sigma = reference.noise_level
    assert sigma == pytest.approx(np.diff(early, axis=0).std(ddof=1), rel=1e-9)
    assert reference.zeta_omega == pytest.approx((9 * 12) ** 0.25 * sigma, rel=1e-9)
    stops = {"min_decrease": 1e-7 * sigma, "max_iter": 100_000}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        omega = compute_sdid_unit_weights(early, ours[:8], zeta_omega=reference.zeta_omega, **stops)
        time = compute_time_weights(early, late, zeta_lambda=reference.zeta_lambda, **stops)
    ridge = reference.zeta_omega**2 * 8
    best, reached = (objective(early, ours[:8], w, ridge) for w in (group.unit_weights, omega))
    assert best <= reached <= best * (1 + 1e-3)
    assert group.time_weights == pytest.approx(time, abs=1e-5)
    assert fitted.att == pytest.approx(reference.att, abs=0.01 * fitted.se)
    # Two samples of 300 draws: their standard deviations differ by chance by 6 % (one standard deviation).
    assert fitted.se == pytest.approx(reference.se, rel=0.2)


@pytest.mark.parametrize("n_treated", [3, 9])
def test_the_jackknife_is_diff_diff_s_at_its_own_weights(n_treated: int) -> None:
    """Their weights stop short of the minimum, so ours are replaced by theirs, and only then compared to rounding."""
    codes = {str(201 + k): 8 for k in range(n_treated)}
    panel = prepare(some_cells(n_units=24, n_periods=14, seed=2), a_design(pilots=codes)).panel
    fitted = synthetic_did(panel, refits=0, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outside = SyntheticDiD(variance_method="jackknife", seed=1).fit(
            as_frame(fitted.panel), "y", "treated", "unit", "period", post_periods=list(range(8, 14))
        )
    theirs = replace(
        fitted.groups[0],
        unit_weights=np.array([outside.unit_weights[place] for place in np.flatnonzero(fitted.panel.gtime == NEVER)]),
        time_weights=np.array([outside.time_weights[period] for period in range(8)]),
    )
    assert replace(fitted, groups=(theirs,)).se_jackknife == JACKKNIFE.equals(float(outside.se))
    assert fitted.se_jackknife == pytest.approx(outside.se, rel=0.05)


def test_one_pilot_has_no_jackknife_and_its_weights_add_up() -> None:
    panel = prepare(some_cells(n_units=12, n_periods=8), a_design(pilots={"201": 4})).panel
    fitted = synthetic_did(panel, refits=0, seed=1)
    assert np.isnan(fitted.se_jackknife)
    weights = {one.unit_id: one.weight for one in fitted.units()}
    assert weights.pop("201") == 1
    assert sum(weights.values()) == pytest.approx(1)


@pytest.mark.reference
def test_fixest_s_base_did_in_diff_diff(reference_data: Path) -> None:
    base = pd.read_csv(reference_data / "did" / "base_did.csv")
    treated = base[base["treat"] == 1]["id"].astype(str).unique()
    cells = yearly(base, unit="id", year="period", y="y")
    fitted = synthetic_did(prepare(cells, yearly_design(dict.fromkeys(treated, 5))).panel, refits=9, seed=1)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = SyntheticDiD(n_bootstrap=2, seed=1).fit(
            base, "y", "treat", "id", "period", post_periods=[6, 7, 8, 9, 10]
        )

    assert fitted.att == pytest.approx(reference.att, rel=1e-4)
    assert len(fitted.placebo) == 0  # 55 treated of 108: there are not enough comparators to draw as many from
