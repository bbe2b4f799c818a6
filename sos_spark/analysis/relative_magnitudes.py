"""Bounds when the difference in trends may step, after go-live, by m times its largest step before: set and interval.

Rambachan and Roth (2023, Review of Economic Studies 90(5)), section 3.2. Were it known which step before go-live is
the largest, and its sign, the restriction would be inequalities linear in the effects by year: 2 Q of them, that no
step after go-live is larger than w = m times that step, up or down. The interval is the union, over all steps and
signs, of the values that the conditional least-favourable hybrid test of Andrews, Roth and Pakes (2023, Review of
Economic Studies 90(6)) does not reject.

The test takes the largest standardised violation that no choice of the other steps after go-live can avoid. That is a
linear programme, whose dual has few vertices, all in closed form, because each step stands in two inequalities only.
With the target's loadings c[t] of the steps (its weights, summed from year t on), S the target's estimate less the
value tested, and R the sum of |c|:

- the two ends of the set, (S - R w) / N and (-S - R w) / N', N and N' the |c|-weighted sums of standard errors of the
  inequalities that bind there;
- one vertex per year, -2 w / (sum of the standard errors of its two inequalities): the step before go-live has the sign
  assumed.

A value is rejected at once if the largest violation exceeds the 1 - kappa quantile of what it would be with all
inequalities binding (kappa = 0.005), else if it exceeds, of its own distribution given that this vertex is the largest,
the 1 - (0.05 - kappa) / (1 - kappa) quantile. That first quantile is of a bivariate law and integrated, not drawn.

With few clusters the normal distribution is replaced by Student's t with the smallest Satterthwaite df of the effects;
`honest_bounds` says what that covers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import gammaln, ndtr, stdtr

from sos_spark.analysis.annual import AnnualEffects
from sos_spark.analysis.honest_bounds import LEVEL, Bounds
from sos_spark.fit.regression.moments import Array

KAPPA = (1 - LEVEL) / 10
"""The size of the first stage."""

_SECOND = (1 - LEVEL - KAPPA) / (1 - KAPPA)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_GRID, _REFINED = 201, 3
_SAME = 1e-12
_FAR = 9.0


@dataclass(frozen=True)
class Tail:
    """Student's t, or the normal with infinite df."""

    df: float

    def above(self, x: Array | float) -> Array:
        """Returns the chance of more than x."""
        return np.asarray(ndtr(-x) if np.isinf(self.df) else stdtr(self.df, -x))

    def below(self, x: Array) -> Array:
        """Returns the chance of at most x."""
        return np.asarray(ndtr(x) if np.isinf(self.df) else stdtr(self.df, x))

    def nodes(self, start: float) -> tuple[Array, Array]:
        """Returns nodes and weights that integrate over this law from `start` on; t on the scale of its angle."""
        if np.isinf(self.df):
            low = max(start, -_FAR)
            half = (_FAR - low) / 2
            x = low + half * (_NODES + 1)
            return x, half * _WEIGHTS * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
        low = np.arctan(start / np.sqrt(self.df))
        half = (np.pi / 2 - low) / 2
        angle = low + half * (_NODES + 1)
        density = np.exp(gammaln((self.df + 1) / 2) - gammaln(self.df / 2)) / np.sqrt(np.pi)
        return np.sqrt(self.df) * np.tan(angle), half * _WEIGHTS * density * np.cos(angle) ** (self.df - 1)

    def given(self, other: Array) -> tuple[Tail, Array]:
        """Returns the law of one of two uncorrelated coordinates given the other, and its scale."""
        if np.isinf(self.df):
            return self, np.ones_like(other)
        return Tail(self.df + 1), np.sqrt((self.df + other**2) / (self.df + 1))


def relative_magnitudes(effects: AnnualEffects, target: Array, *, m: float) -> Bounds:
    """Bounds the target's effect when steps after go-live are at most m times the largest step before.

    Args:
        effects: Effects by year, with at least one before the reference.
        target: (Q,) weights of the years from go-live on.
        m: Mbar of the paper; 0 gives the usual t interval.
    """
    estimate = float(target @ effects.post)
    reach = m * float(np.abs(loadings(target)).sum())
    largest = reach * float(np.abs(steps_before(effects) @ effects.both).max())
    ends = [end for case in cases(effects, target, m=m) if (end := case.ends()) is not None]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    return Bounds(estimate - largest, estimate + largest, low, high)


