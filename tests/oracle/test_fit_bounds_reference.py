"""The bounds against linear programming on a regression with a dummy for every unit and period, set up here."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from sos_spark.analysis.bounds import UNKNOWN_COLUMNS, bounds_frame
from sos_spark.config.study import Inference
from tests.fit_panels import a_design, some_cells
from tests.references import Reference

PROGRAMME = Reference(
    "Bounds over unknown rows",
    "both ends",
    "linear programming (scipy)",
    "brute force",
    1e-9,
)

N_UNITS, N_PERIODS, FIRST_TREATED = 14, 8, 3
PILOTS = {"201", "202", "203", "204", "205", "206"}


def weights_by_dummies(cells: pd.DataFrame, *, la_equal: bool) -> np.ndarray:
    """How the coefficient of treatment moves with each y_sum: weighted least squares, every dummy spelled out."""
    unit, period = pd.factorize(cells["unit_id"])[0], cells["period"].to_numpy()
    x = np.zeros((len(cells), 1 + N_UNITS + N_PERIODS - 1))
    x[:, 0] = cells["unit_id"].isin(PILOTS) & (period >= FIRST_TREATED)
    x[np.arange(len(cells)), 1 + unit] = 1
    later = period > 0
    x[np.flatnonzero(later), N_UNITS + period[later]] = 1
    n = cells["n"].to_numpy(float)
    row = 1 / cells.groupby("unit_id")["n"].transform("sum").to_numpy() if la_equal else np.ones(len(cells))
    gram = x.T @ ((n * row)[:, None] * x)
    return np.linalg.solve(gram, (x * row[:, None]).T)[0]


@pytest.mark.parametrize("weights", ["child", "la_equal"])
def test_the_bounds_are_those_of_linear_programming(weights: str) -> None:
    random = np.random.default_rng(4)
    cells = some_cells(n_units=N_UNITS, n_periods=N_PERIODS).drop(columns="y_sumsq")
    hidden = random.random(len(cells)) < 0.4
    low = np.where(hidden, random.integers(0, 5, len(cells)), cells["y_sum"])
    high = np.where(hidden, random.integers(5, 20, len(cells)), cells["y_sum"])
    w = weights_by_dummies(cells, la_equal=weights == "la_equal")
    least, greatest = (
        linprog(sign * w, bounds=np.column_stack([low, high]), method="highs").fun * sign for sign in (1, -1)
    )

    places = cells[hidden].assign(y_low=low[hidden], y_high=high[hidden], reason="suppressed")[list(UNKNOWN_COLUMNS)]
    row = bounds_frame(
        cells[~hidden],
        places,
        design=a_design(),
        inference=Inference(draws=99, permutations=99, weights=weights),
    ).iloc[0]

    assert (row["att_low"], row["att_high"]) == PROGRAMME.equals((least, greatest))
    assert row["n_cells_unknown"] == hidden.sum()
