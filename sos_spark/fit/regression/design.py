"""From a prepared panel to the cluster cross-products of a regression of individual rows.

y_i = a_l + g_t + b D_lt + z_i'c + u_i for row i of LA l in period t. D and every other regressor that is not a child's
own is a function of (LA, period), so totals by LA and period, and the covariates' cross-products by LA, give X'X and
X'y of the individual rows exactly. LA effects are swept out within the LA: regressors less their mean over its rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

from sos_spark.fit.regression.moments import Array, ClusterMoments

Ints = npt.NDArray[np.int64]
Weights = Literal["child", "la_equal"]

NEVER = -1
"""The gtime of an LA that is never treated within the panel."""
TREATED = "treated"
"""The name of the coefficient that is the effect."""

_DEPENDENT = 1e-9
_CONSTANT = 1e-12


@dataclass(frozen=True)
class CellArrays:
    """The cells as they came, for what needs more than totals by LA and period (heteroskedasticity-robust SEs).

    Shapes: unit, period (C,) places in the panel's unit_ids and periods; n, y_sum (C,); y_sumsq (C,) or None; levels
    (C, Q), for each of Q categorical covariates the place of the cell's dummy among `covariates`, -1 for the reference.
    """

    unit: Ints
    period: Ints
    n: Array
    y_sum: Array
    y_sumsq: Array | None
    levels: Ints


@dataclass(frozen=True)
class PreparedPanel:
    """One outcome's panel, ready to fit: pilots and comparators only, every rule about missing values applied.

    Shapes, with G units, T periods and P covariate columns: unit_ids (G,) sorted; periods (T,) the period numbers that
    have rows, ascending, and period_starts (T,); gtime (G,) the number of the first treated period, or NEVER; rows,
    y_sum (G, T) individual rows and sums of y, 0 where an LA was not observed; y_sumsq (G, T) or None where not given;
    z_sum (G, T, P) sums of the covariate columns; zz_sum (G, P, P) and zy_sum (G, P) their raw cross-products.
    `covariates` (P,) names the columns: `age_band=1-4` for a dummy, `age_years` for a continuous one, which are listed
    in `continuous`; `references` (Q,) the levels without a dummy, `age_band=10-15`; `continuous_products` (G, T, P + 1,
    C) are sums by LA and period of each of the C continuous ones times every column and, last, y, which cells do not
    give; None where there is none. `cells` are as they came. `partial` (G,) is the share of the period before gtime in
    which an LA was treated already, where the study counts it; None where it counts none.
    """

    outcome_id: str
    unit_ids: tuple[str, ...]
    periods: Ints
    period_starts: tuple[date, ...]
    gtime: Ints
    rows: Array
    y_sum: Array
    y_sumsq: Array | None
    covariates: tuple[str, ...]
    continuous: tuple[str, ...]
    z_sum: Array
    zz_sum: Array
    zy_sum: Array
    cells: CellArrays
    warnings: tuple[str, ...] = ()
    continuous_products: Array | None = None
    references: tuple[str, ...] = ()
    partial: Array | None = None

    @property
    def n_rows(self) -> int:
        """Individual rows."""
        return int(self.rows.sum())

    @property
    def n_cells(self) -> int:
        """Cells used: LA, period and levels of the covariates, once levels are merged."""
        return len(np.unique(np.column_stack([self.cells.unit, self.cells.period, self.cells.levels]), axis=0))

    @property
    def treated(self) -> Array:
        """D (G, T): 1 from gtime on, for an LA that has one."""
        treated: Array = ((self.gtime != NEVER)[:, None] & (self.periods >= self.gtime[:, None])).astype(np.float64)
        return treated

    @property
    def exposure(self) -> Array:
        """The treatment of a two-way fit (G, T): D, and `partial` in the period before gtime."""
        if self.partial is None:
            return self.treated
        return np.asarray(self.treated + self.in_transition * self.partial[:, None])

    @property
    def in_transition(self) -> npt.NDArray[np.bool_]:
        """(G, T): whether an LA went live inside the period and the study counts its share."""
        if self.partial is None:
            return np.zeros(self.rows.shape, dtype=bool)
        return np.asarray((self.periods == self.gtime[:, None] - 1) & (self.partial > 0)[:, None])

    @property
    def is_treated_unit(self) -> npt.NDArray[np.bool_]:
        """(G,): whether the LA is ever treated."""
        return np.asarray(self.gtime != NEVER)

    @property
    def n_treated_units(self) -> int:
        """Treated LAs with rows both before and after their go-live."""
        seen = self.rows > 0
        before, after = (seen & (self.treated == side) for side in (0, 1))
        return int(np.count_nonzero(self.is_treated_unit & before.any(axis=1) & after.any(axis=1)))

    @property
    def event_time(self) -> Ints:
        """(G, T): period - gtime; meaningless for an LA that is never treated."""
        return np.asarray(self.periods[None, :] - self.gtime[:, None])

    def with_gtime(self, gtime: Ints) -> PreparedPanel:
        """Returns the panel under another assignment (G,) of first treated periods; its shares go with the periods.

        Of several shares with one period each LA takes the mean.
        """
        assigned = np.asarray(gtime, dtype=np.int64)
        if self.partial is None:
            return replace(self, gtime=assigned)
        share = self.share_by_gtime
        return self.with_starts(assigned, np.array([share.get(int(g), 0.0) for g in assigned]))

    @property
    def share_by_gtime(self) -> dict[int, float]:
        """The share of the period before each first treated period, the mean of its LAs; empty where none counts."""
        if self.partial is None:
            return {}
        return {int(g): float(self.partial[self.gtime == g].mean()) for g in np.unique(self.gtime) if g != NEVER}

    def with_starts(self, gtime: Ints, partial: Array) -> PreparedPanel:
        """Returns the panel under another assignment of first treated periods and of shares of those before, (G,)."""
        return replace(self, gtime=gtime, partial=partial)

    def with_effect_as_outcome(self) -> PreparedPanel:
        """Returns the panel of the same rows with their treatment as y: an effect of 1 and nothing else."""
        return self.with_outcome(self.exposure)

    def with_outcome(self, on: Array) -> PreparedPanel:
        """Returns the panel of the same rows with a y that is the same in all rows of an LA and period, (G, T)."""
        cells = replace(self.cells, y_sum=self.cells.n * on[self.cells.unit, self.cells.period], y_sumsq=None)
        products = self.continuous_products
        if products is not None:
            products = products.copy()
            products[:, :, -1] = self.z_sum[:, :, len(self.covariates) - len(self.continuous) :] * on[:, :, None]
        return replace(
            self,
            y_sum=self.rows * on,
            y_sumsq=None,
            zy_sum=np.einsum("gtp,gt->gp", self.z_sum, on),
            cells=cells,
            continuous_products=products,
        )

    def without(self, unit_ids: Collection[str]) -> PreparedPanel:
        """Returns the panel without some LAs."""
        keep = np.array([unit_id not in unit_ids for unit_id in self.unit_ids])
        place = np.cumsum(keep) - 1
        mine = keep[self.cells.unit]
        cells = CellArrays(
            unit=place[self.cells.unit[mine]].astype(np.int64),
            period=self.cells.period[mine],
            n=self.cells.n[mine],
            y_sum=self.cells.y_sum[mine],
            y_sumsq=None if self.cells.y_sumsq is None else self.cells.y_sumsq[mine],
            levels=self.cells.levels[mine],
        )
        return replace(
            self,
            unit_ids=tuple(unit for unit, kept in zip(self.unit_ids, keep, strict=True) if kept),
            gtime=self.gtime[keep],
            rows=self.rows[keep],
            y_sum=self.y_sum[keep],
            y_sumsq=None if self.y_sumsq is None else self.y_sumsq[keep],
            z_sum=self.z_sum[keep],
            zz_sum=self.zz_sum[keep],
            zy_sum=self.zy_sum[keep],
            cells=cells,
            continuous_products=None if self.continuous_products is None else self.continuous_products[keep],
            partial=None if self.partial is None else self.partial[keep],
        )

    def strata(self, of: Literal["none", "size"]) -> Ints:
        """Returns the stratum of each LA, (G,), for randomisation: one for all, or thirds by rows over the window."""
        if of == "none":
            return np.zeros(len(self.unit_ids), dtype=np.int64)
        rank = np.argsort(np.argsort(self.rows.sum(axis=1), kind="stable"), kind="stable")
        return np.asarray(3 * rank // len(rank), dtype=np.int64)

    def row_weight(self, weights: Weights) -> Array:
        """Returns the weight of each row of each LA, (G,): 1, or one over the LA's rows over the window."""
        totals = self.rows.sum(axis=1)
        return np.ones_like(totals) if weights == "child" else 1.0 / totals


