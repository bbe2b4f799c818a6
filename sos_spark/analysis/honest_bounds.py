"""Bounds on an effect when trends need not be parallel, from effects by year and their covariance.

Rambachan and Roth (2023, Review of Economic Studies 90(5)): effects by year are true effects plus a difference in
trends d, which is all there is before go-live, and d[reference] = 0. Two restrictions on d, each with a number m:

- relative magnitudes: from go-live on, no step d[t + 1] - d[t] is larger than m times the largest step before
  (`relative_magnitudes`);
- smoothness: the slope of d changes by at most m from one year to the next, before go-live and after.

The identified set is what the restriction leaves possible if the estimates were exact. Both sets are those of linear
programmes, and have closed forms, because each step (or change of slope) after go-live is bounded on its own.

Intervals use t quantiles with the smallest Satterthwaite df of the effects. Smoothness: of the linear estimators that
are unbiased under a linear trend, the one with the shortest interval, whose half-length is the quantile of
|T + bias / se| times se. It is chosen by the covariance of independent rows, scaled, and its se is CR2's: with few
clusters, weights that minimise an estimated variance make it look smaller than it is.

Coverage of a true effect, measured by `tools.monte_carlo.honest_bounds` on panels of 60 LAs, 9 treated (mean df 7.7),
five years after go-live and two or three before the reference, shocks carrying over or not; 1,200 panels each, Monte
Carlo standard error at most 0.7 points. Smoothness: 94.4 to 95.6 % on a line with m = 0, 93.8 to 95.2 % with all bends
at m, more otherwise. Relative magnitudes: 94.2 to 96.5 % with m = 0, 95.0 to 95.8 % with large steps at their limit,
more with small ones or inside it (`tests/oracle/monte_carlo_honest.csv`). Weights of smoothness chosen by the estimated
covariance would cover 87 to 88 % on a line after three years before the reference (an earlier run of 2,500 panels).

Source of fixed-length intervals: Armstrong and Kolesar (2018, Econometrica 86(2)).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, isinf, lgamma, log1p, pi, sqrt

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr, stdtr
from scipy.stats import t as student

from sos_spark.analysis.annual import AnnualEffects
from sos_spark.fit.regression.moments import Array

LEVEL = 0.95
_TIE = 1e-9


@dataclass(frozen=True)
class Bounds:
    """The identified set and the 95 % interval, in the outcome's unit. set_* are NaN where the set is empty."""

    set_low: float
    set_high: float
    ci_low: float
    ci_high: float


class FoldedT:
    """Quantiles of |T + shift|, T of Student's t with `df`, at 95 %.

    With a bias b and a standard error s on df degrees of freedom, quantile(b / s) x s covers at least 95 % whatever b
    is, and exactly at b = 0 and as b grows: computed over b / s from 0 to 5, 95.0 to 95.6 % at 3 df, to 95.2 % at 8.
    """

    def __init__(self, df: float) -> None:
        self.df = df
        self._constant = 1 / sqrt(2 * pi) if isinf(df) else exp(lgamma((df + 1) / 2) - lgamma(df / 2)) / sqrt(df * pi)
        self._one_sided = float(student.ppf(LEVEL, df))

    def quantile(self, shift: float) -> float:
        """Returns the quantile: Newton's method from below, where the distribution function is concave."""
        value = shift + self._one_sided
        for _ in range(100):
            step = (LEVEL - self._cdf(value - shift) + self._cdf(-value - shift)) / (
                self._pdf(value - shift) + self._pdf(value + shift)
            )
            value += step
            if abs(step) <= 1e-12 * value:
                break
        return value

    def slope(self, shift: float, quantile: float) -> float:
        """Returns the derivative of the quantile in the shift, between 0 and 1."""
        near, far = self._pdf(quantile - shift), self._pdf(quantile + shift)
        return (near - far) / (near + far)

    def _cdf(self, x: float) -> float:
        return float(ndtr(x) if isinf(self.df) else stdtr(self.df, x))

    def _pdf(self, x: float) -> float:
        return self._constant * exp(-x * x / 2 if isinf(self.df) else -(self.df + 1) / 2 * log1p(x * x / self.df))


