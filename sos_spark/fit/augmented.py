"""Ridge-augmented synthetic control: what the weights leave unlike before go-live is taken off by a regression.

Ben-Michael, Feller and Rothstein (2021, Journal of the American Statistical Association 116(536)), with authority
effects as in their section 5: every path less its own mean before go-live. With x_i the path of comparator i before
go-live, z_i its mean after, w the weights of least distance to the pilots' mean path x, and ridge slopes b of z on x
among comparators,

    effect = z - sum w_i z_i - (x - sum w_i x_i)'b

The ridge is the one that best foretells the pilots' own path, each period before go-live left out in turn. It may
extrapolate where the weights cannot reach, so weights and it stand beside each other. Its p compares it with draws of
pseudo-pilots, as that of synthetic difference-in-differences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.inference.assignments import Assignments
from sos_spark.fit.inference.effect_distribution import TIE
from sos_spark.fit.regression.design import NEVER, PreparedPanel
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.synthetic import balanced_panel, simplex_weights

_RIDGES = np.logspace(-3, 3, 25)
FEWEST_BEFORE = 3
"""With fewer periods before go-live none can be left out to choose the ridge."""


@dataclass(frozen=True)
class Augmented:
    """The estimate, in the outcome's unit: `att`, `plain` without the regression, `distance` that the weights leave.

    `distance` is a root mean square over periods before go-live; `placebo` (n,) the estimates of pseudo-pilots.
    """

    att: float
    plain: float
    ridge: float
    distance: float
    n_pilots: int
    n_comparators: int
    n_before: int
    placebo: Array

    @property
    def se(self) -> float:
        """The placebo standard error; NaN without draws."""
        return float(np.std(self.placebo)) if len(self.placebo) else float("nan")

    @property
    def p(self) -> float:
        """The share of pseudo-pilots with an effect at least as large; NaN with one pilot, or without draws."""
        if not len(self.placebo) or self.n_pilots == 1:
            return float("nan")
        beyond = int(np.count_nonzero(np.abs(self.placebo) >= abs(self.att) * (1 - TIE)))
        return (1 + beyond) / (1 + len(self.placebo))


def augmented_control(panel: PreparedPanel, *, refits: int, seed: int) -> Augmented:
    """Estimates the effect of pilots that went live together on the means of LAs observed in every period.

    Raises:
        NotEstimableError: Several go-lives, fewer than FEWEST_BEFORE periods before it or two comparators.
    """
    balanced = balanced_panel(panel)
    dates = np.unique(balanced.gtime[balanced.gtime != NEVER])
    never = balanced.gtime == NEVER
    before = balanced.periods < (dates[0] if len(dates) else 0)
    if len(dates) != 1 or before.sum() < FEWEST_BEFORE or before.all() or never.sum() < 2:
        raise NotEstimableError(
            "An augmented synthetic control has too little to weigh",
            expected=f"pilots of one go-live, two comparators, {FEWEST_BEFORE} periods before it and one after",
            found=f"{len(dates)} go-lives, {int(never.sum())} comparators, {int(before.sum())} periods before",
            remedy="Widen the window, or the comparators",
        )
    early = balanced.means[:, before]
    paths = early - early.mean(axis=1, keepdims=True)
    late = balanced.means[:, ~before].mean(axis=1) - early.mean(axis=1)
    plain, att, ridge, distance = _estimate(paths[never], late[never], paths[~never].mean(axis=0), late[~never].mean())
    placebo = []
    comparators, n_pilots = np.flatnonzero(never), int((~never).sum())
    if len(comparators) > n_pilots + 1:
        labels = np.arange(len(comparators)) < n_pilots
        for row in (row for batch in Assignments.of(labels.astype(np.int64), permutations=refits, seed=seed)
                    .batches(size=1_000) for row in batch):  # fmt: skip
            own = row == 1
            x, z = paths[comparators], late[comparators]
            placebo.append(_estimate(x[~own], z[~own], x[own].mean(axis=0), z[own].mean(), ridge=ridge)[1])
    return Augmented(att, plain, ridge, distance, n_pilots, len(comparators), int(before.sum()), np.array(placebo))


def _estimate(
    x: Array, z: Array, target: Array, after: float, *, ridge: float | None = None
) -> tuple[float, float, float, float]:
    """Returns the effect by weights alone, augmented, the ridge, and how far the weights leave the path.

    x (C, B) and z (C,) are the comparators'; without a ridge it is chosen.
    """
    chosen = _chosen_ridge(x, target) if ridge is None else ridge
    weights = _weights(x, target)
    gap = target - weights @ x
    plain = after - float(weights @ z)
    return plain, plain - float(gap @ _slopes(x, z, chosen)), chosen, float(np.sqrt(np.mean(gap**2)))


def _weights(x: Array, target: Array) -> Array:
    return simplex_weights(x.T, target, ridge=0.0)


def _slopes(x: Array, z: Array, ridge: float) -> Array:
    """Returns ridge slopes (B,) of z on x; the ridge is relative to the mean square of x."""
    centred = x - x.mean(axis=0)
    penalty = ridge * float(np.mean(np.sum(centred**2, axis=0)))
    products = centred.T @ centred + penalty * np.eye(x.shape[1])
    return np.asarray(np.linalg.solve(products, centred.T @ (z - z.mean())))


def _chosen_ridge(x: Array, target: Array) -> float:
    """Returns the ridge that best foretells the pilots' path in periods left out one by one."""
    errors = np.zeros(len(_RIDGES))
    for left_out in range(x.shape[1]):
        kept = np.arange(x.shape[1]) != left_out
        early, path = x[:, kept] - x[:, kept].mean(axis=1, keepdims=True), target[kept] - target[kept].mean()
        later, wanted = x[:, left_out] - x[:, kept].mean(axis=1), target[left_out] - target[kept].mean()
        weights = _weights(early, path)
        gap, missed = path - weights @ early, wanted - float(weights @ later)
        errors += [(missed - float(gap @ _slopes(early, later, ridge))) ** 2 for ridge in _RIDGES]
    return float(_RIDGES[int(np.argmin(errors))])