@dataclass(frozen=True)
class Regression:
    """A regression's cross-products, and the regressors left out because others already say what they say.

    `effects` are its regressors of LA and period, by name, each (G, T); period dummies and covariates are the panel's.
    """

    moments: ClusterMoments
    dropped: tuple[str, ...]
    effects: Mapping[str, Array]


def treatment_regression(panel: PreparedPanel, *, weights: Weights) -> Regression:
    """Returns the regression of the two-way fixed effects model: treatment, periods, covariates."""
    return regression(panel, {TREATED: panel.exposure}, weights=weights)


def regression(panel: PreparedPanel, effects: Mapping[str, Array], *, weights: Weights) -> Regression:
    """Returns the cross-products of y on regressors of LA and period, period dummies and covariates.

    Args:
        panel: The prepared panel.
        effects: Regressors by name, each (G, T); they come first in the result's names.
        weights: child: each row counts once; la_equal: each LA does.

    A regressor is left out where the ones before it determine it, in the order periods, covariates, effects: an effect
    that periods and covariates determine is never estimated from the dummy of a period that was dropped for it.
    """
    totals = panel.rows.sum(axis=1)
    y_mean = panel.y_sum.sum(axis=1) / totals
    names = (*effects, *(f"period_{number}" for number in panel.periods[1:]), *panel.covariates)
    by_period = np.broadcast_to(
        np.eye(len(panel.periods))[:, 1:], (len(totals), len(panel.periods), len(panel.periods) - 1)
    )
    w = np.concatenate([np.stack([*effects.values()], axis=2), by_period], axis=2) if effects else by_period
    raw_w = np.einsum("gt,gtk->k", panel.rows, w**2)
    w = w - (np.einsum("gt,gtk->gk", panel.rows, w) / totals[:, None])[:, None, :]
    z_total = panel.z_sum.sum(axis=1)
    z_mean = z_total / totals[:, None]
    z_about_mean = panel.z_sum - panel.rows[:, :, None] * z_mean[:, None, :]
    ww = np.matmul((w * panel.rows[:, :, None]).transpose(0, 2, 1), w)
    wz = np.matmul(w.transpose(0, 2, 1), z_about_mean)
    zz = panel.zz_sum - z_total[:, :, None] * z_mean[:, None, :]
    xx = np.concatenate([np.concatenate([ww, wz], axis=2), np.concatenate([wz.transpose(0, 2, 1), zz], axis=2)], axis=1)
    wy = np.einsum("gtk,gt->gk", w, panel.y_sum - panel.rows * y_mean[:, None])
    xy = np.concatenate([wy, panel.zy_sum - z_total * y_mean[:, None]], axis=1)
    weight = panel.row_weight(weights)
    raw = np.concatenate([raw_w, np.einsum("gpp->p", panel.zz_sum)])
    order = [*range(len(effects), len(names)), *range(len(effects))]
    kept = independent(np.einsum("g,gkl->kl", weight, xx), raw=raw * weight.max(), order=order)
    moments = ClusterMoments(
        unit_ids=panel.unit_ids,
        names=tuple(names[k] for k in kept),
        xx=xx[:, kept][:, :, kept],
        xy=xy[:, kept],
        yy=None if panel.y_sumsq is None else _about_mean(totals, panel.y_sum, panel.y_sumsq),
        n_rows=totals,
        weight=weight,
    )
    return Regression(moments, tuple(name for k, name in enumerate(names) if k not in set(kept)), dict(effects))


