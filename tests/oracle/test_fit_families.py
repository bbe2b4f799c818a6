"""A family of outcomes with few pilots: the step-down against brute force, and its family-wise error by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from sos_spark.analysis.families import step_down_by_permutation
from sos_spark.fit.estimators import twfe
from sos_spark.fit.inference.effect_distribution import EffectDistribution
from sos_spark.fit.regression.design import NEVER, Ints, PreparedPanel
from tools.monte_carlo.main_design import Conditions, Scenario, simulate_panels


def outcomes(n: int, scenario: Scenario, random: np.random.Generator) -> list[PreparedPanel]:
    return [panel for panel, _ in simulate_panels(scenario, random, conditions=Conditions(), n_outcomes=n)]


def permuted(panels: list[PreparedPanel], permutations: int) -> list[EffectDistribution]:
    return [twfe(panel, weights="child").distribution(permutations=permutations, seed=1) for panel in panels]


def brute_t(panel: PreparedPanel, gtime: Ints) -> float:
    """The statistic of one assignment, by a fit of its own."""
    one = twfe(panel.with_gtime(gtime), weights="child").distribution(permutations=99, seed=1)
    return abs(one.estimate / one.se)


def test_the_step_down_is_the_greatest_statistic_of_those_left_over_all_assignments() -> None:
    panels = outcomes(3, Scenario("x", 8, 2), np.random.default_rng(3))
    found = step_down_by_permutation(permuted(panels, 999))
    places = [(a, b) for a in range(8) for b in range(a + 1, 8)]
    gtimes = np.full((len(places), 8), NEVER)
    for row, pair in enumerate(places):
        gtimes[row, pair] = 2
    every = np.array([[brute_t(panel, gtime) for panel in panels] for gtime in gtimes])
    own = np.array([brute_t(panel, panel.gtime) for panel in panels])
    order, expected, least = np.argsort(-own), np.empty(3), 0.0
    for place, outcome in enumerate(order):
        greatest = every[:, order[place:]].max(axis=1)
        least = max(least, float(np.mean(greatest >= own[outcome] * (1 - 1e-9))))
        expected[outcome] = least
    assert found == pytest.approx(expected)


def test_five_true_nulls_give_a_false_claim_in_five_percent_of_studies_with_three_pilots() -> None:
    rejected, alone = [], []
    for replication in range(400):
        panels = outcomes(5, Scenario("x", 40, 3), np.random.default_rng([7, replication]))
        found = permuted(panels, 199)
        rejected.append(bool((step_down_by_permutation(found) <= 0.05).any()))
        alone.append(any(one.test().p <= 0.05 for one in found))
    error = float(np.sqrt(0.05 * 0.95 / 400))
    assert np.mean(rejected) <= 0.05 + 3 * error
    assert np.mean(rejected) >= 0.05 - 3 * error
    assert np.mean(alone) > 0.10
