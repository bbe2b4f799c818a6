"""Panels under staggered adoption: individual rows with their prepared panel, and random totals by LA and period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sos_spark.config.study import Continuous, Covariates
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.regression.design import NEVER, PreparedPanel
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.group_time import GroupTime, UnitPanel
from tests.fit_panels import a_design, collapsed, some_children
from tools.monte_carlo.main_design import panel_of_totals

THREE_GROUPS = (2, 2, 2, 4, 4, 4, 5, 5, 5)
"""Groups so small that they share effects when residuals are measured."""
LARGE_GROUPS = (2,) * 5 + (4,) * 6
"""Groups large enough to have effects of their own."""


@dataclass(frozen=True)
class StaggeredRows:
    """Individual rows with their gtime (a large number where never treated), and their prepared panel."""

    rows: pd.DataFrame
    panel: PreparedPanel


def staggered_rows(
    gtime: Sequence[int] = THREE_GROUPS,
    *,
    n_units: int = 16,
    by: tuple[str, ...] = (),
    z: str | None = None,
    n_rows: int = 3_000,
    gaps: Sequence[tuple[int, int]] = (),
    seed: int = 1,
) -> StaggeredRows:
    """Rows in LAs of unequal size; effects grow with time since go-live; LA-periods in gaps have no rows."""
    rows = some_children(n_rows=n_rows, n_units=n_units, n_treated=0, n_periods=8, seed=seed)
    starts = np.array([*gtime, *[99] * (n_units - len(gtime))])
    rows["gtime"] = starts[rows["unit"]]
    rows["treated"] = (rows["period"] >= rows["gtime"]).astype(float)
    rows["y"] = rows["days"] + rows["treated"] * (2 + rows["period"] - rows["gtime"] + rows["unit"] % 3)
    for unit, period in gaps:
        rows = rows[(rows["unit"] != unit) | (rows["period"] != period)]
    rows = rows.reset_index(drop=True)
    design = a_design(
        pilots={str(201 + unit): int(start) for unit, start in enumerate(gtime)},
        covariates=Covariates(categorical=by, continuous=(Continuous(name=z, centre=8),) if z else ()),
    )
    return StaggeredRows(rows, prepare(collapsed(rows, y="y", by=by, z=z), design).panel)


def random_totals(
    gtime: Sequence[int],
    *,
    n_units: int = 14,
    n_periods: int = 7,
    gaps: bool = False,
    equal: bool = False,
    seed: int = 1,
) -> PreparedPanel:
    """Totals of random rows by LA and period: LAs beyond gtime are never treated; equal rows everywhere if asked."""
    random = np.random.default_rng(seed)
    rows = np.full((n_units, n_periods), 20.0) if equal else random.integers(5, 60, (n_units, n_periods)).astype(float)
    if gaps:
        rows[1, 3] = rows[n_units - 1, 0] = rows[n_units - 2, n_periods - 1] = 0
    starts = np.array([*gtime, *[NEVER] * (n_units - len(gtime))])
    shares = np.clip(random.normal(0.3, 0.05, n_units)[:, None] + random.normal(0, 0.05, rows.shape), 0.02, 0.9)
    return panel_of_totals(rows, random.binomial(rows.astype(int), shares).astype(float), starts)


def cluster_scores(panel: UnitPanel, effects: GroupTime, linear_map: Array) -> Array:
    """Returns each LA's score (G,) of a linear map: its deviations from its group's means, through the map.

    The root of the sum of their squares is the CR0 standard error, R's did's analytic one for a group-time effect.
    """
    scores = np.zeros(len(panel.unit_ids))
    for (g, t), mean, slope in zip(effects.cells, effects.means, linear_map, strict=True):
        members = panel.gtime == g
        rows = panel.rows[members, t]
        scores[members] += slope * (panel.y_sum[members, t] - rows * mean) / rows.sum()
    return scores