def _about_mean(totals: Array, y_sum: Array, y_sumsq: Array) -> Array:
    """Returns each LA's sum of squares of y about its mean, (G,): in whole numbers, so exact, where the sums are."""
    squares = np.empty(len(totals))
    for unit, total in enumerate(totals):
        if (y_sum[unit] % 1 == 0).all() and (y_sumsq[unit] % 1 == 0).all():
            rows, first, second = int(total), sum(map(int, y_sum[unit])), sum(map(int, y_sumsq[unit]))
            squares[unit] = (rows * second - first * first) / rows
        else:
            squares[unit] = y_sumsq[unit].sum() - y_sum[unit].sum() ** 2 / total
    return np.maximum(squares, 0.0)


def independent(xx: Array, *, raw: Array, order: list[int]) -> list[int]:
    """Returns the places of the regressors that earlier ones, in the given order, do not determine; ascending.

    Args:
        xx: (K, K) cross-products of regressors, LA means swept out.
        raw: (K,) sums of squares before that, to tell a constant from rounding.
        order: The order in which regressors claim what they share.
    """
    own = np.diag(xx)
    kept: list[int] = []
    factor = np.zeros((len(own), len(own)))
    for k in order:
        if own[k] <= _CONSTANT * raw[k] or own[k] <= 0:
            continue
        m = len(kept)
        scaled = xx[kept, k] / np.sqrt(own[kept] * own[k])
        row = np.zeros(m)
        for j in range(m):
            row[j] = (scaled[j] - factor[j, :j] @ row[:j]) / factor[j, j]
        left = 1.0 - row @ row
        if left <= _DEPENDENT:
            continue
        factor[m, :m], factor[m, m] = row, np.sqrt(left)
        kept.append(k)
    return sorted(kept)
