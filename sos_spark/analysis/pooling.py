"""Effects of several pilots as draws from one distribution: their mean, their spread, and what the next may expect.

Each effect y has a variance v and a true value of its own: y ~ N(m, v + tau^2). tau^2 by Paule and Mandel (1982,
Journal of Research of the National Bureau of Standards 87(5)); the mean's interval by Hartung and Knapp's t with n - 1
df; tau's interval by the Q profile (Viechtbauer 2007, Statistics in Medicine 26(1)), with F in place of chi-square
where the v were themselves estimated with so many df.

What a further pilot may expect, and what is best believed of each, must not take tau for known: with nine pilots the
usual prediction interval covers 86 % where true effects differ. So tau^2 is drawn from the confidence distribution
that Q gives it, the mean from its t given tau^2, and the effect from both (Nagashima, Noma and Furukawa 2019,
Statistical Methods in Medical Research 28(6)): the intervals are quantiles of these draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from sos_spark.fit.regression.moments import Array

DRAWS = 20_000
SEED = 20210101
_NAN = float("nan")
_GRID = 400
_WIDEST = 1e6


@dataclass(frozen=True)
class Pooled:
    """Random effects of n estimates. NaN where there are too few: two for a mean, three for what a next one may expect.

    `sd` is tau, `q` the weighted sum of squares about the fixed mean and `p` its p-value: of 'all effects are the
    same'. Shapes: shrunken, shrunken_low, shrunken_high (n,).
    """

    n: int
    mean: float
    se: float
    interval: tuple[float, float]
    prediction: tuple[float, float]
    sd: float
    sd_interval: tuple[float, float]
    q: float
    p: float
    shrunken: Array
    shrunken_low: Array
    shrunken_high: Array


@dataclass(frozen=True)
class _Effects:
    """Effects (n,) with their variances (n,)."""

    y: Array
    v: Array

    def spread(self, tau2: float) -> float:
        """Returns Q: the sum of squares about the mean, each weighed by one over v + tau^2. It falls with tau^2."""
        mean, _ = self.mean(np.array([tau2]))
        return float(np.sum((self.y - mean[0]) ** 2 / (self.v + tau2)))

    def mean(self, tau2: Array) -> tuple[Array, Array]:
        """Returns the weighted mean at each tau^2 (B,) and one over the sum of weights."""
        weight = 1 / (self.v + tau2[:, None])
        total = weight.sum(axis=1)
        return weight @ self.y / total, 1 / total

    def where(self, value: float) -> float:
        """Returns the tau^2 at which Q has a value; 0 where it is below it at once."""
        if self.spread(0.0) <= value:
            return 0.0
        high = float(self.v.max())
        while self.spread(high) > value:
            if high > _WIDEST * self.v.max():
                return high
            high *= 4
        return float(brentq(lambda tau2: self.spread(tau2) - value, 0.0, high, xtol=1e-14 * high, rtol=1e-14))


def pool(effects: Array, variances: Array, *, shared_variance: float = 0.0, df: float = np.inf) -> Pooled:
    """Pools effects; intervals at 95 %.

    Args:
        effects: (n,).
        variances: Their variances, (n,), all above 0.
        shared_variance: That of an error which all effects have in common, such as the comparators'; it widens the
            mean's interval and the prediction, and is in no weight.
        df: Degrees of freedom with which the level of the variances was estimated.
    """
    n = len(effects)
    if n < 2:
        blank = np.full(n, _NAN)
        none = _NAN, _NAN
        return Pooled(n, _NAN, _NAN, none, none, _NAN, none, _NAN, _NAN, blank, blank.copy(), blank.copy())
    own = _Effects(effects, variances)
    tau2 = own.where(n - 1)
    (mean,), (inverse,) = own.mean(np.array([tau2]))
    se = float(np.sqrt(own.spread(tau2) / (n - 1) * inverse + shared_variance))
    margin = float(stats.t.ppf(0.975, n - 1)) * se
    q = own.spread(0.0)
    low, high = (float(np.sqrt(own.where((n - 1) * _quantile(tail, n - 1, df)))) for tail in (0.975, 0.025))
    drawn_tau, drawn_mean = _drawn(own, shared_variance, df)
    normal = np.random.default_rng([SEED, 1]).normal(size=(n + 1, DRAWS))
    ahead = np.quantile(drawn_mean + drawn_tau * normal[-1], [0.025, 0.975])
    kept = drawn_tau**2 / (drawn_tau**2 + variances[:, None])
    believed = drawn_mean + kept * (effects[:, None] - drawn_mean) + np.sqrt(kept * variances[:, None]) * normal[:-1]
    ends = np.quantile(believed, [0.025, 0.975], axis=1)
    return Pooled(
        n=n,
        mean=float(mean),
        se=se,
        interval=(float(mean) - margin, float(mean) + margin),
        prediction=(float(ahead[0]), float(ahead[1])) if n > 2 else (_NAN, _NAN),
        sd=float(np.sqrt(tau2)),
        sd_interval=(low, high),
        q=q,
        p=float(stats.f.sf(q / (n - 1), n - 1, df) if np.isfinite(df) else stats.chi2.sf(q, n - 1)),
        shrunken=believed.mean(axis=1),
        shrunken_low=ends[0],
        shrunken_high=ends[1],
    )


def _quantile(level: float, n: int, df: float) -> float:
    """Returns a quantile of Q / n where true effects do not differ."""
    return float(stats.f.ppf(level, n, df) if np.isfinite(df) else stats.chi2.ppf(level, n) / n)


def _drawn(own: _Effects, shared_variance: float, df: float) -> tuple[Array, Array]:
    """Returns draws (DRAWS,) of tau and of the mean from what Q and the mean's t say of them."""
    n, random = len(own.y), np.random.default_rng([SEED, 0])
    q = random.chisquare(n - 1, DRAWS)
    if np.isfinite(df):
        q = q / (random.chisquare(df, DRAWS) / df)
    # Q falls with tau^2: read the inverse off a grid that is fine near 0 and reaches beyond every draw.
    top = max(own.where(float(q.min())), float(own.v.min()) * 1e-6)
    grid = top * np.linspace(0, 1, _GRID) ** 3
    values = np.array([own.spread(tau2) for tau2 in grid])
    tau2 = np.interp(-q, -values, grid)
    mean, inverse = own.mean(tau2)
    return np.sqrt(tau2), mean + random.standard_t(n - 1, DRAWS) * np.sqrt(inverse + shared_variance)