def accepted(effects: AnnualEffects, target: Array, values: Array, *, m: float, hybrid: bool = True) -> Array:
    """Returns which values (V,) of the target the interval's test accepts, for some largest step and sign."""
    found = [case.accepts(values, hybrid=hybrid) for case in cases(effects, target, m=m)]
    return np.asarray(np.any(found, axis=0))


def loadings(target: Array) -> Array:
    """Returns how the target loads the steps from year to year after go-live, (Q,)."""
    return np.cumsum(target[::-1])[::-1]


def steps_before(effects: AnnualEffects) -> Array:
    """Returns the steps before go-live, the one into the reference last, as weights of all effects (P, P + Q)."""
    n_pre = len(effects.pre)
    steps = np.diff(np.eye(n_pre + 1), axis=0)[:, :n_pre]
    return np.hstack([steps, np.zeros((n_pre, len(effects.post)))])


def cases(effects: AnnualEffects, target: Array, *, m: float) -> Iterator[Case]:
    """Yields what is tested for each step before go-live that may be the largest, and each sign."""
    n_pre, n_post = len(effects.pre), len(effects.post)
    after = np.hstack([np.zeros((n_post, n_pre)), np.eye(n_post) - np.eye(n_post, k=-1)])
    weights = np.concatenate([np.zeros(n_pre), target])
    for step in steps_before(effects):
        for sign in (1.0, -1.0):
            yield Case(effects, weights, loadings(target), after, m * sign * step)
        if m == 0:
            return


