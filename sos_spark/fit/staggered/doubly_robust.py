"""Callaway and Sant'Anna's ATT(g, t) adjusted for categorical covariates, doubly robust, from cells.

For repeated cross-sections (Sant'Anna and Zhao 2020, Journal of Econometrics 219(1), the locally efficient estimator):
an effect is right if either the chance of being a pilot's row given the covariates, a logit, or the outcome given the
covariates, a regression in each arm and period, is right. Rows of a stratum are all alike to both, so that counts and
sums of y by stratum, arm and period give what individual rows do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.design import NEVER, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array

_ITERATIONS = 50
_CONVERGED = 1e-12
_LEAST_CHANCE = 0.01
"""Chances of being a pilot's row are held within it and one less it, as other packages do."""


@dataclass(frozen=True)
class Sums:
    """Rows and sums of y of an arm in a period, by stratum. Shapes (K,)."""

    n: Array
    y_sum: Array

    def predicted(self, x: Array) -> Array:
        """Returns the regression of y on x (K, P), at every stratum (K,)."""
        root = np.sqrt(self.n)
        mean = np.divide(self.y_sum, self.n, out=np.zeros_like(self.n), where=self.n > 0)
        beta, _, rank, _ = np.linalg.lstsq(x * root[:, None], mean * root, rcond=None)
        if rank < x.shape[1]:
            raise NotEstimableError("an arm lacks a level of a covariate in some period")
        return np.asarray(x @ beta)


def doubly_robust_effect(before: tuple[Sums, Sums], after: tuple[Sums, Sums], x: Array) -> float:
    """Returns the effect on the treated arm, from (treated, comparing) rows before and after and regressors x (K, P).

    Raises:
        NotEstimableError: An arm lacks a level of a covariate, so that a regression cannot be solved.
    """
    (treated_before, others_before), (treated_after, others_after) = before, after
    everyone = treated_before.n + treated_after.n
    chance = _chances(everyone, others_before.n + others_after.n, x)
    odds = chance / (1 - chance)

    def change(treated: Sums, others: Sums) -> float:
        own, theirs = treated.predicted(x), others.predicted(x)
        of_treated = np.sum(treated.y_sum - treated.n * theirs) / treated.n.sum()
        of_others = odds @ (others.y_sum - others.n * theirs) / (odds @ others.n)
        gap = own - theirs
        return float(of_treated - of_others + everyone @ gap / everyone.sum() - treated.n @ gap / treated.n.sum())

    return change(treated_after, others_after) - change(treated_before, others_before)


@dataclass(frozen=True)
class DoublyRobust:
    """ATT(g, t) by first treated period and period; groups and periods by number; `share` the group's weight (E,)."""

    effects: tuple[tuple[int, int], ...]
    att: Array
    share: Array

    @property
    def simple(self) -> float:
        """The average over all effects from go-live on, groups by their rows."""
        after = np.array([period >= gtime for gtime, period in self.effects])
        return float(np.average(self.att[after], weights=self.share[after]))


def doubly_robust_effects(panel: PreparedPanel, *, weights: Weights) -> DoublyRobust:
    """Returns every ATT(g, t) against LAs never treated, measured from the period before g; rows by their weights.

    Raises:
        NotEstimableError: There are no categorical covariates, or no LA is never treated, or nothing can be measured.
    """
    if not panel.references:
        raise NotEstimableError("no categorical covariates to adjust for")
    if panel.continuous:
        raise NotEstimableError("continuous covariates have no strata")
    if not (panel.gtime == NEVER).any():
        raise NotEstimableError("no authority is never treated")
    x, n, y_sum = _by_stratum(panel, weights)
    found = list(_effects(panel, x, n, y_sum))
    if not any(period >= gtime for gtime, period, _, _ in found):
        raise NotEstimableError("No effect can be measured after go-live")
    return DoublyRobust(
        tuple((gtime, period) for gtime, period, _, _ in found),
        np.array([att for _, _, att, _ in found]),
        np.array([share for *_, share in found]),
    )


def _effects(panel: PreparedPanel, x: Array, n: Array, y_sum: Array) -> Iterator[tuple[int, int, float, float]]:
    """Yields gtime, period, effect and the group's weight. Shapes: x (K, P); n, y_sum (G, T, K)."""
    place = {int(number): t for t, number in enumerate(panel.periods)}
    never = panel.gtime == NEVER

    def sums(members: Array, t: int) -> Sums:
        return Sums(n[members, t].sum(axis=0), y_sum[members, t].sum(axis=0))

    for gtime in map(int, np.unique(panel.gtime[~never])):
        members, base = panel.gtime == gtime, place.get(gtime - 1)
        for number, t in place.items():
            if base is None or t == base:
                continue
            before, after = ((sums(members, at), sums(never, at)) for at in (base, t))
            if all(part.n.sum() > 0 for part in (*before, *after)):
                yield gtime, number, doubly_robust_effect(before, after, x), float(n[members].sum())


def _by_stratum(panel: PreparedPanel, weights: Weights) -> tuple[Array, Array, Array]:
    """Returns the strata's regressors, a constant and dummies (K, P), and weighted rows and sums of y (G, T, K)."""
    cells = panel.cells
    levels, stratum = np.unique(cells.levels, axis=0, return_inverse=True)
    x = np.zeros((len(levels), 1 + len(panel.covariates)))
    x[:, 0] = 1.0
    for codes in levels.T:
        has = codes >= 0
        x[has, 1 + codes[has]] = 1.0
    weight = panel.row_weight(weights)[cells.unit]
    n, y_sum = (np.zeros((*panel.rows.shape, len(levels))) for _ in range(2))
    where = cells.unit, cells.period, stratum.reshape(-1)
    np.add.at(n, where, weight * cells.n)
    np.add.at(y_sum, where, weight * cells.y_sum)
    return x, n, y_sum


def _chances(treated: Array, others: Array, x: Array) -> Array:
    """Returns the fitted chances (K,) of a logit of being treated on x (K, P), by Newton's steps."""
    total = treated + others
    beta = np.zeros(x.shape[1])
    for _ in range(_ITERATIONS):
        chance = 1 / (1 + np.exp(-x @ beta))
        slope = (x * (total * chance * (1 - chance))[:, None]).T @ x
        step = np.linalg.lstsq(slope, x.T @ (treated - total * chance), rcond=None)[0]
        beta = beta + step
        if np.abs(step).max() < _CONVERGED:
            break
    return np.asarray(np.clip(1 / (1 + np.exp(-x @ beta)), _LEAST_CHANCE, 1 - _LEAST_CHANCE))
