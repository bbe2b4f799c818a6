"""The jackknife in the wild cluster bootstrap (WCR-33), and coarser clusters, from cluster cross-products.

WCR-33 takes the place of two things in the restricted bootstrap: the scores that are multiplied by signs are those of
residuals from the restricted fit without the cluster, and t has the jackknife's standard error (CR3), of the estimate
and of every draw. With A = sum A_g and, for a draw, scores v_g s_g, the estimate without cluster g moves by
(A - A_g)^-1 sum_{h != g} v_h s_h: linear in the signs, so a G x G matrix gives every draw's.

Source: MacKinnon, Nielsen and Webb (2023, Journal of Applied Econometrics 38(5)).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from sos_spark.fit.inference.kernel import in_sorted_order
from sos_spark.fit.inference.signs import SignDraws
from sos_spark.fit.regression.moments import Array, ClusterMoments, place_of

_TIE = 1e-10


@dataclass(frozen=True)
class JackknifeTest:
    """A test of 'no effect' by WCR-33: t with CR3's standard error, p the share of draws with |t*| >= |t|."""

    p: float
    t: float
    n_draws: int
    enumerated: bool


def jackknife_bootstrap_test(moments: ClusterMoments, *, coefficient: str, draws: int, seed: int) -> JackknifeTest:
    """Tests that a coefficient is zero by WCR-33, with the signs that `wild_cluster_test` has for draws and seed.

    NaN where the regression cannot be solved without some cluster.
    """
    clusters = in_sorted_order(moments)
    place = place_of(clusters, coefficient)
    xx, xy = clusters.weighted_xx, clusters.weighted_xy
    plan = SignDraws.for_units(moments.unit_ids, draws=draws, seed=seed)
    total = xx.sum(axis=0)
    others = np.delete(np.arange(len(total)), place)
    if _is_singular(total - xx):
        return JackknifeTest(float("nan"), float("nan"), plan.n_draws, plan.enumerated)
    without = np.linalg.inv(total - xx)[:, place]
    row = np.linalg.inv(total)[place]
    beta = row @ xy.sum(axis=0)
    t = beta / _norm(np.einsum("gk,gk->g", without, xy.sum(axis=0) - xy) - beta)
    # Restricted coefficients without each cluster, and its scores about them.
    left = (total - xx)[np.ix_(np.arange(len(xx)), others, others)]
    restricted = np.linalg.solve(left, (xy.sum(axis=0) - xy)[:, others, None])[:, :, 0]
    scores = xy - np.einsum("gkl,gl->gk", xx[:, :, others], restricted)
    own = scores @ row
    spread = scores @ without.T - own[:, None]
    np.fill_diagonal(spread, -own)
    count = 0
    for signs in plan.batches(floats_per_row=2 * len(xx)):
        star = signs @ own
        with np.errstate(divide="ignore", invalid="ignore"):
            t_star = np.abs(star) / _norm(signs @ spread, axis=1)
        count += int(np.count_nonzero(~(t_star < abs(t) * (1 - _TIE))))
    return JackknifeTest(plan.p_value(count), float(t), plan.n_draws, plan.enumerated)


def coarser(moments: ClusterMoments, cluster_of: Mapping[str, str]) -> ClusterMoments:
    """Returns the same regression with its clusters put together; LA effects stay within, so cross-products add up.

    Weights are in the cross-products already, so that each row of the new clusters counts one.
    """
    names = sorted({cluster_of[unit] for unit in moments.unit_ids})
    member = np.array([[cluster_of[unit] == name for unit in moments.unit_ids] for name in names], dtype=float)
    return replace(
        moments,
        unit_ids=tuple(names),
        xx=np.einsum("rg,gkl->rkl", member, moments.weighted_xx),
        xy=member @ moments.weighted_xy,
        yy=None,
        n_rows=member @ moments.n_rows,
        weight=np.ones(len(names)),
    )


def _is_singular(matrices: Array) -> bool:
    scale = np.sqrt(np.einsum("gkk->gk", matrices))
    if (scale == 0).any():
        return True
    scaled = matrices / (scale[:, :, None] * scale[:, None, :])
    return bool((np.linalg.eigvalsh(scaled)[:, 0] < 1e-10).any())


def _norm(differences: Array, axis: int | None = None) -> Array:
    """Returns CR3's standard error from what each cluster's absence changes."""
    groups = differences.shape[-1]
    return np.asarray(np.sqrt((groups - 1) / groups) * np.linalg.norm(differences, axis=axis))
