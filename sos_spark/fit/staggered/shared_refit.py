"""Scores of an estimate about residuals that groups share, under any assignment of go-lives.

The numbers of `residual_model.moments_of`, of one regression for each assignment, without building it: the model's
regressors X are period effects, covariates and the effects that treated rows share, LA means swept out, and u is what
of the estimate's weights v they do not span. With y fitted on X and, at right angles to them, on u,

    score_l = w_l (v_l'y_l - v_l'X_l beta - k v_l'u_l),        k = u'y / u'u.

Only the shared effects change with an assignment, and only treated LAs have rows in them.

Where groups are small a treated LA decides much of an effect that few share, and its residual keeps only a part of
its own shocks. So the treated LAs' scores are those of CR2, up to the shape of its adjustment: in the direction of v,
which is all that counts here, it is a number for each LA, the root of the share of v'v that the model's leverage
leaves. Other LAs have next to no leverage; how their scores count stands in `small_groups`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf

from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.group_time import Ints
from sos_spark.fit.staggered.residual_model import effect_groups, has_a_small_group
from sos_spark.fit.staggered.small_groups import count_of_comparators

_DEPENDENT = 1e-9
_NO_FREEDOM = 1e-6
_ROUNDING = 1e-10
"""Share of v's sum of squares outside the model below which it is rounding."""


@dataclass(frozen=True)
class SharedResiduals:
    """Cross-products by LA, LA means swept out, of period dummies and covariates, K = T + P, with several outcomes.

    Shapes: periods (T,); weight (G,), of each row of an LA; xx (G, K, K); xy (O, G, K).
    """

    periods: Ints
    weight: Array
    xx: Array
    xy: Array

    def scores(self, gtime: Ints, *, vx: Array, vy: Array, vv: Array) -> Array:
        """Returns the scores (O, G) of an estimate when the LAs go live as given, (G,).

        Args:
            gtime: First treated period of each LA, or NEVER.
            vx: v with the period dummies and covariates by LA, (G, K).
            vy: v with each outcome by LA, (O, G).
            vv: v with itself by LA, (G,).
        """
        n_periods = len(self.periods)
        groups = effect_groups(gtime, self.periods)
        treated = np.flatnonzero((groups >= 0).any(axis=1))
        found, place = np.unique(groups[treated], return_inverse=True)
        place = place.reshape(len(treated), n_periods) - int(found[0] == -1)
        taken = (place[:, :, None] == np.arange(len(found) - int(found[0] == -1))).astype(np.float64)
        weight, own = self.weight[treated], slice(0, n_periods)
        with_effects = np.matmul(weight[:, None, None] * self.xx[treated][:, :, own], taken)
        across = with_effects.sum(axis=0)
        within = np.matmul(taken.transpose(0, 2, 1), with_effects[:, own]).sum(axis=0)
        left = np.block([[self._periods_and_covariates, across], [across.T, within]])
        v_effects = np.zeros((len(vx), taken.shape[2]))
        v_effects[treated] = np.matmul(vx[treated, None, own], taken)[:, 0]
        v_all = np.concatenate([vx, v_effects], axis=1)
        y_effects = np.tensordot(weight[:, None] * self.xy[:, treated, own], taken, axes=([1, 2], [0, 1]))
        right = np.vstack([np.concatenate([self.weight @ self.xy, y_effects], axis=1), self.weight @ v_all])
        solved = solve_spanned(left, right.T).T
        beta, ols = solved[:-1], solved[-1]
        left_over = vy - beta @ v_all.T
        outside, total = vv - v_all @ ols, float(self.weight @ vv)
        size = float(self.weight @ outside)
        beyond = size > _ROUNDING * total
        if beyond:
            left_over = left_over - np.outer(left_over @ self.weight / size, outside)
        if has_a_small_group(gtime, self.periods[-1]):
            spans = v_all[treated]
            leverage = np.einsum("lk,kl->l", spans, solve_spanned(left, spans.T))
            leverage += outside[treated] ** 2 / size if beyond else 0.0
            left_over[:, treated] *= adjustment(weight * leverage, vv[treated])
            left_over *= count_of_comparators(groups)
        return np.asarray(self.weight * left_over)

    @cached_property
    def _periods_and_covariates(self) -> Array:
        """(K, K): the cross-products that no assignment changes."""
        return np.asarray(np.einsum("g,gkl->kl", self.weight, self.xx))


def adjustment(leverage: Array, whole: Array) -> Array:
    """Returns what scores v'e of LAs (L,) are multiplied by: 1 / sqrt(1 - v'H v / v'v), 0 where H leaves nothing.

    Args:
        leverage: v'H v by LA, H the LA's block of the model's hat matrix.
        whole: v'v by LA.
    """
    left = 1 - np.divide(leverage, whole, out=np.ones_like(whole), where=whole > 0)
    return np.where(left > _NO_FREEDOM, 1 / np.sqrt(np.maximum(left, _NO_FREEDOM)), 0.0)


def solve_spanned(left: Array, right: Array) -> Array:
    """Solves cross-products (K, K) for right-hand sides (K, m) in their span, of regressors some of which may depend.

    By Cholesky with pivots, every regressor in units of its own root sum of squares; dependent ones get 0.
    """
    size = np.sqrt(np.maximum(np.diag(left), 0.0))
    scale = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    factor, pivot, rank, _ = dpstrf(left * np.outer(scale, scale), tol=_DEPENDENT, lower=1)
    first = pivot[:rank] - 1
    lower = factor[:rank, :rank]
    half = solve_triangular(lower, scale[first, None] * right[first], lower=True, check_finite=False)
    solution = np.zeros_like(right)
    solution[first] = scale[first, None] * solve_triangular(lower, half, lower=True, trans=1, check_finite=False)
    return solution
