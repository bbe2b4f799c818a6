"""What permuted go-lives say of an effect: a test, an interval, equivalence, and what could have been found.

An estimate is linear in the outcomes and its squared standard error, a sum of squared scores, quadratic. So under the
null that the effect is r, where the outcome less r times the actual treatment D is what would have been without it,
the statistic of an assignment is a function of r through what it makes of y and of D:

    att(r) = att_y - r att_D,      score_g(r) = score_g,y - r score_g,D.

The actual assignment makes 1 of D and leaves it no score, so its own t is (att - r) / se: the same quadratics as those
of a restricted bootstrap, whose inversion (`inversion`) is exact and needs no second look at the panel. An assignment
is the same at every r. Valid for an effect that is the same in every treated row, whatever the number of treated LAs,
if which LAs were treated could as well have been others: with one LA too, where no cluster-robust standard error is.

Sources: Fisher (1935); Rosenbaum (2002, Observational Studies, ch. 2) on inverting a randomisation test; MacKinnon and
Webb (2020, Journal of Econometrics 218(2)) on few treated clusters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sos_spark.fit.inference.assignments import Assignments, Ints
from sos_spark.fit.inference.inversion import Quadratics, hull_where_p_exceeds
from sos_spark.fit.regression.moments import Array

TIE = 1e-10
"""Relative tolerance within which a permuted statistic ties with the actual one and counts."""

_NO_VARIATION = 1e-12
_NAN = float("nan")


@dataclass(frozen=True)
class RandomisationTest:
    """Shares of assignments whose statistic is at least the actual one's: `p` on |att / se_cr1|, `p_att` on |att|.

    n_permutations counts the assignments (all distinct ones when enumerated). An assignment whose effect cannot be
    estimated counts as extreme; there were n_undefined. All NaN where the actual effect has no standard error.
    """

    p: float
    p_att: float
    att: float
    t: float
    n_permutations: int
    enumerated: bool
    n_undefined: int


@dataclass(frozen=True)
class Scored:
    """Estimates of a batch of assignments and their scores, of y first and of the actual treatment second.

    Shapes: att (2, P); scores (2, P, G), whose root sum of squares is the standard error without a factor. NaN where
    an assignment's effect cannot be estimated.
    """

    att: Array
    scores: Array


@dataclass(frozen=True)
class EffectDistribution:
    """The estimate, and what every assignment would have made of the outcomes. Shapes (P,).

    `se` leaves out CR1's small-sample factor, `factor`. Of each assignment: `att` and `variance` of the outcomes as
    they are; `centred` the estimate of the outcomes less the estimated effect, `of_effect` that of the treatment;
    `square`, `cross` and `square_of_effect` the sums of squares and products of their scores. `own` marks the actual
    assignment, which counts at every r. Undefined ones are NaN and count as extreme.
    """

    estimate: float
    se: float
    factor: float
    plan: Assignments
    att: Array
    variance: Array
    centred: Array
    of_effect: Array
    square: Array
    cross: Array
    square_of_effect: Array
    own: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        observed: Scored,
        permuted: Iterable[tuple[Ints, Scored]],
        plan: Assignments,
        *,
        factor: float = 1.0,
    ) -> EffectDistribution:
        """Gathers the statistics of the plan's assignments, (P, G) a batch. `factor` is what the variances left out."""
        estimate = float(observed.att[0, 0])
        se = float(np.linalg.norm(observed.scores[0, 0]))
        parts: list[tuple[Array, ...]] = []
        for gtimes, scored in permuted:
            y, effect = scored.scores
            left = y - estimate * effect
            parts.append(
                (
                    scored.att[0],
                    np.einsum("pg,pg->p", y, y),
                    scored.att[0] - estimate * scored.att[1],
                    scored.att[1],
                    np.einsum("pg,pg->p", left, left),
                    np.einsum("pg,pg->p", left, effect),
                    np.einsum("pg,pg->p", effect, effect),
                    (gtimes == plan.labels).all(axis=1),
                )
            )
        att, variance, centred, of_effect, square, cross, square_of_effect, own = (
            np.concatenate(part) for part in zip(*parts, strict=True)
        )
        return cls(
            estimate=estimate,
            se=se if se > _NO_VARIATION * abs(estimate) else _NAN,
            factor=factor,
            plan=plan,
            att=att,
            variance=variance,
            centred=centred,
            of_effect=of_effect,
            square=square,
            cross=cross,
            square_of_effect=square_of_effect,
            own=own.astype(bool),
        )

    @property
    def known(self) -> bool:
        """Whether the actual effect has a standard error, without which nothing is said."""
        return not np.isnan(self.se)

    @property
    def t(self) -> float:
        """The actual statistic, with CR1's factor."""
        return self.estimate / self.se / float(np.sqrt(self.factor))

    @property
    def p(self) -> float:
        """P of 'no effect', by |t|."""
        return self.test().p

    @cached_property
    def undefined(self) -> npt.NDArray[np.bool_]:
        """(P,): assignments whose effect cannot be estimated."""
        return np.asarray(~(self.variance > 0) & ~((self.variance == 0) & (self.att != 0)))

    def test(self) -> RandomisationTest:
        """Tests 'no effect' by |t|, and by |att| beside it."""
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.abs(self.att) / np.sqrt(self.variance)
        reached = self.undefined | (t >= abs(self.estimate) / self.se * (1 - TIE))
        reached_att = self.undefined | (np.abs(self.att) >= abs(self.estimate) * (1 - TIE))
        return RandomisationTest(
            p=self._p(reached),
            p_att=self._p(reached_att),
            att=self.estimate,
            t=self.t if self.known else _NAN,
            n_permutations=self.plan.n,
            enumerated=self.plan.enumerated,
            n_undefined=int(np.count_nonzero(self.undefined)),
        )

    def interval(self, *, level: float = 0.95) -> tuple[float, float]:
        """Returns the hull of the effects that the two-sided test does not reject, p(r) > 1 - level.

        An end is infinite where the test rejects nothing beyond, as with fewer than 20 assignments at 95 %.
        """
        if not self.known:
            return _NAN, _NAN
        low, high = hull_where_p_exceeds(self._quadratics, round(1 - level, 12), tie=TIE)
        return self.estimate + self.se * low, self.estimate + self.se * high

    def p_equivalence(self, bound: float) -> float:
        """Returns the larger p of two one-sided tests: of an effect at or below -bound, and at or above +bound."""
        if not self.known or np.isnan(bound):
            return _NAN
        return max(self._one_sided(-bound, 1.0), self._one_sided(bound, -1.0))

    def power(self, effect: float, *, alpha: float = 0.05) -> float:
        """Returns the chance that the two-sided test finds an effect of that size, of either sign.

        Each assignment in turn stands for the actual one, on the outcomes less the estimated effect; the test's
        critical value is that of outcomes without an effect. NaN where no p can be below alpha.
        """
        centred, se = self._without_effect
        critical = self._critical(alpha)
        shifted = np.abs(np.concatenate([centred + effect, centred - effect]))
        return _NAN if np.isnan(critical) else float(np.mean(shifted > critical * np.concatenate([se, se])))

    def minimum_detectable_effect(self, *, power: float = 0.8, alpha: float = 0.05) -> float:
        """Returns the least effect that `power` says is found with that chance; NaN where no p can be below alpha."""
        centred, se = self._without_effect
        critical = self._critical(alpha)
        if np.isnan(critical):
            return _NAN
        needed = np.concatenate([critical * se - centred, critical * se + centred])
        return max(0.0, float(np.quantile(needed, power, method="higher")))

    @property
    def can_reject(self) -> bool:
        """Whether there are assignments enough for a p below 0.05."""
        return self.known and not np.isnan(self._critical(0.05))

    @property
    def why_it_cannot_reject(self) -> str:
        """What keeps p at 0.05 or above: too few assignments, or those whose effect cannot be estimated."""
        n_undefined = int(np.count_nonzero(self.undefined))
        if not n_undefined:
            return f"the treated authorities could have been chosen in {self.plan.n} ways only"
        return (
            f"in {n_undefined:,} of the {self.plan.n:,} ways of choosing the treated authorities that were tried, the"
            " effect cannot be estimated, and each counts as an effect at least as large"
        )

    def _p(self, reached: npt.NDArray[np.bool_]) -> float:
        return self.plan.p_value(int(np.count_nonzero(reached))) if self.known else _NAN

    def _one_sided(self, null: float, sign: float) -> float:
        """Returns p of 'the effect is `null`' against effects that are greater (sign 1) or less (sign -1)."""
        away = null - self.estimate
        variance = self.square - 2 * away * self.cross + away**2 * self.square_of_effect
        with np.errstate(divide="ignore", invalid="ignore"):
            t = sign * (self.centred - away * self.of_effect) / np.sqrt(np.maximum(variance, 0.0))
        observed = sign * -away / self.se
        return self._p(self.undefined | self.own | ~(t < observed - TIE * abs(observed)))

    @cached_property
    def _without_effect(self) -> tuple[Array, Array]:
        """The centred estimates and their standard errors, undefined ones left out."""
        seen = ~self.undefined
        return self.centred[seen], np.sqrt(self.square[seen])

    def _critical(self, alpha: float) -> float:
        """Returns the value that |t| must exceed for p < alpha on outcomes without an effect; NaN where none does."""
        n = self.plan.n if self.plan.enumerated else self.plan.n + 1
        may_reach = int(np.ceil(alpha * n - 1e-9)) - 2
        others = ~self.own if self.plan.enumerated else np.ones_like(self.own)
        if not self.known or may_reach < 0:
            return _NAN
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.abs(self.centred) / np.sqrt(self.square)
        ordered = np.sort(np.where(self.undefined, np.inf, t)[others])[::-1]
        if may_reach >= len(ordered):
            return 0.0
        return float(ordered[may_reach]) if np.isfinite(ordered[may_reach]) else _NAN

    @property
    def _quadratics(self) -> Quadratics:
        """The assignments' t as functions of x = (r - estimate) / se; drawn ones have one more that always counts."""
        always = self.undefined | self.own
        columns = [
            self.centred / self.se,
            self.of_effect,
            self.square / self.se**2,
            self.cross / self.se,
            self.square_of_effect,
        ]
        p, h, q0, q1, q2 = (np.where(always, 0.0, column) for column in columns)
        seen = Quadratics(p=p, h=h, q0=q0, q1=q1, q2=q2, always=always)
        return seen if self.plan.enumerated else seen.with_one_that_counts()
