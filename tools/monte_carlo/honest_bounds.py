"""How often intervals under violations of parallel trends hold the true effect, simulated with the project's own code.

Panels are those of `main_design`. A violation shifts effects by year and leaves their covariance as it is, so that each
panel serves them all; the true effect is zero. Every violation is one that its restriction allows, most of them at its
edge. Of relative magnitudes the test at zero is counted, which the interval, its hull, can only exceed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np

from sos_spark.analysis.annual import AnnualEffects, annual_effects
from sos_spark.analysis.honest_bounds import smoothness
from sos_spark.analysis.relative_magnitudes import accepted
from sos_spark.fit.regression.moments import Array
from tools.monte_carlo.main_design import Conditions, Scenario, simulate_panels

N_POST = 5
BEND = 0.01
STEP = 0.03
Restriction = Literal["relative_magnitudes", "smoothness"]


@dataclass(frozen=True)
class HonestScenario:
    """Who is treated, how many years stand before the reference, and what carries over of shocks."""

    name: str
    n_pre: int
    n_las: int = 60
    n_treated: int = 9
    autocorrelation: float = 0.29


SCENARIOS = (
    HonestScenario("9 of 60, 2 years before", 2),
    HonestScenario("9 of 60, 3 years before", 3),
    HonestScenario("9 of 60, 3 years before, shocks carry over", 3, autocorrelation=0.8),
)


@dataclass(frozen=True)
class Plan:
    """A violation (P + Q,) and the restriction that allows it, with its m."""

    name: str
    restriction: Restriction
    m: float
    shift: Array


@dataclass(frozen=True)
class Coverage:
    """The share of panels whose interval holds the true effect; `df` is the panels' mean."""

    scenario: HonestScenario
    violation: str
    restriction: Restriction
    m: float
    target: str
    value: float
    df: float
    replications: int
    seed: int

    @property
    def mc_se(self) -> float:
        """The simulation's standard error."""
        return float(np.sqrt(self.value * (1 - self.value) / self.replications))

    def record(self) -> dict[str, object]:
        """Returns the row of the table: what was measured, and every condition."""
        own = asdict(self)
        return {**own.pop("scenario"), **own, "mc_se": self.mc_se, "n_post": N_POST}


def bending(n_pre: int, *, slope: float, before: float, after: float) -> Array:
    """Returns a trend difference (P + Q,) with its slope at the reference, and its bends before and after it."""
    back, on = np.arange(n_pre, 0, -1), np.arange(1, N_POST + 1)
    return np.concatenate([before * back * (back - 1) / 2 - slope * back, after * on * (on + 1) / 2 + slope * on])


def stepping(n_pre: int, *, before: float, after: float) -> Array:
    """Returns a trend difference whose last step before go-live, and every step after it, is given; no other step."""
    return np.concatenate([np.full(n_pre, -before), after * np.arange(1, N_POST + 1)])


def zigzag(n_pre: int, *, step: float, after: float) -> Array:
    """Returns a trend difference that goes up and down by a step every year before go-live: no step is the largest."""
    return np.concatenate([step * (np.arange(n_pre, 0, -1) % 2), after * np.arange(1, N_POST + 1)])


def plans(n_pre: int) -> tuple[Plan, ...]:
    """Returns the violations of a design."""
    small, edge = BEND / 2, STEP / 2
    return (
        Plan("line", "smoothness", 0.0, bending(n_pre, slope=0.015, before=0, after=0)),
        Plan("bends at the edge", "smoothness", BEND, bending(n_pre, slope=0.015, before=BEND, after=BEND)),
        Plan("bends at both edges", "smoothness", BEND, bending(n_pre, slope=0.015, before=-BEND, after=BEND)),
        Plan("bends inside", "smoothness", BEND, bending(n_pre, slope=0.015, before=small, after=0)),
        Plan("no steps", "relative_magnitudes", 0.0, stepping(n_pre, before=0, after=0)),
        Plan("no steps, some allowed", "relative_magnitudes", 1.0, stepping(n_pre, before=0, after=0)),
        Plan("steps at the edge", "relative_magnitudes", 1.0, stepping(n_pre, before=STEP, after=STEP)),
        Plan("steps at the edge of half", "relative_magnitudes", 0.5, stepping(n_pre, before=STEP, after=-edge)),
        Plan("large steps at the edge", "relative_magnitudes", 1.0, stepping(n_pre, before=0.1, after=0.1)),
        Plan("like steps at the edge", "relative_magnitudes", 1.0, zigzag(n_pre, step=STEP, after=STEP)),
        Plan("steps inside", "relative_magnitudes", 1.0, stepping(n_pre, before=STEP, after=edge)),
    )


def holds(plan: Plan, effects: AnnualEffects, target: Array) -> bool:
    """Returns whether the interval of effects that a violation has shifted holds zero."""
    if plan.restriction == "relative_magnitudes":
        return bool(accepted(effects, target, np.zeros(1), m=plan.m)[0])
    found = smoothness(effects, target, m=plan.m)
    return found.ci_low <= 0 <= found.ci_high


def coverages(scenario: HonestScenario, *, replications: int, seed: int, weights_by: str = "working") -> list[Coverage]:
    """Returns what the intervals cover; `weights_by`: the covariance that chooses smoothness' weights."""
    every, targets = plans(scenario.n_pre), {"average": np.full(N_POST, 1 / N_POST), "first": np.eye(N_POST)[0]}
    conditions = Conditions(
        years_before=scenario.n_pre + 1, years_after=N_POST, autocorrelation=scenario.autocorrelation
    )
    base, df = Scenario(scenario.name, scenario.n_las, scenario.n_treated), 0.0
    covered: dict[tuple[str, str], int] = {}
    for replication in range(replications):
        random = np.random.default_rng([seed, scenario.n_pre, replication])
        ((panel, _),) = simulate_panels(base, random, conditions=conditions)
        true = annual_effects(panel, estimator="twfe", weights="child")
        df += true.df / replications
        for plan in every:
            seen = replace(
                true,
                pre=true.pre + plan.shift[: scenario.n_pre],
                post=true.post + plan.shift[scenario.n_pre :],
                working=getattr(true, weights_by),
            )
            for target, weights in targets.items():
                key = plan.name, target
                covered[key] = covered.get(key, 0) + holds(plan, seen, weights)
    return [
        Coverage(scenario, plan.name, plan.restriction, plan.m, target, covered[plan.name, target] / replications, df,
                 replications, seed)
        for plan in every for target in targets
    ]  # fmt: skip


def every_coverage(*, replications: int, seed: int) -> Iterator[list[Coverage]]:
    """Yields the whole table, a scenario at a time."""
    for scenario in SCENARIOS:
        yield coverages(scenario, replications=replications, seed=seed)
