"""Each pilot's effect with its interval from placebo pilots, and the pilots' pool: size and coverage, simulated.

Panels and conditions are those of `few_pilots`. A pilot's own true effect differs from the mean by `effect_sd`; what is
measured are single pilots ("size" where no pilot has an effect, "coverage" of its own effect, also of the shrunken
one), the pool ("coverage" of the mean of all effects there could be), the prediction ("coverage" of a further pilot's
effect, drawn anew), and the standard deviation between pilots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sos_spark.analysis.pilots import EachPilot, each_pilot
from tools.monte_carlo.few_pilots import FewPilots, FewRate, Outcomes, rates_of, simulate
from tools.monte_carlo.main_design import ALPHA

EFFECT = 0.05


@dataclass(frozen=True)
class PilotsScenario(FewPilots):
    """As `FewPilots`; `effect_sd` is that of the pilots' own effects about EFFECT."""

    effect_sd: float = 0.0


def _of(name: str, n: int, n_las: int = 60) -> PilotsScenario:
    return PilotsScenario(name, (2,) * n, n_las)


SCENARIOS = (
    _of("9 of 60", 9),
    replace(_of("9 of 60, sizes x 0.3", 9), size_ratio=0.3),
    replace(_of("9 of 60, sizes x 3", 9), size_ratio=3.0),
    replace(_of("9 of 60, shocks x 2", 9), shock_ratio=2.0),
    replace(_of("9 of 60, effects differ", 9), effect_sd=0.04),
    _of("4 of 60", 4),
    replace(_of("4 of 60, sizes x 0.3", 4), size_ratio=0.3),
    replace(_of("4 of 60, shocks x 2", 4), shock_ratio=2.0),
    _of("9 of 30", 9, 30),
    _of("1 of 60", 1),
    replace(_of("1 of 60, shocks x 2", 1), shock_ratio=2.0),
    replace(_of("4 of 60, sizes x 3", 4), size_ratio=3.0),
    replace(_of("4 of 60, effects differ", 4), effect_sd=0.04),
    PilotsScenario("9 of 60, three go-lives", (2, 2, 2, 3, 3, 3, 4, 4, 4)),
)


def pilots_rates(scenario: PilotsScenario, *, replications: int, seed: int) -> list[FewRate]:
    """Returns what single pilots' intervals, pool and prediction cover, and how often 'no effect' is rejected."""

    def one(random: np.random.Generator) -> Outcomes:
        panel = simulate(scenario, random)
        own = EFFECT + scenario.effect_sd * random.normal(size=len(panel.unit_ids) + 1)
        moved = replace(panel, y_sum=panel.y_sum + panel.rows * panel.treated * own[:-1, None])
        null, found = (each_pilot(each, weights="child") for each in (panel, moved))
        truth = dict(zip(panel.unit_ids, own, strict=False))
        return _measured(null, found, truth, further=float(own[-1]), sd=scenario.effect_sd)

    return rates_of(scenario, one, replications=replications, seed=seed)


def _measured(null: EachPilot, found: EachPilot, truth: dict[str, float], *, further: float, sd: float) -> Outcomes:
    own = np.array([truth[one.unit_id] for one in found.effects])
    covered = [abs(one.att - true) <= one.margin for one, true in zip(found.effects, own, strict=True)]
    pooled = found.pooled
    outcomes: Outcomes = {
        ("pilot", "size", "placebo"): float(np.mean([one.p <= ALPHA for one in null.effects])),
        ("pilot", "coverage", "placebo"): float(np.mean(covered)),
    }
    if pooled.n < 2:
        return outcomes
    shrunken = (pooled.shrunken_low <= own) & (own <= pooled.shrunken_high)
    return outcomes | {
        ("pilot", "coverage", "shrunken"): float(np.mean(shrunken)),
        ("pool", "size", "hartung_knapp"): float(not null.pooled.interval[0] <= 0 <= null.pooled.interval[1]),
        ("pool", "coverage", "hartung_knapp"): float(pooled.interval[0] <= EFFECT <= pooled.interval[1]),
        ("next pilot", "coverage", "prediction"): float(pooled.prediction[0] <= further <= pooled.prediction[1]),
        ("sd between", "coverage", "q_profile"): float(pooled.sd_interval[0] <= sd <= pooled.sd_interval[1]),
        ("sd between", "size", "q"): float(null.pooled.p <= ALPHA),
    }


def every_pilots_rate(*, replications: int, seed: int) -> Iterator[list[FewRate]]:
    """Yields the whole table, a scenario at a time."""
    for scenario in SCENARIOS:
        yield pilots_rates(scenario, replications=replications, seed=seed)
