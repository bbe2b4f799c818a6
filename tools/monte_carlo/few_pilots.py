"""What permuted go-lives say with four pilots or fewer: size, coverage, false equivalence and power, simulated.

Panels are those of `monte_carlo`: LA x year rows of a binary outcome with autocorrelated LA x year shocks, LA sizes
from a log-normal. Effects add rows x effect to sums of y, so the true value is known exactly. The pilots may be smaller
or larger than the other LAs, or have larger shocks, which no permutation knows of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np

from sos_spark.analysis.pretrend import SLOPE, slope_distribution
from sos_spark.config.study import Inference
from sos_spark.fit.cells.subpanel import only_periods_of
from sos_spark.fit.estimators import ESTIMATORS, twfe
from sos_spark.fit.event_study import event_study
from sos_spark.fit.inference.effect_distribution import EffectDistribution
from sos_spark.fit.lone_pilot import LonePilot, lone_pilot
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import NEVER, PreparedPanel, regression
from tools.monte_carlo.main_design import ALPHA, Conditions, Scenario, simulate_panels

BOUND = 0.05
"""The smallest effect of interest: equivalence is tested where the true effect is exactly that large."""
RI, CR2, OWN = "ri_t", "cr2_satterthwaite", "own_scatter"
"""Permuted go-lives; CR2; and what a study with one pilot prints, its own scatter beside placebo pilots."""
EVENT_TIMES = (-2, 2)
_FOUR_BEFORE = Conditions(years_before=4)


@dataclass(frozen=True)
class FewPilots:
    """Who goes live when: `starts`, each pilot's first treated year (a place). Ratios are pilots' to other LAs'."""

    name: str
    starts: tuple[int, ...]
    n_las: int = 60
    size_ratio: float = 1.0
    shock_ratio: float = 1.0
    conditions: Conditions = field(default_factory=Conditions)


@dataclass(frozen=True)
class FewRate:
    """A share of replications, or a mean, with its Monte Carlo standard error.

    `measure`: size (null true), coverage (of the true value), equivalence (claimed where the effect is the bound),
    power (at the mean of the MDEs printed), mde (that mean, in the outcome's unit).
    """

    scenario: FewPilots
    estimator: str
    measure: str
    method: str
    value: float
    mc_se: float
    replications: int


Outcomes = dict[tuple[str, str, str], float]
"""By estimator, measure and method, what one replication came to."""


def _unlike(name: str, starts: tuple[int, ...]) -> tuple[FewPilots, ...]:
    return (
        FewPilots(name, starts),
        FewPilots(f"{name}, sizes x 0.3", starts, size_ratio=0.3),
        FewPilots(f"{name}, sizes x 3", starts, size_ratio=3.0),
        FewPilots(f"{name}, shocks x 2", starts, shock_ratio=2.0),
    )


ONE_BY_ONE = (
    *_unlike("4 of 60, one at a time", (2, 3, 4, 5)),
    *_unlike("2 of 60, one at a time", (2, 4)),
)
TOGETHER = (
    FewPilots("1 of 30", (2,), n_las=30),
    *_unlike("1 of 60", (2,)),
    *_unlike("2 of 60", (2, 2)),
    *_unlike("4 of 60", (2, 2, 2, 2)),
)
STAGGERED: tuple[str, ...] = ("cs_simple", "imputation")
"""Sun and Abraham's average is that of group-time effects where rows are much the same from year to year."""


def simulate(scenario: FewPilots, random: np.random.Generator) -> PreparedPanel:
    """Returns a panel without an effect."""
    base = Scenario(scenario.name, scenario.n_las, len(scenario.starts), scenario.shock_ratio)
    ((panel, _),) = simulate_panels(base, random, conditions=scenario.conditions, size_ratio=scenario.size_ratio)
    gtime = panel.gtime.copy()
    gtime[gtime != NEVER] = random.permutation(scenario.starts)
    return panel.with_gtime(gtime)


def planted(panel: PreparedPanel, effect: float, *, growth: float = 0.0) -> PreparedPanel:
    """Returns the panel with effect + growth x years since go-live added to treated rows."""
    return replace(panel, y_sum=panel.y_sum + panel.rows * panel.treated * (effect + growth * panel.event_time))


