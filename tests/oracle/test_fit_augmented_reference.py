"""The ridge-augmented synthetic control against its form as one set of weights, and a general solver's weights."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from sos_spark.fit.augmented import augmented_control
from sos_spark.fit.cells.prepare import prepare
from tests.fit_panels import a_design, some_cells
from tests.references import Reference

AUGMENTED = Reference(
    "Ridge-augmented synthetic control",
    "estimate at the same ridge",
    "weights by SciPy's general solver, slopes by least squares on rows that stand for the ridge",
    "second implementation",
    1e-5,
    absolute=True,
)
PILOTS = {"201": 8, "202": 8, "203": 8}


def test_the_estimate_is_that_of_another_solver_and_another_ridge_regression() -> None:
    panel = prepare(some_cells(n_units=15, n_periods=14), a_design(pilots=PILOTS)).panel
    fitted = augmented_control(panel, refits=0, seed=1)
    means, never = panel.y_sum / panel.rows, ~panel.is_treated_unit
    early, late = means[:, :8] - means[:, :8].mean(axis=1, keepdims=True), means[:, 8:].mean(axis=1)
    late = late - means[:, :8].mean(axis=1)
    x, z, target, after = early[never], late[never], early[~never].mean(axis=0), late[~never].mean()
    solved = minimize(
        lambda w: float(np.sum((target - w @ x) ** 2)) * 1e4,
        np.full(len(x), 1 / len(x)),
        bounds=[(0, 1)] * len(x),
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"maxiter": 2_000, "ftol": 1e-15},
    )
    assert fitted.plain == AUGMENTED.equals(after - solved.x @ z)
    spread = float(np.mean(np.sum((x - x.mean(axis=0)) ** 2, axis=0)))
    held = np.sqrt(fitted.ridge * spread) * np.eye(x.shape[1])
    rows, wanted = np.vstack([x - x.mean(axis=0), held]), np.append(z - z.mean(), np.zeros(x.shape[1]))
    slopes = np.linalg.lstsq(rows, wanted)[0]
    assert fitted.att == AUGMENTED.equals(after - solved.x @ z - (target - solved.x @ x) @ slopes)
