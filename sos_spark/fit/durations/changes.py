"""Changes-in-changes: what pilots' distribution would have become, had each of its values moved as comparators' did.

Athey and Imbens (2006, Econometrica 74(2)). With F_at the distribution of arm a (1 pilots) before (0) and after (1)
go-live, a pilots' value at a rank of the comparators' first distribution moves to that rank of their second:

    F_N,11(y) = F_10( F_00^-1( F_01(y) ) )

unlike difference-in-differences the same whatever the scale on which lengths are measured. Lengths in whole days have
ties, which leave bounds (their theorem 4.1); the point between them takes ties as independent of the arm (their
equation 29). The standard error is the jackknife's, by unit within its arm, and is judged by permuted pilots: the usual
bootstrap of so few pilots draws too few distinct ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.fit.durations.counts import Mask
from sos_spark.fit.durations.permuted import JudgedEffects, absolute_t, judged
from sos_spark.fit.inference.assignments import Assignments
from sos_spark.fit.regression.moments import Array

_TIE = 1e-10
_ROWS_A_BATCH = 1000


@dataclass(frozen=True)
class ChangesInChanges:
    """Effects on the share within each day (D + 1) and, last, on the mean of days up to D; bounds over ties.

    `observed` (D + 1,) is the pilots' distribution after go-live, `bounds` (D + 2, 2) the least and most effect that
    ties leave.
    """

    effects: JudgedEffects
    observed: Array
    bounds: Array


def changes_in_changes(counts: Array, pilot: Mask, plan: Assignments) -> ChangesInChanges:
    """Estimates and judges changes-in-changes.

    Args:
        counts: Weighted rows of each unit before and after go-live by day of conclusion, open ones last, (G, 2, D + 2).
        pilot: Which units are treated, (G,): at least two of either arm.
        plan: Permutations of `pilot`, as 0 and 1.
    """
    att, se = _with_errors(counts, pilot[None, :])
    batches = list(plan.batches(size=max(1, _ROWS_A_BATCH // len(pilot))))
    permuted = np.vstack([absolute_t(*_with_errors(counts, batch.astype(bool))) for batch in batches])
    own = np.concatenate([(batch == plan.labels).all(axis=1) for batch in batches])
    f00, f01, f10, f11 = (_distribution(part) for part in _by_arm(counts, pilot[None, :]))
    ends = [_effects(f11, without)[0] for without in counterfactual(f00, f01, f10)]
    return ChangesInChanges(
        judged(att[0], se[0], permuted, own, plan), f11[0, :-1], np.sort(np.column_stack([ends[0], ends[2]]), axis=1)
    )


def counterfactual(f00: Array, f01: Array, f10: Array) -> tuple[Array, Array, Array]:
    """Returns F_N,11 (B, K): lower bound, the point under independent ties, upper bound, of distributions (B, K)."""
    n_batch, n_days = f00.shape
    start = n_days * np.arange(n_batch)[:, None]
    # Rows one after another, each in its own stretch of the line, so that one search serves all.
    line = (f00 + 2.0 * np.arange(n_batch)[:, None]).ravel()
    wanted = f01 + 2.0 * np.arange(n_batch)[:, None]
    up = np.clip(np.searchsorted(line, wanted - _TIE, side="left") - start, 0, n_days - 1)
    down = np.searchsorted(line, wanted + _TIE, side="right") - start - 1
    # Only days on which comparators had a row before count as values of theirs.
    has_rows, days = np.diff(f00, axis=1, prepend=0.0) > 0, np.arange(n_days)
    up = np.take_along_axis(
        np.minimum.accumulate(np.where(has_rows, days, n_days - 1)[:, ::-1], axis=1)[:, ::-1], up, axis=1
    )
    before = np.maximum.accumulate(np.where(has_rows, days, -1), axis=1)
    down = np.where(down < 0, -1, np.take_along_axis(before, np.maximum(down, 0), axis=1))

    def at(values: Array, place: Array) -> Array:
        return np.where(place < 0, 0.0, np.take_along_axis(values, np.maximum(place, 0), axis=1))

    lower, upper, ranks = at(f10, down), at(f10, up), (at(f00, down), at(f00, up))
    gap = ranks[1] - ranks[0]
    share = np.divide(f01 - ranks[0], gap, out=np.zeros_like(gap), where=gap > _TIE)
    return lower, lower + (upper - lower) * np.clip(share, 0.0, 1.0), upper


def _effects(f11: Array, without: Array) -> Array:
    """Returns effects (B, D + 2) on each share and on the mean of days up to D, from distributions (B, D + 2)."""
    shares = (f11 - without)[:, :-1]
    return np.column_stack([shares, -shares[:, :-1].sum(axis=1)])


def _estimate(*parts: Array) -> Array:
    f00, f01, f10, f11 = (_distribution(part) for part in parts)
    return _effects(f11, counterfactual(f00, f01, f10)[1])


def _by_arm(counts: Array, pilots: Mask) -> tuple[Array, Array, Array, Array]:
    """Returns the counts (P, K) of comparators before and after, and of pilots before and after."""
    flat = counts.reshape(len(counts), -1)
    treated = (pilots.astype(np.float64) @ flat).reshape(len(pilots), *counts.shape[1:])
    others = counts.sum(axis=0) - treated
    return others[:, 0], others[:, 1], treated[:, 0], treated[:, 1]


def _with_errors(counts: Array, pilots: Mask) -> tuple[Array, Array]:
    """Returns effects and jackknife standard errors (P, D + 2) of each assignment (P, G)."""
    whole = _by_arm(counts, pilots)
    variance = np.zeros((len(pilots), counts.shape[2]))
    for arm, of_arm in enumerate((~pilots, pilots)):
        # Each unit of the arm left out of it, the other arm as it is.
        place, unit = np.nonzero(of_arm)
        parts = [part[place] for part in whole]
        for side in (0, 1):
            parts[2 * arm + side] -= counts[unit, side]
        found = _in_chunks(parts)
        n, starts = of_arm.sum(axis=1)[:, None], np.flatnonzero(np.diff(place, prepend=-1))
        mean = np.add.reduceat(found, starts) / n
        variance += (n - 1) / n * np.add.reduceat((found - mean[place]) ** 2, starts)
    return _estimate(*whole), np.sqrt(variance)


def _in_chunks(parts: list[Array]) -> Array:
    cuts = range(0, len(parts[0]), _ROWS_A_BATCH)
    return np.vstack([_estimate(*(part[cut : cut + _ROWS_A_BATCH] for part in parts)) for cut in cuts])


def _distribution(counts: Array) -> Array:
    """Returns cumulative shares (B, K) of counts by day."""
    total = counts.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(counts, total, out=np.zeros_like(counts), where=total > 0).cumsum(axis=1))