def rates_of(
    scenario: FewPilots, one: Callable[[np.random.Generator], Outcomes], *, replications: int, seed: int
) -> list[FewRate]:
    """Returns the mean of what replications of a scenario come to; streams depend on seed, scenario and number only."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for replication in range(replications):
        random = np.random.default_rng([seed, crc32(scenario.name.encode()), replication])
        for key, value in one(random).items():
            found.setdefault(key, []).append(value)
    return [
        FewRate(scenario, *key, float(np.mean(values)), float(np.std(values) / np.sqrt(len(values))), replications)
        for key, values in found.items()
    ]


def one_by_one_rates(scenario: FewPilots, *, replications: int, permutations: int, seed: int) -> list[FewRate]:
    """Returns how often a true null is rejected where pilots go live one at a time, by estimator: p_ri, and CR2."""

    def one(random: np.random.Generator) -> Outcomes:
        panel = simulate(scenario, random)
        found: Outcomes = {}
        for name in STAGGERED:
            estimate = ESTIMATORS[name](panel, weights="child")
            p = estimate.randomise(permutations=permutations, seed=int(random.integers(2**32))).p
            found[name, "size", RI] = float(p <= ALPHA)
            test = Sandwich(estimate.moments).satterthwaite_of([estimate.coefficient])
            found[name, "size", CR2] = float(test.p[0] <= ALPHA)
        return found

    return rates_of(scenario, one, replications=replications, seed=seed)


def together_rates(
    scenario: FewPilots, *, replications: int, permutations: int, seed: int, method: str = RI
) -> list[FewRate]:
    """Returns what a test, its interval, equivalence and MDE do under one go-live: permuted go-lives, or OWN."""

    def distribution(panel: PreparedPanel, random: np.random.Generator) -> EffectDistribution | LonePilot:
        estimate, own = twfe(panel, weights="child"), int(random.integers(2**32))
        return lone_pilot(estimate) if method == OWN else estimate.distribution(permutations=permutations, seed=own)

    def one(random: np.random.Generator) -> Outcomes:
        panel = simulate(scenario, random)
        without, at_bound = (distribution(each, random) for each in (panel, planted(panel, BOUND)))
        low, high = at_bound.interval()
        return {
            ("twfe", "size", method): float(without.p <= ALPHA),
            ("twfe", "coverage", method): float(low <= BOUND <= high),
            ("twfe", "equivalence", method): float(at_bound.p_equivalence(BOUND) < ALPHA),
            ("twfe", "mde", method): without.minimum_detectable_effect(),
        }

    rates = rates_of(scenario, one, replications=replications, seed=seed)
    (mde,) = (rate.value for rate in rates if rate.measure == "mde")

    def found(random: np.random.Generator) -> Outcomes:
        p = distribution(planted(simulate(scenario, random), mde), random).p
        return {("twfe", "power", method): float(p < ALPHA)}

    return rates + rates_of(scenario, found, replications=replications, seed=seed)


def beside_rates(scenario: FewPilots, *, replications: int, permutations: int, seed: int) -> list[FewRate]:
    """Returns the coverage of event-study intervals, under effects that grow, and of the slope before go-live."""
    longer = replace(scenario, starts=(4,) * len(scenario.starts), conditions=_FOUR_BEFORE)

    def one(random: np.random.Generator) -> Outcomes:
        panel = planted(simulate(longer, random), 0.02, growth=0.02)
        inference = Inference(permutations=permutations, seed=int(random.integers(2**32)))
        study = event_study(panel, estimator="twfe", inference=inference, bands=False)
        truth: Mapping[int, float] = {-2: 0.0, 2: 0.06}
        found: Outcomes = {}
        for row in study.rows:
            if row.event_time in EVENT_TIMES:
                covered = row.ci_low <= truth[row.event_time] <= row.ci_high
                found[f"event_{row.event_time}", "coverage", RI] = float(covered)
        before = only_periods_of(panel, np.broadcast_to(panel.periods < 4, panel.rows.shape))
        time = np.where(before.is_treated_unit[:, None], before.event_time, 0).astype(np.float64)
        moments = regression(before, {SLOPE: time}, weights="child").moments
        low, high = slope_distribution(before, moments, weights="child", inference=inference).interval()
        found["slope", "coverage", RI] = float(low <= 0 <= high)
        return found

    return rates_of(longer, one, replications=replications, seed=seed)


def every_few_rate(*, replications: int, permutations: int, seed: int) -> Iterator[list[FewRate]]:
    """Yields the whole table, a scenario at a time; staggered assignments are 39, which is exact at 5 %."""
    knobs = {"replications": replications, "seed": seed}
    for scenario in ONE_BY_ONE:
        yield one_by_one_rates(scenario, permutations=39, **knobs)
    for scenario in TOGETHER:
        yield together_rates(scenario, replications=replications, permutations=permutations, seed=seed)
    for scenario in TOGETHER:
        if len(scenario.starts) == 1:
            yield together_rates(scenario, replications=replications, permutations=permutations, seed=seed, method=OWN)
    for scenario in TOGETHER:
        if scenario.size_ratio == scenario.shock_ratio == 1 and scenario.n_las == 60:
            yield beside_rates(scenario, permutations=permutations, **knobs)
