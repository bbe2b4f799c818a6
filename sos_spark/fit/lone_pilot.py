"""What can be said with one treated LA: its effect against its own scatter, beside comparators taken for pilots.

One treated LA has no cluster-robust standard error: the regression fits its change exactly, so that every such error,
CR1's in a permutation test too, sees the comparators' shocks alone. Where the pilot's shocks are twice as large, a
permutation test on that t rejects 30 % of true nulls (`tools.monte_carlo.few_pilots`). So its uncertainty is read from
two sources: how unsteady it is itself, and what comparators show when each in turn is taken for a pilot that went live
on the same day, which is error.

The statistic is t = effect / s. s^2 is the pilot's own scatter from period to period about its means before go-live and
from it on, less the comparators' mean of each period, times what the effect makes of such scatter. A pilot that is
twice as unsteady as its comparators has twice the s, and t has the same law; that shocks carry over from period to
period, and that s rests on few periods, is in the comparators' t. With J comparators p = (1 + number with |t| at least
the pilot's) / (1 + J), and the interval is the test inverted: it needs 19 comparators, and three periods more than the
two means. An effect that grows or fades adds to s: the interval is then wider than it must be. Measured rates are in
`tools.monte_carlo.each_pilot` and its table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from sos_spark.fit.assigned import refits_of_assignments
from sos_spark.fit.estimators import LinearEstimate
from sos_spark.fit.inference.effect_distribution import TIE, EffectDistribution
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import NEVER, Ints, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.thresholds import ALPHA
from sos_spark.fit.unsteadiness import FEWEST_FREE_PERIODS, Scatter, too_unsteady

FEWEST_PLACEBOS = math.ceil(1 / ALPHA) - 1
"""With fewer comparators no p-value is below 0.05, and an interval would have no end."""

_NAN = float("nan")


@dataclass(frozen=True)
class Placebos:
    """What comparators show as an effect of a go-live that they did not have. Shapes (J,): `own` is s^2 of each.

    `h` is 1 / rows before the go-live + 1 / rows from it on.
    """

    att: Array
    h: Array
    own: Array
    unit_ids: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether there are comparators enough, and they differ."""
        return len(self.att) >= FEWEST_PLACEBOS and bool((self.att != 0).any())

    @cached_property
    def t(self) -> Array:
        """Their statistics."""
        return np.asarray(self.att / np.sqrt(self.own))

    def p_value(self, effect: float, own: float) -> float:
        """Returns p of 'no effect' in a pilot whose s^2 is `own`; NaN where that is not known."""
        if not self.known or not own > 0:
            return _NAN
        reached = np.abs(self.t) >= abs(effect) / math.sqrt(own) * (1 - TIE)
        return self._p(reached)

    def p_equivalence(self, effect: float, own: float, bound: float) -> float:
        """Returns the larger p of two one-sided tests: of an effect at or below -bound, and at or above +bound."""
        if not self.known or not own > 0 or math.isnan(bound):
            return _NAN
        above, below = (effect + bound) / math.sqrt(own), (effect - bound) / math.sqrt(own)
        return max(
            self._p(self.t >= above - TIE * abs(above)),
            self._p(self.t <= below + TIE * abs(below)),
        )

    def margin(self, own: float, *, level: float = 1 - ALPHA) -> float:
        """Returns half the width of the interval of a pilot whose s^2 is `own`."""
        rank = math.ceil(round(level * (1 + len(self.att)), 9))
        if not self.known or rank > len(self.att) or not own > 0:
            return _NAN
        return float(np.sort(np.abs(self.t))[rank - 1] * math.sqrt(own))

    @property
    def critical(self) -> float:
        """The value that |t| must exceed for p < 0.05; NaN where none does."""
        may_reach = math.ceil(ALPHA * (1 + len(self.att)) - 1e-9) - 2
        return float(np.sort(np.abs(self.t))[::-1][may_reach]) if self.known and may_reach >= 0 else _NAN

    def why_unknown(self, own: float) -> str:
        """Returns why nothing can be said of a pilot whose s^2 is `own`; blank where something can."""
        if not own > 0:
            return (
                "too few periods show how unsteady this authority is by itself, and one that is more unsteady than the"
                " comparators cannot be judged by them"
            )
        if not self.known:
            return f"{len(self.att)} comparators show what chance does, {FEWEST_PLACEBOS} are needed"
        return ""

    def _p(self, reached: npt.NDArray[np.bool_]) -> float:
        return float(1 + np.count_nonzero(reached)) / (1 + len(self.att))


