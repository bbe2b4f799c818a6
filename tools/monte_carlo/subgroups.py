"""How often each inference rejects a true 'no difference between subgroups', and covers a true difference.

Panels are those of `monte_carlo`: two of them, one a subgroup, side by side, so that each subgroup has its own treated
LAs, comparators and effect. Under `crossed` comparators carry the label and the difference is a triple difference; else
both subgroups meet all comparators. For the slope on a dose the treated LAs of one panel get evenly spaced doses in
random order. Everything is drawn anew in every replication.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

from sos_spark.analysis.secondary.dose import DOSE
from sos_spark.analysis.secondary.split import Split
from sos_spark.analysis.secondary.subgroups import DIFFERENCE, SECOND, label_p, subgroup_moments
from sos_spark.config.study import Inference
from sos_spark.fit.inference.label_permutation import label_test
from sos_spark.fit.inference.randomisation import go_live_test
from sos_spark.fit.inference.wild import wild_cluster_interval, wild_cluster_test
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import NEVER, TREATED, PreparedPanel, regression, treatment_regression
from sos_spark.fit.regression.moments import Array, ClusterMoments
from tools.monte_carlo.main_design import (
    ALPHA,
    DEFAULT_CONDITIONS,
    Conditions,
    Scenario,
    panel_of_totals,
    simulate_panels,
)

METHODS = ("cr2_satterthwaite", "wcr", "ri_t")
COVERING = ("cr2_satterthwaite", "wcr")


@dataclass(frozen=True)
class SubgroupScenario:
    """Two subgroups of LAs with so many treated each. `n_las` counts all LAs of both, shared about equally.

    `effect` is the treated LAs' in both subgroups, `difference` what the second has beside it; `effect_sd` varies
    effects between treated LAs of one subgroup.
    """

    name: str
    n_treated: tuple[int, int]
    crossed: bool
    n_las: int = 60
    effect: float = 0.0
    difference: float = 0.0
    effect_sd: float = 0.0

    @property
    def parts(self) -> tuple[Scenario, Scenario]:
        """The panels of the two subgroups."""
        first = self.n_las // 2
        sizes = (first, self.n_las - first)
        effects = (self.effect, self.effect + self.difference)
        one, other = (
            Scenario(f"{self.name}, part {k}", sizes[k], self.n_treated[k], effect=effects[k], effect_sd=self.effect_sd)
            for k in (0, 1)
        )
        return one, other


SUBGROUP_SCENARIOS = (
    SubgroupScenario("5 and 4 of 60, comparators labelled", (5, 4), crossed=True),
    SubgroupScenario("5 and 4 of 60, treated labelled only", (5, 4), crossed=False),
    SubgroupScenario("7 and 2 of 60, comparators labelled", (7, 2), crossed=True),
    SubgroupScenario("10 and 10 of 100, comparators labelled", (10, 10), crossed=True, n_las=100),
    SubgroupScenario(
        "5 and 4 of 60, comparators labelled, heterogeneous effects", (5, 4), crossed=True, effect_sd=0.04
    ),
)
DIFFERENT_SCENARIOS = (
    SubgroupScenario("5 and 4 of 60, comparators labelled, 5 points apart", (5, 4), crossed=True, difference=0.05),
    SubgroupScenario("5 and 4 of 60, treated labelled only, 5 points apart", (5, 4), crossed=False, difference=0.05),
)
DOSE_SCENARIO = Scenario("9 of 60, nine doses", 60, 9)


@dataclass(frozen=True)
class SubgroupRate:
    """A share of replications with its Monte Carlo standard error.

    `term` is difference, effect_in_second (of the second subgroup) or per_unit_of_dose; `measure` is size (power where
    the scenario has a difference) or coverage.
    """

    scenario: str
    term: str
    measure: str
    method: str
    share: float
    mc_se: float
    replications: int


def simulate_split(
    scenario: SubgroupScenario, random: np.random.Generator, *, conditions: Conditions = DEFAULT_CONDITIONS
) -> tuple[Split, float]:
    """Returns a panel in two subgroups, and the difference of the effects injected."""
    parts = [simulate_panels(part, random, conditions=conditions)[0] for part in scenario.parts]
    panels = [panel for panel, _ in parts]
    panel = panel_of_totals(
        np.concatenate([each.rows for each in panels]),
        np.concatenate([each.y_sum for each in panels]),
        np.concatenate([each.gtime for each in panels]),
    )
    second = np.repeat([False, True], [len(each.unit_ids) for each in panels])
    second &= scenario.crossed | panel.is_treated_unit
    return Split(panel, second, ("first", "second"), scenario.crossed), parts[1][1] - parts[0][1]


def subgroup_rates(
    scenario: SubgroupScenario,
    *,
    replications: int,
    draws: int,
    permutations: int,
    seed: int,
    conditions: Conditions = DEFAULT_CONDITIONS,
) -> list[SubgroupRate]:
    """Returns size (power) and coverage for the difference, and the size of 'no effect in the second subgroup'."""
    has_effect = scenario.effect + scenario.difference != 0
    rejected = np.empty((replications, 3), dtype=bool)
    covered = np.empty((replications, 2), dtype=bool)
    of_second = np.empty((replications, 3), dtype=bool)
    for replication, (random, own_seed) in enumerate(_streams(scenario.name, replications, seed)):
        split, truth = simulate_split(scenario, random, conditions=conditions)
        given = Inference(draws=draws, permutations=permutations, seed=own_seed)
        effects, difference = subgroup_moments(split, weights="child")
        by_label = label_p(split, inference=given)
        by_cr2 = Sandwich(difference).satterthwaite_of([DIFFERENCE])
        low, high = by_cr2.interval()
        by_wild = wild_cluster_test(difference, coefficient=DIFFERENCE, draws=draws, seed=own_seed).p
        wild = wild_cluster_interval(difference, coefficient=DIFFERENCE, draws=draws, seed=own_seed)
        rejected[replication] = _at_most_alpha(float(by_cr2.p[0]), by_wild, by_label)
        covered[replication] = [low[0] <= truth <= high[0], wild.low <= truth <= wild.high]
        if not has_effect:
            part = split.part(second=True)
            by_go_live = go_live_test(part, weights="child", permutations=permutations, seed=own_seed).p
            of_second[replication] = _at_most_alpha(*_p_values(effects, SECOND, given), by_go_live)
    rates = [
        *_rates(scenario.name, DIFFERENCE, "power" if scenario.difference else "size", METHODS, rejected),
        *_rates(scenario.name, DIFFERENCE, "coverage", COVERING, covered),
    ]
    if not has_effect:
        rates += _rates(scenario.name, "effect_in_second", "size", METHODS, of_second)
    return rates


def dose_rates(
    scenario: Scenario,
    *,
    replications: int,
    draws: int,
    permutations: int,
    seed: int,
    conditions: Conditions = DEFAULT_CONDITIONS,
) -> list[SubgroupRate]:
    """Returns how often a true 'no slope on the dose' is rejected."""
    rejected = np.empty((replications, 3), dtype=bool)
    for replication, (random, own_seed) in enumerate(_streams(scenario.name, replications, seed)):
        ((panel, _),) = simulate_panels(scenario, random, conditions=conditions)
        dose = _doses(panel, random)
        given = Inference(draws=draws, permutations=permutations, seed=own_seed)
        moments = regression(
            panel, {TREATED: panel.treated, DOSE: panel.treated * dose[:, None]}, weights="child"
        ).moments
        by_label = label_test(
            treatment_regression(panel, weights="child").moments,
            treatment=TREATED,
            labels=dose,
            treated=panel.is_treated_unit.tolist(),
            permutations=permutations,
            seed=own_seed,
        ).p
        rejected[replication] = _at_most_alpha(*_p_values(moments, DOSE, given), by_label)
    return _rates(scenario.name, "per_unit_of_dose", "size", METHODS, rejected)


def every_subgroup_rate(
    *, replications: int, draws: int, permutations: int, seed: int, conditions: Conditions = DEFAULT_CONDITIONS
) -> Iterator[list[SubgroupRate]]:
    """Yields the whole table, a scenario at a time."""
    knobs = {"replications": replications, "draws": draws, "permutations": permutations, "seed": seed}
    for scenario in (*SUBGROUP_SCENARIOS, *DIFFERENT_SCENARIOS):
        yield subgroup_rates(scenario, **knobs, conditions=conditions)
    yield dose_rates(DOSE_SCENARIO, **knobs, conditions=conditions)


def label_p_values(
    scenario: SubgroupScenario,
    *,
    replications: int,
    permutations: int,
    seed: int,
    conditions: Conditions = DEFAULT_CONDITIONS,
) -> list[float]:
    """Returns p of the label permutation in each replication: with few assignments it takes few values."""
    return [
        label_p(
            simulate_split(scenario, random, conditions=conditions)[0],
            inference=Inference(permutations=permutations, seed=own_seed),
        )
        for random, own_seed in _streams(scenario.name, replications, seed)
    ]


def _doses(panel: PreparedPanel, random: np.random.Generator) -> Array:
    treated = panel.gtime != NEVER
    dose = np.zeros(len(treated))
    dose[treated] = random.permutation(np.linspace(-1, 1, int(treated.sum())))
    return dose


def _p_values(moments: ClusterMoments, name: str, given: Inference) -> tuple[float, float]:
    """Returns p of CR2 with Satterthwaite df and of the restricted wild cluster bootstrap."""
    by_cr2 = float(Sandwich(moments).satterthwaite_of([name]).p[0])
    return by_cr2, wild_cluster_test(moments, coefficient=name, draws=given.draws, seed=given.seed).p


def _at_most_alpha(*p_values: float) -> list[bool]:
    return [p <= ALPHA for p in p_values]


def _streams(name: str, replications: int, seed: int) -> Iterator[tuple[np.random.Generator, int]]:
    """Yields each replication's generator, and a seed for its draws; a function of (seed, name, replication) only."""
    for replication in range(replications):
        random = np.random.default_rng([seed, crc32(name.encode()), replication])
        yield random, int(random.integers(2**32))


def _rates(
    scenario: str, term: str, measure: str, methods: tuple[str, ...], happened: npt.NDArray[np.bool_]
) -> list[SubgroupRate]:
    """Shape of happened: (replications, methods)."""
    n = len(happened)
    return [
        SubgroupRate(scenario, term, measure, method, float(share), float(np.sqrt(share * (1 - share) / n)), n)
        for method, share in zip(methods, happened.mean(axis=0), strict=True)
    ]
