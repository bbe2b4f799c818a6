"""Extended two-way fixed effects under any assignment of go-lives, fast enough to permute them.

Only the group-by-period dummies change with an assignment, and only treated LAs have rows in them. So with X period
dummies and covariates, LA means swept out, everything follows from X'X and X'y by LA: a dummy of LA l and period t is
that period's column of X for this LA alone. Estimate and scores are those of `etwfe`: where some group is small, about
residuals that groups share (`shared_refit`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sos_spark.errors import InputError
from sos_spark.fit.cells.subpanel import Mask, period_products
from sos_spark.fit.regression.design import NEVER, Ints, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.residual_model import has_a_small_group
from sos_spark.fit.staggered.shared_refit import SharedResiduals, solve_spanned
from sos_spark.fit.staggered.untreated import UntreatedRows, predicted

_NOT_IDENTIFIED = 1e-7


@dataclass(frozen=True)
class _Products:
    """Of the rows in use: rows (G, T); weight (G,); xx (G, K, K) and, of y and the actual treatment, xy (2, G, K)."""

    rows: Array
    weight: Array
    xx: Array
    xy: Array


@dataclass(frozen=True)
class EtwfeRefit:
    """A panel whose go-lives are to be tried otherwise."""

    panel: PreparedPanel
    weights: Weights

    def scored(self, gtime: Ints) -> tuple[Array, Array]:
        """Returns the average of each outcome (2,) and the LAs' scores (2, G) when they go live as given, (G,).

        Raises:
            InputError: Nothing can be estimated.
        """
        panel = self.panel.with_gtime(gtime)
        keep = predicted(panel)
        parts = self._every if keep[panel.rows > 0].all() else self._products(keep)
        cells = _cells(gtime, panel.periods, parts.rows)
        if not (cells >= 0).any():
            raise InputError("No effect can be measured under this assignment")
        treated, taken = _one_hot(cells)
        left, right = _system(parts, treated, taken)
        n_columns = parts.xx.shape[1]
        weighed = parts.weight[treated, None] * parts.rows[treated]
        rows = np.einsum("lt,lte->e", weighed, taken)
        contrast = np.concatenate([np.zeros(n_columns), rows / rows.sum()])
        solved = solve_spanned(left, np.column_stack([right.T, contrast])).T
        slope, beta = solved[2], solved[:2]
        if np.abs(left @ slope - contrast).max() > _NOT_IDENTIFIED * contrast.max():
            raise InputError("No effect can be measured under this assignment")
        of_slope, *of_beta = (_by_unit(one, n_columns, treated, taken, len(gtime)) for one in (slope, *beta))
        vx = np.einsum("gk,gkl->gl", of_slope, parts.xx)
        vy = np.einsum("gk,ogk->og", of_slope, parts.xy)
        estimate = vy @ parts.weight
        if has_a_small_group(gtime, panel.periods[-1]):
            shared = SharedResiduals(panel.periods, parts.weight, parts.xx, parts.xy)
            return estimate, shared.scores(gtime, vx=vx, vy=vy, vv=np.einsum("gk,gk->g", vx, of_slope))
        return estimate, parts.weight * (vy - np.einsum("gk,ogk->og", vx, np.stack(of_beta)))

    @cached_property
    def _every(self) -> _Products:
        return self._products(np.ones(self.panel.rows.shape, dtype=bool))

    @cached_property
    def _by_period(self) -> tuple[tuple[PreparedPanel, Array, Array], ...]:
        """The panel with each outcome, and its covariates' cross-products by LA and period."""
        return tuple((each, *period_products(each)) for each in (self.panel, self.panel.with_effect_as_outcome()))

    def _products(self, keep: Mask) -> _Products:
        rows = self.panel.rows * keep
        totals = rows.sum(axis=1)
        own = 1.0 / np.maximum(totals, 1.0) if self.weights == "la_equal" else np.ones_like(totals)
        found = [
            UntreatedRows.of(
                each, keep, zz=np.einsum("gt,gtpq->gpq", keep, zz), zy=np.einsum("gt,gtp->gp", keep, zy)
            )
            for each, zz, zy in self._by_period
        ]  # fmt: skip
        return _Products(rows, own, found[0].xx, np.stack([part.xy for part in found]))


def _cells(gtime: Ints, periods: Ints, rows: Array) -> Ints:
    """Returns the number (G, T) of the effect that each treated LA-period with rows has, -1 elsewhere."""
    on = (gtime != NEVER)[:, None] & (periods >= gtime[:, None]) & (rows > 0)
    return np.where(on, gtime[:, None] * len(periods) + np.arange(len(periods)), -1)


def _one_hot(cells: Ints) -> tuple[Ints, Array]:
    """Returns the treated LAs (L,) and which effect each of their periods has, (L, T, E)."""
    treated = np.flatnonzero((cells >= 0).any(axis=1))
    found, place = np.unique(cells[treated], return_inverse=True)
    first = int(found[0] == -1)
    place = place.reshape(len(treated), cells.shape[1]) - first
    return treated, (place[:, :, None] == np.arange(len(found) - first)).astype(np.float64)


def _system(parts: _Products, treated: Ints, taken: Array) -> tuple[Array, Array]:
    """Returns the cross-products (K + E, K + E) of the regressors and, of each outcome, theirs with it (2, K + E)."""
    own = slice(0, taken.shape[1])
    weight = parts.weight[treated]
    with_effects = np.matmul(weight[:, None, None] * parts.xx[treated][:, :, own], taken)
    across = with_effects.sum(axis=0)
    within = np.matmul(taken.transpose(0, 2, 1), with_effects[:, own]).sum(axis=0)
    base = np.einsum("g,gkl->kl", parts.weight, parts.xx)
    y_effects = np.tensordot(weight[:, None] * parts.xy[:, treated, own], taken, axes=([1, 2], [0, 1]))
    right = np.concatenate([parts.weight @ parts.xy, y_effects], axis=1)
    return np.block([[base, across], [across.T, within]]), right


def _by_unit(coefficients: Array, n_columns: int, treated: Ints, taken: Array, n_units: int) -> Array:
    """Returns coefficients (K + E,) as those of each LA's own period dummies and covariates, (G, K)."""
    found = np.tile(coefficients[:n_columns], (n_units, 1))
    found[treated, : taken.shape[1]] += taken @ coefficients[n_columns:]
    return found
