"""Estimates and their cluster-robust covariances from cluster cross-products: CR1, CR2 with Satterthwaite df, CR3, iid.

With M = (sum_g w_g X_g'X_g)^-1 over regressors less their cluster means and s_g = X_g'e_g, the sandwich is
M (sum_g w_g^2 T_g s_g s_g' T_g') M with T_g = 1 for CR1. CR2 (Bell and McCaffrey 2002; Pustejovsky and Tipton 2018,
Journal of Business and Economic Statistics 36(4)) multiplies the residuals of cluster g by the inverse root of
(I - H)_g (I - H)_g'. With w_g constant within a cluster and cluster effects swept out that matrix is
I - 11'/n_g - X_g Q_g X_g', Q_g = 2 w_g M - M S M, S = sum_h w_h^2 X_h'X_h: it differs from the identity in the span
of X_g and of the constant only, so its root needs K x K products and never an N x N matrix (see `adjustment`). It
equals the adjustment of the regression with a dummy for each cluster. A direction that one cluster alone decides is
left out, as in a generalised inverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

import numpy as np

from sos_spark.errors import StudyError
from sos_spark.fit import student
from sos_spark.fit.regression.adjustment import adjusted_combinations
from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.regression.roots import left_inverse, root_of

_NO_FREEDOM = 1e-10
_UNDETERMINED = 1e-8
_NO_VARIATION = 1e-12


class Convention(StrEnum):
    """Whose small-sample factors a covariance carries; N rows, G clusters, K regressors and periods.

    SOS_SPARK: CR1 G/(G-1) (N-1)/(N-K), CR3 (G-1)/G. PYFIXEST: CR1 the same, CR3 with CR1's factor. STATSMODELS (and
    Stata's regress with a dummy for each cluster): CR1 counts the cluster effects in K. CLUBSANDWICH: CR1 G/(G-1) only,
    CR3 without a factor.
    """

    SOS_SPARK = "sos_spark"
    PYFIXEST = "pyfixest"
    STATSMODELS = "statsmodels"
    CLUBSANDWICH = "clubSandwich"


@dataclass(frozen=True)
class Satterthwaite:
    """CR2 standard errors of linear combinations, their Satterthwaite df and two-sided p. Shapes (m,)."""

    estimate: Array
    se: Array
    df: Array
    p: Array

    def interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Returns the ends of the t intervals, (m,) each."""
        half = student.quantile((1 + level) / 2, self.df) * self.se
        return self.estimate - half, self.estimate + half


@dataclass(frozen=True)
class StandardErrors:
    """Standard errors of one coefficient with the small-sample factors of a package, which `convention` names."""

    convention: Convention
    se_cr1: float
    se_cr3: float


