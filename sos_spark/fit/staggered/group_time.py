"""Staggered adoption: group-time effects by differences of cell means, and their aggregates, as linear maps.

Callaway and Sant'Anna (2021, Journal of Econometrics 225), repeated cross-sections, no covariates: the effect on the
group g of LAs that went live in period g, in period t, is

    ATT(g, t) = (m[g, t] - m[g, b]) - (m[C, t] - m[C, b]),      b = g - 1,

with m the mean of a group's rows in a period. Every such effect, and every average of them, is a linear combination of
the means m, which are the coefficients of a saturated regression on group-by-period dummies. So the cluster
cross-products of that regression, in a basis whose first coefficients are the effects asked for, feed the same
few-cluster inference as every other design here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.linalg import qr, solve

from sos_spark.errors import InputError
from sos_spark.fit.regression.design import NEVER
from sos_spark.fit.regression.moments import Array, ClusterMoments

Ints = npt.NDArray[np.int64]
Base = Literal["universal", "varying"]
Control = Literal["never", "not_yet"]


@dataclass(frozen=True)
class UnitPanel:
    """Rows and sums of y by LA and period.

    Shapes: unit_ids (G,); gtime (G,), the first treated period or NEVER; rows (G, T), individual rows, 0 where an LA
    was not observed; y_sum (G, T); y_sumsq (G, T) or None. Period t is column t.
    """

    unit_ids: tuple[str, ...]
    gtime: Ints
    rows: Array
    y_sum: Array
    y_sumsq: Array | None = None

    def weighing(self, weights: Literal["child", "la_equal"]) -> UnitPanel:
        """Returns the panel whose means are those asked for: of rows (child), or of LA means (la_equal)."""
        if weights == "child":
            return self
        seen = self.rows > 0
        means = np.divide(self.y_sum, self.rows, out=np.zeros_like(self.y_sum), where=seen)
        return UnitPanel(self.unit_ids, self.gtime, seen.astype(float), means, means**2)


@dataclass(frozen=True)
class GroupTime:
    """Group-time effects of a panel, each a linear combination of the means of group-by-period cells.

    Shapes: cells (K, 2), the (gtime, period) of each cell that has rows; effects (E, 2), the (gtime, period) of each
    ATT; maps (E, K); means (K,); share (E,), the group's rows over the whole window, which weigh groups in averages.
    """

    cells: Ints
    effects: Ints
    maps: Array
    means: Array
    share: Array

    @property
    def att(self) -> Array:
        """The effects, (E,)."""
        return self.maps @ self.means

    @property
    def event_time(self) -> Ints:
        """Periods since go-live, (E,)."""
        event_time: Ints = self.effects[:, 1] - self.effects[:, 0]
        return event_time


def group_time_effects(panel: UnitPanel, *, base: Base = "universal", control: Control | None = None) -> GroupTime:
    """Returns ATT(g, t) of every treated group and period, before go-live too.

    Args:
        panel: Rows and sums by LA and period.
        base: The period that pre-go-live effects are measured from: g - 1, or (varying, as R's did) t - 1.
        control: LAs that compare: never treated, or not yet treated in either period; by default the never treated
            where there are any. An effect without rows in any of its four means is left out.

    Raises:
        InputError: No LA is treated within the panel, or none can compare.
    """
    groups = np.unique(panel.gtime[panel.gtime != NEVER])
    if groups.size == 0:
        raise InputError("No authority is treated", remedy="Name a pilot whose go-live lies within the panel")
    control = control or ("never" if (panel.gtime == NEVER).any() else "not_yet")
    if control == "never" and not (panel.gtime == NEVER).any():
        raise InputError("No authority is never treated", remedy="Compare with those not yet treated")
    rows = {int(g): panel.rows[panel.gtime == g].sum(axis=0) for g in (*groups, NEVER)}
    sums = {int(g): panel.y_sum[panel.gtime == g].sum(axis=0) for g in (*groups, NEVER)}
    n_periods = panel.rows.shape[1]
    cells = [(g, t) for g in rows for t in range(n_periods) if rows[g][t] > 0]
    position = {cell: k for k, cell in enumerate(cells)}
    effects, maps, share = [], [], []
    for g in map(int, groups):
        for t in range(n_periods):
            b = t - 1 if base == "varying" and t < g else g - 1
            if t == b or b < 0:
                continue
            others = [h for h in rows if h == NEVER or (control == "not_yet" and h > max(t, b) and h != g)]
            row = np.zeros(len(cells))
            if _add(row, position, rows, [g], t, 1) and _add(row, position, rows, [g], b, -1) \
               and _add(row, position, rows, others, t, -1) and _add(row, position, rows, others, b, 1):  # fmt: skip
                effects.append((g, t))
                maps.append(row)
                share.append(rows[g].sum())
    if not maps:
        raise InputError(
            "No effect can be measured",
            expected="a treated group and its comparators with rows before and after go-live",
            remedy="Widen the window, or name other comparators",
        )
    means = np.array([sums[g][t] / rows[g][t] for g, t in cells])
    return GroupTime(np.array(cells), np.array(effects), np.array(maps), means, np.array(share))


def _add(
    row: Array, position: Mapping[tuple[int, int], int], rows: Mapping[int, Array], groups: Sequence[int], t: int,
    sign: int,
) -> bool:  # fmt: skip
    """Adds the mean of some groups' rows in a period to a linear map; returns whether there are such rows."""
    total = sum(rows[g][t] for g in groups)
    if not total:
        return False
    for g in groups:
        if rows[g][t]:
            row[position[g, t]] += sign * rows[g][t] / total
    return True


def aggregate(effects: GroupTime, how: Literal["simple", "group", "calendar", "event"]) -> dict[str, Array]:
    """Returns averages of group-time effects, as linear maps (K,) by name.

    simple: over every (g, t) with t >= g, groups weighed by their rows. group: by group, over time; `overall` weighs
    groups by their rows. calendar and event: by period or event time, groups weighed by their rows; `overall` is the
    plain average over periods, or over event times from 0 on. Names: 'overall', and the period or event time.
    """
    g, t = effects.effects.T
    after = t >= g
    share = effects.share
    if how == "simple":
        return {"overall": _average(effects.maps, after * share)}
    if how == "group":
        groups = np.unique(g[after])
        maps = {str(k): _average(effects.maps, (after & (g == k)).astype(float)) for k in groups}
        weight = np.array([share[g == k][0] for k in groups])
        return maps | {"overall": _average(np.array(list(maps.values())), weight)}
    by, chosen = (t, after) if how == "calendar" else (t - g, np.ones_like(after))
    maps = {str(k): _average(effects.maps, share * (chosen & (by == k))) for k in np.unique(by[chosen])}
    overall = [maps[str(k)] for k in np.unique(by[after])]
    return maps | {"overall": np.mean(overall, axis=0)}


def _average(maps: Array, weight: Array) -> Array:
    average: Array = weight @ maps / weight.sum()
    return average


def saturated_moments(panel: UnitPanel, effects: GroupTime, maps: Mapping[str, Array]) -> ClusterMoments:
    """Returns the cluster cross-products of the saturated regression, with the maps as its first coefficients.

    The regression of y on a dummy for each group-by-period cell has the cells' means as coefficients. A change of basis
    makes the given linear combinations (linearly independent) coefficients of the same names; the others are nuisance.
    LA effects are not swept out: the design compares means of groups.
    """
    names = tuple(maps)
    n_cells = len(effects.cells)
    basis = basis_with(np.array([maps[name] for name in names])) if names else np.eye(n_cells)
    nuisance = tuple(f"nuisance_{k}" for k in range(n_cells - len(names)))
    return cell_moments(panel, effects, basis, names=names + nuisance)


def cell_moments(panel: UnitPanel, effects: GroupTime, regressors: Array, *, names: tuple[str, ...]) -> ClusterMoments:
    """Returns the cluster cross-products of y on regressors (cells, K) of group and period; nothing is swept out."""
    position = {(int(g), int(t)): k for k, (g, t) in enumerate(effects.cells)}
    n_units, n_periods = panel.rows.shape
    xx = np.empty((n_units, len(names), len(names)))
    xy = np.empty((n_units, len(names)))
    for unit in range(n_units):
        cells = [(t, position[int(panel.gtime[unit]), t]) for t in range(n_periods) if panel.rows[unit, t] > 0]
        periods, columns = (list(part) for part in zip(*cells, strict=True)) if cells else ([], [])
        own = regressors[columns]
        xx[unit] = own.T @ (panel.rows[unit, periods][:, None] * own)
        xy[unit] = own.T @ panel.y_sum[unit, periods]
    return ClusterMoments(
        unit_ids=panel.unit_ids,
        names=names,
        xx=xx,
        xy=xy,
        yy=None if panel.y_sumsq is None else panel.y_sumsq.sum(axis=1),
        n_rows=panel.rows.sum(axis=1),
        weight=np.ones(n_units),
        n_absorbed=0,
    )


def basis_with(wanted: Array) -> Array:
    """Returns T (K, K) with old coefficients = T @ new ones and wanted (m, K) @ T = [identity, 0]."""
    n_wanted, n_cells = wanted.shape
    _, triangle, pivot = qr(wanted, mode="economic", pivoting=True)
    if np.abs(np.diag(triangle)).min() < 1e-12 * np.abs(triangle[0, 0]):
        raise ValueError("the linear maps are not independent")
    lead, rest = pivot[:n_wanted], np.sort(pivot[n_wanted:])
    basis = np.zeros((n_cells, n_cells))
    basis[np.ix_(lead, range(n_wanted))] = np.linalg.inv(wanted[:, lead])
    basis[np.ix_(lead, range(n_wanted, n_cells))] = -solve(wanted[:, lead], wanted[:, rest])
    basis[rest, range(n_wanted, n_cells)] = 1.0
    return basis
