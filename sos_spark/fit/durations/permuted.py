"""Two-way effects on many outcomes of the same rows at once, judged by permuted go-lives, one by one and together.

With M what sweeps unit and period effects out of a row, the treatment of pilots a is M D = sum_g a_g M(e_g x after), so
that one look at the panel serves every assignment and every outcome. The statistic of each is t with a standard error
from the clusters' scores; the largest |t| of all outcomes tests that none changed, and bands follow from it (Westfall
and Young 1993; Romano and Wolf 2005). Intervals are estimate -/+ the permuted |t|'s critical value times the error, so
that they exclude 0 exactly where p is below 0.05.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.fit.durations.counts import Mask
from sos_spark.fit.inference.assignments import Assignments
from sos_spark.fit.inference.effect_distribution import TIE
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.thresholds import ALPHA

_FLOATS_A_BATCH = 8_000_000
_NO_VARIATION = 1e-12


@dataclass(frozen=True)
class JudgedEffects:
    """Effects on K outcomes. Shapes (K,): att; se; p; critical, what |att / se| must exceed for p < 0.05.

    `p_any` is that of 'none changed', `critical_any` what the largest |att / se| must exceed. NaN where an effect has
    no standard error, or there are too few assignments for a p below 0.05.
    """

    att: Array
    se: Array
    p: Array
    critical: Array
    p_any: float
    critical_any: float

    def interval(self) -> tuple[Array, Array]:
        """Returns the 95 % interval of each."""
        half = self.critical * self.se
        return self.att - half, self.att + half

    def band(self) -> tuple[Array, Array]:
        """Returns the 95 % band of all together."""
        half = self.critical_any * self.se
        return self.att - half, self.att + half


def judged(att: Array, se: Array, permuted: Array, own: Mask, plan: Assignments) -> JudgedEffects:
    """Judges effects (K,) by the |t| of each assignment (P, K), infinite where undefined; `own` (P,) the actual one."""
    known = se > _NO_VARIATION * np.abs(att)
    t = np.where(known, np.abs(att) / np.where(known, se, 1.0), np.nan)
    p = np.array([plan.p_value(int(np.count_nonzero(permuted[:, k] >= t[k] * (1 - TIE)))) for k in range(len(t))])
    largest = permuted[:, known].max(axis=1) if known.any() else np.full(len(permuted), np.inf)
    n_reached = int(np.count_nonzero(largest >= (np.nanmax(t) if known.any() else np.nan) * (1 - TIE)))
    return JudgedEffects(
        att=att,
        se=np.where(known, se, np.nan),
        p=np.where(known, p, np.nan),
        critical=np.where(known, _critical(permuted, own, plan), np.nan),
        p_any=plan.p_value(n_reached) if known.any() else float("nan"),
        critical_any=float(_critical(largest[:, None], own, plan)[0]),
    )


def _critical(permuted: Array, own: Mask, plan: Assignments) -> Array:
    """Returns (K,) what |t| must exceed for p < 0.05; NaN where nothing reaches that."""
    n = plan.n if plan.enumerated else plan.n + 1
    may_reach = int(np.ceil(ALPHA * n - 1e-9)) - 2
    others = permuted[~own] if plan.enumerated else permuted
    if may_reach < 0 or may_reach >= len(others):
        return np.full(permuted.shape[1], np.nan)
    found = -np.sort(-others, axis=0)[may_reach]
    return np.where(np.isfinite(found), found, np.nan)


def two_way_effects(rows: Array, sums: Array, pilot: Mask, after: Mask, plan: Assignments) -> JudgedEffects:
    """Estimates the two-way effect on each of K outcomes and judges them.

    Args:
        rows: Weighted rows, (G, T).
        sums: Weighted sums of each outcome over them, (G, T, K).
        pilot: Which units are treated, (G,).
        after: Which periods are from go-live on, (T,): the same of all.
        plan: Permutations of `pilot`, as 0 and 1.
    """
    mean = np.divide(sums, rows[:, :, None], out=np.zeros_like(sums), where=rows[:, :, None] > 0)
    y = rows[:, :, None] * _swept(rows, mean)
    n_units, n_periods = rows.shape
    alone = np.zeros((n_units, n_periods, n_units))
    alone[np.arange(n_units), :, np.arange(n_units)] = after
    of_unit = np.moveaxis(_swept(rows, alone), 2, 0).reshape(n_units, -1)

    def estimate(assigned: Array) -> tuple[Array, Array]:
        """(P, G) -> effects and standard errors (P, K)."""
        treated = (assigned @ of_unit).reshape(len(assigned), n_units, n_periods)
        own = np.einsum("gt,pgt->pg", rows, treated**2)
        by_unit = np.matmul(treated.transpose(1, 0, 2), y).transpose(1, 0, 2)
        total = own.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            effect = by_unit.sum(axis=1) / total[:, None]
            scores = (by_unit - effect[:, None, :] * own[:, :, None]) / total[:, None, None]
        return effect, np.sqrt(np.einsum("pgk,pgk->pk", scores, scores))

    att, se = estimate(pilot[None, :].astype(np.float64))
    size = max(1, _FLOATS_A_BATCH // (n_units * max(n_periods, sums.shape[2])))
    batches = list(plan.batches(size=size))
    permuted = np.vstack([absolute_t(*estimate(batch.astype(np.float64))) for batch in batches])
    own = np.concatenate([(batch == plan.labels).all(axis=1) for batch in batches])
    return judged(att[0], se[0], permuted, own, plan)


def absolute_t(effect: Array, se: Array) -> Array:
    """Returns |t|, infinite where there is none: such an assignment counts as extreme."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(effect) / se
    return np.where(np.isnan(t), np.inf, t)


def _swept(rows: Array, values: Array) -> Array:
    """Sweeps unit and period effects, by weight `rows` (G, T), out of columns (G, T, K); 0 where there are no rows."""
    total = rows.sum(axis=1)
    share = np.divide(rows, total[:, None], out=np.zeros_like(rows), where=total[:, None] > 0)
    seen = (rows > 0)[:, :, None]
    centred = np.where(seen, values - np.einsum("gt,gtk->gk", share, values)[:, None, :], 0.0)
    products = np.diag(rows.sum(axis=0)) - rows.T @ share
    slopes = np.linalg.pinv(products, hermitian=True) @ np.einsum("gt,gtk->tk", rows, centred)
    return np.where(seen, centred - slopes + (share @ slopes)[:, None, :], 0.0)
