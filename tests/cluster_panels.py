"""Small panels of individual rows, and their cluster cross-products made the long way: row by row, no collapsing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.fit.regression.moments import Array, ClusterMoments


@dataclass(frozen=True)
class Rows:
    """Individual rows: unit and period numbers, treatment (0/1), one covariate and the outcome. Shapes (N,)."""

    unit: np.ndarray
    period: np.ndarray
    treated: Array
    age: Array
    y: Array

    @property
    def n_units(self) -> int:
        return int(self.unit.max()) + 1

    @property
    def n_periods(self) -> int:
        return int(self.period.max()) + 1

    @property
    def regressors(self) -> Array:
        """Treatment, period dummies but the first, and the covariate. Shape (N, K)."""
        periods = np.eye(self.n_periods)[self.period][:, 1:]
        return np.column_stack([self.treated, periods, self.age])

    @property
    def names(self) -> tuple[str, ...]:
        return ("treated", *(f"period_{t}" for t in range(1, self.n_periods)), "age")


def some_rows(
    *,
    n_units: int = 8,
    n_treated: int = 3,
    n_periods: int = 5,
    go_live: int = 2,
    effect: float = 0.0,
    rows_a_cell: tuple[int, int] = (3, 12),
    seed: int = 1,
) -> Rows:
    """Unequal units, a unit x period shock and individual noise; the first units are treated from `go_live` on."""
    random = np.random.default_rng(seed)
    sizes = random.integers(*rows_a_cell, size=(n_units, n_periods))
    unit, period = (np.repeat(index.ravel(), sizes.ravel()) for index in np.indices(sizes.shape))
    treated = ((unit < n_treated) & (period >= go_live)).astype(float)
    shock = random.normal(0, 0.5, size=sizes.shape)[unit, period]
    age = random.normal(8, 3, size=len(unit))
    y = 0.1 * unit + shock + 0.05 * age + effect * treated + random.normal(size=len(unit))
    return Rows(unit, period, treated, age, y)


def moments_of(rows: Rows, *, la_equal: bool = False, unit_ids: tuple[str, ...] | None = None) -> ClusterMoments:
    """Sweeps the unit means out of every row and sums by unit."""
    xx, xy, yy, n_rows = [], [], [], []
    for unit in range(rows.n_units):
        mine = rows.unit == unit
        x, y = rows.regressors[mine], rows.y[mine]
        x, y = x - x.mean(axis=0), y - y.mean()
        xx.append(x.T @ x)
        xy.append(x.T @ y)
        yy.append(y @ y)
        n_rows.append(len(y))
    n = np.array(n_rows, dtype=float)
    return ClusterMoments(
        unit_ids=unit_ids or tuple(f"{200 + unit}" for unit in range(rows.n_units)),
        names=rows.names,
        xx=np.array(xx),
        xy=np.array(xy),
        yy=np.array(yy),
        n_rows=n,
        weight=1 / n if la_equal else np.ones_like(n),
    )
