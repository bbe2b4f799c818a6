"""The G x G kernel of one coefficient: all that a wild cluster bootstrap of it needs.

With beta the estimate, a the row of (sum A)^-1 that belongs to the coefficient, s_g the scores and v a sign vector, the
bootstrap estimate less the null is sum v_g a's_g, and the score of cluster g about it is v_g a's_g - m_g' sum_h v_h s_h
with m_g = (sum A)^-1 A_g a. Under the null r the scores are affine in r, so the square of t* is a ratio of two
quadratics in r whose coefficients are found once for all r.

Source: Roodman, MacKinnon, Nielsen and Webb (2019, Stata Journal 19(1)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sos_spark.fit.inference.signs import SignDraws
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.moments import Array, ClusterMoments, place_of

Mask = npt.NDArray[np.bool_]

_NO_VARIATION = 1e-12


@dataclass(frozen=True)
class Kernel:
    """A coefficient's kernel, clusters in sorted order of their ids. Shapes: u, h (G,), spread, spread_slope (G, G).

    At rho = r - beta the numerators of the clusters are u - rho h, and the scores of a draw v about its own estimate
    v @ (spread - rho spread_slope). `se` is sqrt(sum u^2), CR1 without its factor; NaN where nothing is left to vary.
    `contributes` (G,) marks the clusters whose regressors vary at all.
    """

    estimate: float
    se: float
    factor: float
    u: Array
    h: Array
    spread: Array
    spread_slope: Array
    contributes: Mask

    def t(self, null: float) -> float:
        """Returns (estimate - null) / se_cr1, or NaN where nothing is left to vary."""
        return (self.estimate - null) / float(np.sqrt(self.factor) * self.se)

    def at(self, rho: float) -> tuple[Array, Array]:
        """Returns the numerators (G,) and the spread (G, G) under the null beta + rho."""
        return self.u - rho * self.h, self.spread - rho * self.spread_slope


def in_sorted_order(moments: ClusterMoments) -> ClusterMoments:
    """Returns the same regression with its clusters in the order of their ids, to which signs and draws belong."""
    order = sorted(range(moments.n_clusters), key=moments.unit_ids.__getitem__)
    return replace(
        moments,
        unit_ids=tuple(moments.unit_ids[g] for g in order),
        xx=moments.xx[order],
        xy=moments.xy[order],
        yy=None if moments.yy is None else moments.yy[order],
        n_rows=moments.n_rows[order],
        weight=moments.weight[order],
    )


def cr1_factor(moments: ClusterMoments, *, n_regressors: int | None = None) -> float:
    """Returns G/(G-1) (N-1)/(N-K), K the regressors and periods (`ClusterMoments.n_counted`).

    `n_regressors` stands for the number of names where a regression has others than these.
    """
    groups, rows = moments.n_clusters, float(moments.n_rows.sum())
    counted = moments.n_counted if n_regressors is None else n_regressors + moments.n_absorbed
    return groups / (groups - 1) * (rows - 1) / (rows - counted)


def kernel_of(moments: ClusterMoments, coefficient: str) -> Kernel:
    """Returns the kernel of a coefficient. Raises StudyError if the regression has none of that name."""
    place = place_of(moments, coefficient)
    clusters = in_sorted_order(moments)
    xx, xy = clusters.weighted_xx, clusters.weighted_xy
    solved = Sandwich(clusters)
    inverse, beta = solved.bread, solved.beta
    a = inverse[place]
    scores = xy - xx @ beta
    slope = xx @ a
    m = slope @ inverse
    # Restricted coefficients are beta + rho a / a_c, so the scores lose rho (A_g a) / a_c.
    slope = slope / a[place]
    u, h = scores @ a, slope @ a
    se, before = float(np.linalg.norm(u)), float(np.linalg.norm(xy @ a))
    return Kernel(
        estimate=float(beta[place]),
        se=se if se > _NO_VARIATION * before else float("nan"),
        factor=cr1_factor(moments),
        u=u,
        h=h,
        spread=np.diag(u) - scores @ m.T,
        spread_slope=np.diag(h) - slope @ m.T,
        contributes=np.asarray(xx.any(axis=(1, 2))),
    )


def same_sign(signs: Array, contributes: Mask) -> Mask:
    """Returns which draws multiply every cluster alike: |t*| = |t| there, whatever rounding says. Shape (rows,)."""
    first = signs[:, int(np.argmax(contributes))]
    same = np.asarray(np.abs(signs @ contributes - contributes.sum() * first) < 1e-6)
    # A mean can equal the first sign by chance with Webb's points: look at the few that are left.
    candidates = np.flatnonzero(same)
    same[candidates] = (signs[candidates][:, contributes] == first[candidates, None]).all(axis=1)
    return same


def t_stars(kernel: Kernel, draws: SignDraws, *, rho: float, unit_ids: Sequence[str]) -> Array:
    """Returns t* of every row of the draws under the null beta + rho, CR1 factor left out. Shape (rows,)."""
    width = len(unit_ids)
    columns = None if tuple(unit_ids) == draws.unit_ids else draws.columns(unit_ids)
    numerators, spread = kernel.at(rho)
    both = np.column_stack([spread, numerators])
    t_star = np.empty(draws.n_rows)
    start = 0
    for signs in draws.batches(floats_per_row=2 * width):
        own = signs if columns is None else signs[:, columns]
        drawn = own @ both
        scores = drawn[:, :width]
        part = t_star[start : start + len(own)]
        part[:] = _ratio(drawn[:, width], np.einsum("bg,bg->b", scores, scores))
        if rho != 0:
            same = same_sign(own, kernel.contributes)
            first = own[same, int(np.argmax(kernel.contributes))]
            part[same] = -np.sign(first) * rho / kernel.se
        start += len(own)
    return t_star


def _ratio(numerator: Array, variance: Array) -> Array:
    """Returns numerator / sqrt(variance): infinite where only the variance is zero, and zero where both are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = numerator / np.sqrt(variance)
    return np.where(numerator == 0, 0.0, ratio)