@dataclass(frozen=True)
class LonePilot:
    """The one pilot's effect, its s^2 (`own`), and the placebos beside it: what it says as a test and an interval.

    Everything is NaN where `known` is False, and `why_unknown` says why.
    """

    estimate: float
    own: float
    placebos: Placebos

    @property
    def known(self) -> bool:
        """Whether there are comparators and periods enough."""
        return not self.why_unknown

    @property
    def why_unknown(self) -> str:
        """Why nothing can be said."""
        return self.placebos.why_unknown(self.own)

    @property
    def can_reject(self) -> bool:
        """Whether there are comparators enough for a p below 0.05."""
        return self.known and not math.isnan(self.placebos.critical)

    @property
    def t(self) -> float:
        """The statistic."""
        return self.estimate / math.sqrt(self.own) if self.own > 0 else _NAN

    @property
    def p(self) -> float:
        """P of 'no effect'."""
        return self.placebos.p_value(self.estimate, self.own)

    def interval(self) -> tuple[float, float]:
        """Returns the effects that the test does not reject at 5 %."""
        margin = self.placebos.margin(self.own)
        return self.estimate - margin, self.estimate + margin

    def p_equivalence(self, bound: float) -> float:
        """Returns p of 'the effect is as large as `bound`, either way'."""
        return self.placebos.p_equivalence(self.estimate, self.own, bound)

    def power(self, effect: float) -> float:
        """Returns the chance that the test finds an effect of that size, of either sign, in a pilot as unsteady."""
        if not self.can_reject:
            return _NAN
        t, moved = self.placebos.t, effect / math.sqrt(self.own)
        return float(np.mean(np.abs(np.concatenate([t + moved, t - moved])) > self.placebos.critical))

    def minimum_detectable_effect(self, *, power: float = 0.8) -> float:
        """Returns the least effect that `power` says is found with that chance."""
        if not self.can_reject:
            return _NAN
        t, critical = self.placebos.t, self.placebos.critical
        needed = np.concatenate([critical - t, critical + t]) * math.sqrt(self.own)
        return max(0.0, float(np.quantile(needed, power, method="higher")))


def lone_pilot(estimate: LinearEstimate) -> LonePilot:
    """Returns what can be said of an estimate whose panel has one treated LA with rows on both sides of its go-live."""
    panel = estimate.panel
    rest = panel.without({unit for unit, g in zip(panel.unit_ids, panel.gtime, strict=True) if g != NEVER})
    on, seen = panel.treated == 1, panel.rows > 0
    place = int(np.flatnonzero((seen & on).any(axis=1) & (seen & ~on).any(axis=1) & panel.is_treated_unit)[0])
    gtime = int(panel.gtime[place])
    share = panel.share_by_gtime.get(gtime, 0.0)
    return LonePilot(
        estimate=Sandwich(estimate.moments).estimate(estimate.coefficient),
        own=own_scatter(_whole(panel, gtime, share), _whole(rest, gtime, share), gtime, place),
        placebos=placebo_effects(rest, gtime, weights=estimate.weights, share=share),
    )


def _whole(panel: PreparedPanel, gtime: int, share: float) -> PreparedPanel:
    """Returns the panel without rows in the period before gtime, where a share of it was treated."""
    if share == 0:
        return panel
    kept = panel.periods != gtime - 1
    return replace(panel, rows=panel.rows * kept, y_sum=panel.y_sum * kept)


def distribution_of(
    estimate: LinearEstimate, *, permutations: int, seed: int, strata: Literal["none", "size"] = "none"
) -> EffectDistribution | LonePilot:
    """Returns what an estimate is compared with: permuted go-lives, or with one treated LA its own scatter.

    Of few treated LAs that are more unsteady than the comparators nothing is known by permuted go-lives.
    """
    if estimate.panel.n_treated_units == 1:
        return lone_pilot(estimate)
    return as_far_as_alike(estimate.distribution(permutations=permutations, seed=seed, strata=strata), estimate.panel)


def as_far_as_alike(permuted: EffectDistribution, panel: PreparedPanel) -> EffectDistribution:
    """Returns permuted go-lives, of which nothing is known where few treated LAs are too unsteady for them."""
    return replace(permuted, se=_NAN) if too_unsteady(panel) else permuted


def own_scatter(panel: PreparedPanel, rest: PreparedPanel, gtime: int, place: int) -> float:
    """Returns s^2 of the LA at a place of the panel; NaN where too few periods show it."""
    scatter = Scatter.of(panel, rest, gtime)
    return float(scatter.variance[place]) if scatter.free[place] >= FEWEST_FREE_PERIODS else _NAN


def placebo_effects(rest: PreparedPanel, gtime: int, *, weights: Weights, share: float = 0.0) -> Placebos:
    """Returns the effects of a go-live that was none, in each LA of a panel of comparators against all others.

    `share` of the period before gtime counts as treated.
    """
    size = inverse_rows(rest, gtime) if len(rest.unit_ids) > 1 else np.full(len(rest.unit_ids), np.inf)
    eligible = np.flatnonzero(np.isfinite(size))
    assigned: Ints = np.full((len(eligible), len(rest.unit_ids)), NEVER, dtype=np.int64)
    assigned[np.arange(len(eligible)), eligible] = gtime
    if not len(eligible):
        return Placebos(np.empty(0), np.empty(0), np.empty(0))
    first = rest.with_gtime(assigned[0])
    first = replace(first, partial=share * (assigned[0] != NEVER)) if share else first
    (refits,) = refits_of_assignments(first, [assigned], weights=weights, staggered=None)
    whole = _whole(rest, gtime, share)
    scatter = Scatter.of(whole, whole, gtime)
    own = np.where(scatter.free >= FEWEST_FREE_PERIODS, scatter.variance, _NAN)[eligible]
    seen = ~np.isnan(refits.att) & (own > 0)
    units = tuple(rest.unit_ids[place] for place in eligible[seen])
    return Placebos(refits.att[seen], size[eligible][seen], own[seen], units)


def inverse_rows(panel: PreparedPanel, gtime: int) -> Array:
    """Returns 1 / rows before a go-live + 1 / rows from it on, by LA (G,); infinite where an LA lacks either."""
    after = panel.periods >= gtime
    with np.errstate(divide="ignore"):
        return np.asarray(1 / panel.rows[:, ~after].sum(axis=1) + 1 / panel.rows[:, after].sum(axis=1))