def smoothness(effects: AnnualEffects, target: Array, *, m: float) -> Bounds:
    """Bounds the target's effect when the difference in trends changes its slope by at most m a year.

    Args:
        effects: Effects by year, with at least one before the reference.
        target: (Q,) weights of the years from go-live on.
        m: In the outcome's unit per year and year; 0 extrapolates a line.

    The set is empty (NaN) where the effects before go-live bend by more than m; the interval stands then as well.
    """
    slope, after = slope_and_bends(target)
    known = np.concatenate([effects.pre, [0.0]])
    centre = float(target @ effects.post) - slope * float(known[-1] - known[-2])
    room = m * float(np.abs(after).sum())
    bends = np.abs(np.diff(known, 2))
    if bends.size and bends.max() > m + _TIE * np.abs(known).max():
        set_low, set_high = float("nan"), float("nan")
    else:
        set_low, set_high = centre - room, centre + room
    folded = FoldedT(effects.df)
    vector, bias = fixed_length_estimator(effects, target, m=m, folded=folded)
    estimate, se = float(vector @ effects.both), sqrt(vector @ effects.covariance @ vector)
    half = folded.quantile(bias / se) * se
    return Bounds(set_low, set_high, estimate - half, estimate + half)


def slope_and_bends(target: Array) -> tuple[float, Array]:
    """Returns how the target of a difference in trends follows from its slope at the reference and later changes.

    With s the step into the reference and c[i] the change of slope at year i (0: at the reference itself), year k from
    1 on lies at k s + sum over i < k of (k - i) c[i]: so the target is `slope` x s + `bends` (Q,) @ c.
    """
    year = np.arange(1, len(target) + 1)
    return float(target @ year), np.maximum(year - np.arange(len(target))[:, None], 0) @ target


def fixed_length_estimator(effects: AnnualEffects, target: Array, *, m: float, folded: FoldedT) -> tuple[Array, float]:
    """Returns the weights (P + Q,) of the effects in the estimator with the shortest interval, and its largest bias.

    Weights on the years before make a linear trend cancel. P - 1 of them are free: the loadings z of the changes of
    slope before the reference, which add m sum |z| to the bias. The half-length is convex in z.
    """
    n_pre = len(effects.pre)
    slope, after = slope_and_bends(target)
    back = np.arange(1, n_pre + 1)
    loadings = np.maximum(back - np.arange(n_pre)[:, None], 0)  # of the slope, then of each change before
    solved = np.linalg.inv(loadings)[::-1]  # in order of time
    start = np.concatenate([slope * solved[:, 0], target])
    free = np.vstack([solved[:, 1:], np.zeros((len(target), n_pre - 1))])
    scale = float(np.trace(effects.covariance) / np.trace(effects.working))
    room = m * float(np.abs(after).sum())
    if n_pre == 1:
        return start, room
    covariance = scale * effects.working
    curve, tilt = free.T @ covariance @ free, free.T @ covariance @ start
    z = -np.linalg.solve(curve, tilt)
    if m > 0:
        z = _shortest(z, curve=curve, tilt=tilt, level=float(start @ covariance @ start), m=m, room=room, folded=folded)
    return start + free @ z, room + m * float(np.abs(z).sum())


def _shortest(z: Array, *, curve: Array, tilt: Array, level: float, m: float, room: float, folded: FoldedT) -> Array:
    """Returns the z that minimises quantile(bias / se) x se, from the least-variance z.

    bias = room + m sum |z|, se^2 = level + 2 tilt'z + z'curve z; z as a difference of two positive parts, which makes
    the half-length smooth.
    """
    unit = sqrt(level + tilt @ z)

    def half_length(parts: Array) -> tuple[float, Array]:
        positive, negative = parts.reshape(2, -1)
        now = positive - negative
        se = sqrt(level + 2 * tilt @ now + now @ curve @ now)
        bias = room + m * float(parts.sum())
        quantile = folded.quantile(bias / se)
        by_bias = folded.slope(bias / se, quantile)
        by_se = (quantile - by_bias * bias / se) * (tilt + curve @ now) / se
        return quantile * se / unit, (by_bias * m + np.concatenate([by_se, -by_se])) / unit

    first = np.concatenate([np.maximum(z, 0.0), np.maximum(-z, 0.0)])
    found = minimize(
        half_length, first, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * len(first),
        options={"ftol": 1e-14, "gtol": 1e-10, "maxiter": 500},
    )  # fmt: skip
    positive, negative = found.x.reshape(2, -1)
    return np.asarray(positive - negative)


def breakdown(bounds: Callable[[float], Bounds], *, unit: float, growth: float = 0.1) -> float:
    """Returns the largest m up to which 0 stays outside the interval; NaN where it is inside at m = 0.

    Looks at m a twentieth of `unit` apart, `growth` times m farther out, and halves the first such step that takes 0 in
    to 1e-4 of itself.
    """

    def outside(m: float) -> bool:
        at = bounds(m)
        return at.ci_low > 0 or at.ci_high < 0

    if not outside(0.0):
        return float("nan")
    low, high = 0.0, unit / 20
    while outside(high):
        low, high = high, (1 + growth) * high + unit / 20
        if high > 1e6 * unit:
            return inf
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (middle, high) if outside(middle) else (low, middle)
    return low