@dataclass(frozen=True)
class Case:
    """One step before go-live taken for the largest, with its sign.

    Shapes: target (P + Q,) weights of the effects; loading (Q,); after (Q, P + Q) the steps after go-live and room
    (P + Q,) what limits them, both as weights of the effects.
    """

    effects: AnnualEffects
    target: Array
    loading: Array
    after: Array
    room: Array

    @cached_property
    def tail(self) -> Tail:
        """What quantiles are of."""
        return Tail(self.effects.df)

    @cached_property
    def norms(self) -> tuple[float, float, Array]:
        """N, N' and each year's sum of two standard errors."""
        up, down = (self._se(sign * self.after - self.room) for sign in (1, -1))
        size, rises = np.abs(self.loading), self.loading > 0
        upper, lower = (float(size @ np.where(rises, first, then)) for first, then in ((up, down), (down, up)))
        return upper, lower, up + down

    @cached_property
    def vertices(self) -> Array:
        """(2 + Q, P + Q): the violations as weights of the effects, the two ends first."""
        upper, lower, pairs = self.norms
        reach = float(np.abs(self.loading).sum()) * self.room
        return np.vstack(
            [(self.target - reach) / upper, (-self.target - reach) / lower, -2 * self.room / pairs[:, None]]
        )

    @cached_property
    def covariance(self) -> Array:
        """(2 + Q, 2 + Q): that of the violations."""
        return self.vertices @ self.effects.covariance @ self.vertices.T

    @cached_property
    def least_favourable(self) -> float:
        """The 1 - kappa quantile of the largest violation where all inequalities bind.

        Integrated over w, the target given w being one-dimensional.
        """
        upper, lower, pairs = self.norms
        covariance = self.effects.covariance
        reach = float(np.abs(self.loading).sum())
        sd = float(np.sqrt(self.room @ covariance @ self.room))
        slope = float(self.target @ covariance @ self.room) / sd if sd > 0 else 0.0
        rest = float(np.sqrt(max(float(self.target @ covariance @ self.target) - slope**2, 0.0)))

        def exceeds(c: float) -> float:
            if sd == 0:
                return float(self.tail.above(c * upper / rest) + self.tail.above(c * lower / rest)) - KAPPA
            w, weight = self.tail.nodes(-c * pairs.min() / (2 * sd))
            law, scale = self.tail.given(w)
            high, low = c * upper + (reach * sd - slope) * w, -c * lower - (reach * sd + slope) * w
            held = np.maximum(law.below(high / (rest * scale)) - law.below(low / (rest * scale)), 0.0)
            return 1 - float(weight @ held) - KAPPA

        top = 2.0
        while exceeds(top) > 0:
            top *= 2
        return float(brentq(exceeds, 0.0, top, xtol=1e-9))

    def accepts(self, values: Array, *, hybrid: bool = True) -> npt.NDArray[np.bool_]:
        """Returns which values (V,) of the target are not rejected; without the first stage where not `hybrid`."""
        upper, lower, _ = self.norms
        violations = np.repeat((self.vertices @ self.effects.both)[:, None], len(values), axis=1)
        violations[0] -= values / upper
        violations[1] += values / lower
        largest = np.argmax(violations, axis=0)
        cap, size = (self.least_favourable, _SECOND) if hybrid else (np.inf, 1 - LEVEL)
        kept = np.zeros(len(values), dtype=bool)
        for vertex in np.unique(largest):
            own = largest == vertex
            kept[own] = self._keeps(int(vertex), violations[:, own], cap=cap, size=size)
        return kept

    def _keeps(self, vertex: int, violations: Array, *, cap: float, size: float) -> npt.NDArray[np.bool_]:
        """Returns which columns are not rejected, of those in which this violation is the largest."""
        own, variance = violations[vertex], self.covariance[vertex, vertex]
        scale = float(np.sqrt(self.covariance.diagonal().max()))
        if variance <= (_SAME * scale) ** 2:
            return np.asarray(own <= _SAME * scale)
        rho = self.covariance[vertex] / variance
        rest = violations - rho[:, None] * own
        slack = np.where(np.abs(1 - rho) > _SAME, 1 - rho, np.nan)[:, None]
        where_equal = rest / slack
        low = np.nanmax(np.where(slack > 0, where_equal, -np.inf), axis=0, initial=-np.inf)
        high = np.nanmin(np.where(slack < 0, where_equal, np.inf), axis=0, initial=np.inf)
        sd = float(np.sqrt(variance))
        beyond = self.tail.above(np.minimum(high, cap) / sd)
        room = self.tail.above(low / sd) - beyond
        with np.errstate(divide="ignore", invalid="ignore"):
            p = np.where(room > 0, (self.tail.above(own / sd) - beyond) / room, 1.0)
        return np.asarray((own <= 0) | ((own <= cap) & (p >= size)))

    def ends(self) -> tuple[float, float] | None:
        """Returns the least and the greatest value accepted; None where there is none.

        The first stage rejects all beyond a distance in closed form; within it a grid is looked through, and each end's
        own step of it again.
        """
        upper, lower, _ = self.norms
        centre, room = float(self.target @ self.effects.both), float(self.room @ self.effects.both)
        reach = float(np.abs(self.loading).sum()) * room
        low, high = centre - reach - self.least_favourable * upper, centre + reach + self.least_favourable * lower
        if low > high:
            return None
        grid = np.linspace(low, high, _GRID)
        kept = self.accepts(grid)
        if not kept.any():
            return None
        first, last = int(np.argmax(kept)), len(grid) - 1 - int(np.argmax(kept[::-1]))
        return self._end(grid, first, -1), self._end(grid, last, 1)

    def _end(self, grid: Array, place: int, side: int) -> float:
        """Returns where acceptance ends beyond a grid's outermost accepted value."""
        inner = float(grid[place])
        outer = float(grid[min(max(place + side, 0), len(grid) - 1)])
        for _ in range(_REFINED):
            finer = np.linspace(inner, outer, _GRID)
            kept = int(len(finer) - 1 - np.argmax(self.accepts(finer)[::-1]))
            inner, outer = float(finer[kept]), float(finer[min(kept + 1, len(finer) - 1)])
        return inner

    def _se(self, weights: Array) -> Array:
        return np.asarray(np.sqrt(np.einsum("tk,kl,tl->t", weights, self.effects.covariance, weights)))