class Sandwich:
    """A solved regression and its covariances, all (K, K) in the order of `moments.names`.

    Computed with every regressor in units of its own root sum of squares, so that no threshold depends on a unit.
    """

    def __init__(self, moments: ClusterMoments, *, convention: Convention = Convention.SOS_SPARK) -> None:
        self.moments = moments
        self.convention = convention
        self._scale = np.sqrt(np.einsum("gkk->k", moments.weighted_xx))
        self._xx = moments.xx / np.outer(self._scale, self._scale)
        self._xy = moments.xy / self._scale
        weight = moments.weight
        total, right = np.einsum("g,gkl->kl", weight, self._xx), weight @ self._xy
        inverse = np.linalg.inv(total)
        self._bread = (inverse + inverse.T) / 2
        beta = self._bread @ right
        # One step of refinement: the residual scores of an exact solution add up to zero.
        self._beta = beta + self._bread @ (right - total @ beta)
        self._scores = self._xy - np.einsum("gkl,l->gk", self._xx, self._beta)
        self._kept: dict[bytes, tuple[Array, Array]] = {}

    def for_outcome(self, xy: Array) -> Sandwich:
        """Returns the same regression of another y, by its X'y (G, K); what the regressors alone decide is kept."""
        other = Sandwich(replace(self.moments, xy=xy, yy=None), convention=self.convention)
        other._kept = self._kept
        return other

    @property
    def beta(self) -> Array:
        """The coefficients (K,)."""
        return np.asarray(self._beta / self._scale)

    @property
    def bread(self) -> Array:
        """(sum of weighted X'X)^-1."""
        return self._unscaled(self._bread)

    def estimate(self, coefficient: str) -> float:
        """Returns a coefficient by name."""
        return float(self.beta[self._place(coefficient)])

    def se(self, covariance: Array, coefficient: str) -> float:
        """Returns the standard error of a coefficient in one of the covariances; NaN where nothing is left to vary."""
        place = self._place(coefficient)
        variance = float(covariance[place, place])
        # Clusters that the regression fits exactly leave rounding, which is no standard error.
        least = _NO_VARIATION * float(self._size(np.eye(len(self._beta))[place]))
        return float(np.sqrt(variance)) if variance > least**2 else float("nan")

    def standard_errors(self, coefficient: str) -> StandardErrors:
        """Returns a coefficient's CR1 and CR3 standard errors under the convention."""
        return StandardErrors(self.convention, self.se(self.cr1, coefficient), self.se(self.cr3, coefficient))

    @property
    def cr1_factor(self) -> float:
        """The small-sample factor of CR1 under the convention."""
        groups, rows = self.moments.n_clusters, float(self.moments.n_rows.sum())
        if self.convention is Convention.CLUBSANDWICH:
            return groups / (groups - 1)
        every = self.convention is Convention.STATSMODELS
        counted = self.moments.n_parameters if every else self.moments.n_counted
        return groups / (groups - 1) * (rows - 1) / (rows - counted)

    @cached_property
    def cr1(self) -> Array:
        """CR1."""
        return self.cr1_factor * self._sandwich(self._scores)

    @cached_property
    def cr2(self) -> Array:
        """CR2: identity working variance of individual rows, under LA-equal weights too."""
        parts = self._adjusted_scores(np.eye(len(self._beta)))
        return self._unscaled(parts.T @ parts)

    @cached_property
    def cr3(self) -> Array:
        """CR3: the jackknife over clusters; NaN for a coefficient that one cluster alone decides."""
        weight = self.moments.weight
        total, right = np.einsum("g,gkl->kl", weight, self._xx), weight @ self._xy
        apart = np.empty_like(self._scores)
        for g, (xx, xy) in enumerate(zip(self._xx, self._xy, strict=True)):
            apart[g] = _solve_estimable(total - weight[g] * xx, right - weight[g] * xy) - self._beta
        groups = len(apart)
        factor = {
            Convention.SOS_SPARK: (groups - 1) / groups,
            Convention.STATSMODELS: (groups - 1) / groups,
            Convention.PYFIXEST: self.cr1_factor,
            Convention.CLUBSANDWICH: 1.0,
        }[self.convention]
        return factor * self._unscaled(np.einsum("gk,gl->kl", apart, apart))

    @cached_property
    def iid(self) -> Array | None:
        """The covariance of independent rows, K every parameter, LAs too; None where y_sumsq is not known."""
        moments = self.moments
        if moments.yy is None:
            return None
        fitted = 2 * self._xy @ self._beta - np.einsum("k,gkl,l->g", self._beta, self._xx, self._beta)
        left = float(moments.weight @ (moments.yy - fitted))
        freedom = float(moments.n_rows.sum()) - moments.n_parameters
        return max(left, 0.0) / freedom * self.bread if freedom > 0 else np.full_like(self.bread, np.nan)

    def satterthwaite(self, combinations: Array | None = None) -> Satterthwaite:
        """Returns CR2 inference on linear combinations (m, K) of the coefficients; on each of them where not given."""
        chosen = np.eye(len(self._beta)) if combinations is None else np.atleast_2d(combinations)
        estimate = chosen @ self.beta
        se = np.linalg.norm(self._adjusted_scores(chosen / self._scale), axis=0)
        se = np.where(se > _NO_VARIATION * self._size(chosen), se, np.nan)
        df = np.where(np.isnan(se), np.nan, self._adjustment(chosen / self._scale)[1])
        return Satterthwaite(estimate, se, df, 2 * student.above(np.abs(estimate / se), df))

    def satterthwaite_of(self, coefficients: Sequence[str]) -> Satterthwaite:
        """Returns CR2 inference on coefficients by name."""
        return self.satterthwaite(np.eye(len(self._beta))[[self._place(name) for name in coefficients]])

    def _size(self, combinations: Array) -> Array:
        """Returns how large standard errors of combinations (m, K) might be, to tell them from rounding. Shape (m,)."""
        by_cluster = np.einsum("g,gk->k", self.moments.weight**2, self._xy**2)
        return np.asarray(np.abs(combinations / self._scale) @ np.sqrt(by_cluster + 1e-300))

    def _adjusted_scores(self, combinations: Array) -> Array:
        """Returns each cluster's part in the combinations (m, K) of the scaled coefficients, (G, m)."""
        weighted = self.moments.weight[:, None] * self._scores
        return np.asarray(np.einsum("gkm,gk->gm", self._adjustment(combinations)[0], weighted))

    def _adjustment(self, combinations: Array) -> tuple[Array, Array]:
        """Returns what the regressors alone decide of combinations (m, K): h (G, K, m) and Satterthwaite's df (m,).

        h is (I - Q_g A_g)^(-1/2) M c. The df is (sum_g P_gg)^2 / sum_gh P_gh^2 with P_gh = p_g'p_h, p_g the weights of
        the errors in cluster g's part: w_g (I - H)_g' of X_g h_g.
        """
        key = combinations.tobytes()
        if key not in self._kept:
            weight = self.moments.weight
            spread = self._bread @ np.einsum("g,gkl->kl", weight**2, self._xx) @ self._bread
            q = 2 * weight[:, None, None] * self._bread - spread
            h = adjusted_combinations(self._xx, q, self._bread @ combinations.T)
            xh = weight[:, None, None] * (self._xx @ h)
            own = np.einsum("gkm,gkm,g->gm", h, xh, weight)
            self._kept[key] = h, np.array([self._df(xh[:, :, m], own[:, m], spread) for m in range(len(combinations))])
        return self._kept[key]

    def _df(self, xh: Array, own: Array, spread: Array) -> float:
        weight = self.moments.weight
        p = np.diag(own) - ((weight[:, None] + weight) * (xh @ self._bread @ xh.T) - xh @ spread @ xh.T)
        squares = np.sum(p**2)
        return float(np.trace(p) ** 2 / squares) if squares > 0 else float("nan")

    def _sandwich(self, scores: Array) -> Array:
        scaled = self.moments.weight[:, None] * scores @ self._bread
        return self._unscaled(scaled.T @ scaled)

    def _unscaled(self, matrix: Array) -> Array:
        return np.asarray(matrix / np.outer(self._scale, self._scale))

    def _place(self, coefficient: str) -> int:
        if coefficient not in self.moments.names:
            raise StudyError(
                "The coefficient is not in the regression", found=coefficient, remedy="Name a regressor of it"
            )
        return self.moments.names.index(coefficient)


def _solve_estimable(xx: Array, xy: Array) -> Array:
    """Returns the solution, NaN where a coefficient is not determined by what is left."""
    root = root_of(xx, threshold=_NO_FREEDOM)
    back = left_inverse(root)
    solution = back.T @ (back @ xy)
    if root.shape[1] < len(xy):
        determined = np.einsum("kr,rk->k", root, back) > 1 - _UNDETERMINED
        solution = np.where(determined, solution, np.nan)
    return np.asarray(solution)
