"""The inverted randomisation test against refitting every assignment to the outcomes less an effect, on rows."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from sos_spark.config.study import Inference
from sos_spark.fit.estimators import ESTIMATORS, LinearEstimate
from sos_spark.fit.event_study import event_study
from sos_spark.fit.inference.effect_distribution import EffectDistribution
from sos_spark.fit.inference.randomisation import effect_and_scores, randomisation_distribution
from sos_spark.fit.regression.design import NEVER, PreparedPanel, regression
from tests.cluster_panels import Rows, moments_of, some_rows
from tests.oracle.test_fit_randomisation_reference import fit_rows, with_treatment
from tests.references import Reference
from tests.staggered_panels import random_totals

EVERY_ASSIGNMENT = Reference(
    "Equivalence with few pilots",
    "p-value",
    "two one-sided tests over every assignment",
    "brute force",
    1e-12,
    absolute=True,
)


def distribution(rows: Rows, gtime: np.ndarray, *, asked: int = 10_000, la_equal: bool = False) -> EffectDistribution:
    return randomisation_distribution(
        moments_of(rows, la_equal=la_equal),
        coefficient="treated",
        gtime=gtime,
        period_of={f"period_{t}": t for t in range(1, rows.n_periods)},
        omitted_period=0,
        permutations=asked,
        seed=1,
    )


def signed_t(rows: Rows, gtime: np.ndarray, *, null: float, la_equal: bool = False) -> np.ndarray:
    """Every assignment's t of the outcomes less the effect, the actual assignment's first."""
    weight = np.bincount(rows.unit)[rows.unit] ** (-1.0 if la_equal else 0.0)
    actual = tuple(gtime)
    y = rows.y - null * rows.treated
    found = []
    for assignment in [actual, *sorted(set(permutations(actual)) - {actual})]:
        moved = with_treatment(rows, np.array(assignment))
        found.append(fit_rows(moved.regressors, y, moved.unit, weight)[1])
    return np.array(found)


def p_two_sided(t: np.ndarray) -> float:
    return float((np.abs(t) >= abs(t[0]) * (1 - 1e-9)).mean())


@pytest.mark.parametrize("la_equal", [False, True])
@pytest.mark.parametrize("gtime", [[2, 2, *[NEVER] * 6], [2, 3, *[NEVER] * 5]])
def test_the_interval_is_the_hull_of_the_effects_that_refitting_every_assignment_does_not_reject(
    gtime: list[int], la_equal: bool
) -> None:
    actual = np.array(gtime)
    rows = with_treatment(some_rows(n_units=len(gtime), seed=3, effect=0.4), actual)
    low, high = distribution(rows, actual, la_equal=la_equal).interval()
    step = (high - low) / 40

    def p(null: float) -> float:
        return p_two_sided(signed_t(rows, actual, null=null, la_equal=la_equal))

    assert p(low + 1e-6 * step) > 0.05 >= p(low - 1e-6 * step)
    assert p(high - 1e-6 * step) > 0.05 >= p(high + 1e-6 * step)
    assert all(p(null) <= 0.05 for null in (*(low - step * np.arange(1, 20, 4)), *(high + step * np.arange(1, 20, 4))))


def test_equivalence_is_two_one_sided_tests_over_every_assignment() -> None:
    actual = np.array([2, 2, *[NEVER] * 5])
    rows = with_treatment(some_rows(n_units=7, seed=5), actual)
    permuted = distribution(rows, actual)
    for bound in (0.5 * permuted.se, 3 * permuted.se, 20 * permuted.se):
        below, above = (signed_t(rows, actual, null=null) for null in (-bound, bound))
        expected = max((below >= below[0] - 1e-9).mean(), (above <= above[0] + 1e-9).mean())
        assert permuted.p_equivalence(bound) == EVERY_ASSIGNMENT.equals(expected)


def test_fewer_than_twenty_assignments_bound_nothing_and_detect_nothing() -> None:
    actual = np.array([2, *[NEVER] * 17])
    rows = with_treatment(some_rows(n_units=18, n_treated=1, seed=2), actual)
    permuted = distribution(rows, actual)
    assert permuted.plan.n_distinct == 18
    assert permuted.interval() == (-np.inf, np.inf)
    assert np.isnan(permuted.minimum_detectable_effect())
    assert not permuted.can_reject


def test_one_pilot_of_thirty_has_an_interval_with_ends() -> None:
    actual = np.array([2, *[NEVER] * 29])
    rows = with_treatment(some_rows(n_units=30, n_treated=1, seed=2), actual)
    permuted = distribution(rows, actual)
    low, high = permuted.interval()
    assert np.isfinite([low, high]).all()
    assert low < permuted.estimate < high


def less(panel: PreparedPanel, effect: float) -> PreparedPanel:
    return replace(panel, y_sum=panel.y_sum - effect * panel.rows * panel.treated)


@pytest.mark.parametrize("name", [*ESTIMATORS])
def test_drawn_assignments_are_inverted_as_if_the_panel_were_fitted_again_less_the_effect(name: str) -> None:
    gtime = (3, 3, 3, 3) if name == "twfe" else (2, 3, 4, 5)
    panel = random_totals(gtime, n_units=24)

    def permuted(effect: float) -> EffectDistribution:
        again: LinearEstimate = ESTIMATORS[name](less(panel, effect), weights="child")
        return again.distribution(permutations=199, seed=4)

    found = permuted(0.0)
    low, high = found.interval()
    step = (high - low) * 1e-7
    assert permuted(low + step).test().p > 0.05 >= permuted(low - step).test().p
    assert permuted(high - step).test().p > 0.05 >= permuted(high + step).test().p
    shifted = permuted(0.1).interval()
    assert shifted == pytest.approx((low - 0.1, high - 0.1), abs=1e-9)


def test_an_interval_of_an_event_time_is_that_of_refitting_every_assignment() -> None:
    panel = random_totals((3, 3), n_units=11, gaps=True)
    study = event_study(panel, estimator="twfe", inference=Inference(permutations=999))
    effects = {row.event_time: row.att for row in study.rows}
    treated = panel.is_treated_unit[:, None] & np.ones_like(panel.rows, dtype=bool)

    def t_of(moved: PreparedPanel, k: int) -> float:
        own = moved.is_treated_unit[:, None]
        dummies = {f"event_{j}": ((moved.event_time == j) & own).astype(float) for j in effects if j != -1}
        att, scores = effect_and_scores(regression(moved, dummies, weights="child").moments, f"event_{k}")
        return att / float(np.linalg.norm(scores))

    def p(k: int, null: float) -> float:
        of_others = sum(att * ((panel.event_time == j) & treated) for j, att in effects.items() if j not in (k, -1))
        own = null * ((panel.event_time == k) & treated)
        y_sum = panel.y_sum - panel.rows * (of_others + own)
        actual = tuple(panel.gtime)
        orders = [actual, *sorted(_pairs(len(actual)) - {actual})]
        return p_two_sided(np.array([t_of(replace(panel, y_sum=y_sum, gtime=np.array(g)), k) for g in orders]))

    for k in (-3, 0, 2):
        row = next(row for row in study.rows if row.event_time == k)
        step = (row.ci_high - row.ci_low) * 1e-6
        assert p(k, row.ci_low + step) > 0.05 >= p(k, row.ci_low - step)
        assert p(k, row.ci_high - step) > 0.05 >= p(k, row.ci_high + step)


def _pairs(n: int) -> set[tuple[int, ...]]:
    """Every way to have two of n go live in period 3."""
    found = set()
    for first in range(n):
        for second in range(first + 1, n):
            found.add(tuple(3 if unit in (first, second) else NEVER for unit in range(n)))
    return found


@pytest.mark.parametrize("name", ["cs_simple", "cs_not_yet", "sun_abraham", "imputation"])
def test_a_lone_group_s_shocks_are_in_its_own_statistic(name: str) -> None:
    """With a residual of its own alone, an authority that goes live by itself could scatter at will unseen."""
    panel = random_totals((2, 3, 4, 5), n_units=30)
    shock = np.zeros_like(panel.rows)
    shock[0, 2:] = 1.0

    def error(y_sum: np.ndarray) -> float:
        estimate = ESTIMATORS[name](replace(panel, y_sum=y_sum), weights="child")
        return estimate.distribution(permutations=39, seed=1).se

    assert error(panel.y_sum + shock * panel.rows) > 1.4 * error(panel.y_sum)
