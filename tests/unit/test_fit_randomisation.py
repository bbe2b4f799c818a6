"""Which assignments are used, how they are counted, and what happens when an effect cannot be estimated."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sos_spark.errors import InputError, StudyError
from sos_spark.fit.inference.assignments import Assignments, Ints
from sos_spark.fit.inference.effect_distribution import RandomisationTest
from sos_spark.fit.inference.label_permutation import label_test
from sos_spark.fit.inference.randomisation import go_live_test, randomisation_test, randomise
from sos_spark.fit.regression.design import NEVER, treatment_regression
from tests.cluster_panels import moments_of, some_rows
from tools.monte_carlo.main_design import panel_of_totals


def test_distinct_assignments_are_counted_by_stratum_and_enumerated_once_each() -> None:
    plan = Assignments.of([5, 5, NEVER, NEVER, 7, NEVER], strata=[0, 0, 0, 1, 1, 1], permutations=99, seed=1)
    every = np.concatenate(list(plan.batches(size=4)))
    assert plan.enumerated
    assert plan.n == plan.n_distinct == 3 * 3
    assert len({tuple(row) for row in every}) == 9
    assert all(sorted(row[:3]) == [NEVER, 5, 5] and sorted(row[3:]) == [NEVER, NEVER, 7] for row in every)


def test_one_more_assignment_than_asked_for_is_drawn_at_random() -> None:
    labels = [5, 5, NEVER, NEVER]
    assert Assignments.of(labels, permutations=6, seed=1).enumerated
    drawn = Assignments.of(labels, permutations=5, seed=1)
    assert not drawn.enumerated
    rows = np.concatenate(list(drawn.batches(size=2)))
    assert rows.shape == (5, 4)
    assert (np.sort(rows, axis=1) == sorted(labels)).all()


def test_strata_hold_in_random_draws() -> None:
    labels = [3] * 4 + [NEVER] * 16
    strata = [0] * 10 + [1] * 10
    rows = np.concatenate(list(Assignments.of(labels, strata=strata, permutations=50, seed=1).batches(size=50)))
    assert ((rows[:, :10] == 3).sum(axis=1) == 4).all()
    assert (rows[:, 10:] == NEVER).all()


@pytest.mark.parametrize(("enumerated", "expected"), [(True, 3 / 20), (False, 4 / 20)])
def test_p_adds_one_only_when_drawn(enumerated: bool, expected: float) -> None:
    plan = Assignments.of([1] * 3 + [0] * 3, permutations=20 if enumerated else 19, seed=1)
    assert plan.p_value(3) == expected


def a_test(seed: int = 1, *, gtime: list[int] | None = None, permutations: int = 199) -> RandomisationTest:
    rows = some_rows(n_units=12, n_treated=3, seed=seed)
    return randomisation_test(
        moments_of(rows),
        coefficient="treated",
        gtime=gtime or [2] * 3 + [NEVER] * 9,
        period_of={f"period_{t}": t for t in range(1, 5)},
        omitted_period=0,
        permutations=permutations,
        seed=7,
    )


def test_same_seed_same_p_and_never_zero() -> None:
    assert a_test() == a_test()
    assert a_test().p >= 1 / 200


def test_dates_that_are_not_the_treatments_are_refused() -> None:
    with pytest.raises(ValueError, match="not those of a dummy"):
        a_test(gtime=[3] * 3 + [NEVER] * 9)


def test_estimator_of_ones_own_sees_the_units_in_its_own_order() -> None:
    ids = ["c", "a", "d", "b"]
    level = np.array([3.0, 1.0, 4.0, 2.0])

    def mean_of_treated(gtime: Ints) -> tuple[float, float]:
        return float(level[gtime != NEVER].mean()), 1.0

    test = randomise(mean_of_treated, unit_ids=ids, gtime=[NEVER, NEVER, 9, NEVER], permutations=99, seed=1)
    assert test.att == 4
    assert (test.p, test.n_permutations, test.enumerated) == (1 / 4, 4, True)


def test_assignments_without_an_estimate_count_as_extreme() -> None:
    def estimate(gtime: Ints) -> tuple[float, float]:
        if gtime[0] != NEVER:
            raise InputError("no rows before go-live")
        return float(np.argmax(gtime != NEVER)), 1.0

    test = randomise(estimate, unit_ids=list("abcd"), gtime=[NEVER, NEVER, NEVER, 1], permutations=99, seed=1)
    assert test.n_undefined == 1
    assert test.p == 2 / 4


def test_no_actual_estimate_gives_no_p_value() -> None:
    test = randomise(lambda _: (1.0, 0.0), unit_ids=list("abc"), gtime=[1, NEVER, NEVER], permutations=9, seed=1)
    assert math.isnan(test.p)
    assert math.isnan(test.p_att)


def test_label_shared_by_all_treated_is_refused() -> None:
    rows = some_rows(n_units=8, n_treated=3)
    with pytest.raises(StudyError, match="difference between subgroups"):
        label_test(
            moments_of(rows),
            treatment="treated",
            labels=[1.0] * 8,
            treated=[u < 3 for u in range(8)],
            permutations=99,
            seed=1,
        )


def test_panel_whose_periods_no_authority_joins_is_refitted_assignment_by_assignment() -> None:
    """Units a, b, c are seen in periods 0-1 and d, e in 2-3 only: two period effects for four periods."""
    rows = np.array([[4.0, 4, 0, 0]] * 3 + [[0.0, 0, 4, 4]] * 2)
    y_sum = np.array([[1.0, 3, 0, 0], [1, 2, 0, 0], [2, 1, 0, 0], [0, 0, 1, 2], [0, 0, 3, 3]])
    joined = panel_of_totals(rows[:3], y_sum[:3], np.array([1, NEVER, NEVER]))
    apart = panel_of_totals(rows, y_sum, np.array([1, NEVER, NEVER, NEVER, NEVER]))
    assert "period_3" not in treatment_regression(apart, weights="child").moments.names

    alone = go_live_test(joined, weights="child", permutations=99, seed=1)
    test = go_live_test(apart, weights="child", permutations=99, seed=1)

    # Units d and e would be treated throughout: nothing is estimated from them, and both count as extreme.
    assert (test.n_undefined, alone.n_undefined) == (2, 0)
    assert test.att == pytest.approx(alone.att)
    assert test.p == pytest.approx((3 * alone.p + 2) / 5)
