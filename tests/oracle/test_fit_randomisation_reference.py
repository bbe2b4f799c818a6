"""Randomisation inference against refitting every assignment on individual rows, with a dummy for every unit."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from sos_spark.fit.inference.effect_distribution import RandomisationTest
from sos_spark.fit.inference.label_permutation import label_test
from sos_spark.fit.inference.randomisation import randomisation_test
from sos_spark.fit.regression.design import NEVER
from tests.cluster_panels import Rows, moments_of, some_rows
from tests.references import Reference

REFITS = Reference(
    "Randomisation inference",
    "p-values over all assignments",
    "a fit of every assignment",
    "brute force",
    1e-12,
    absolute=True,
)


def fit_rows(x: np.ndarray, y: np.ndarray, unit: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Returns the first coefficient and its t, CR1 without factor, by weighted least squares with unit dummies."""
    x = np.column_stack([x, np.eye(unit.max() + 1)[unit]])
    inverse = np.linalg.pinv(x.T @ (x * weight[:, None]))
    beta = inverse @ (x.T @ (weight * y))
    scores = x * (weight * (y - x @ beta))[:, None]
    by_unit = np.array([scores[unit == u].sum(axis=0) for u in range(unit.max() + 1)]) @ inverse[0]
    return beta[0], beta[0] / np.sqrt(by_unit @ by_unit)


def with_treatment(rows: Rows, gtime: np.ndarray) -> Rows:
    mine = gtime[rows.unit]
    treated = ((mine != NEVER) & (rows.period >= mine)).astype(float)
    return Rows(rows.unit, rows.period, treated, rows.age, rows.y)


def shares(statistics: list[tuple[float, float]]) -> tuple[float, float]:
    """Returns p on t and p on the coefficient; the first assignment is the actual one."""
    absolute = np.abs(statistics)
    p_att, p_t = (absolute >= absolute[0] * (1 - 1e-9)).mean(axis=0)
    return p_t, p_att


def ours(rows: Rows, gtime: np.ndarray, *, la_equal: bool) -> RandomisationTest:
    return randomisation_test(
        moments_of(rows, la_equal=la_equal),
        coefficient="treated",
        gtime=gtime,
        period_of={f"period_{t}": t for t in range(1, rows.n_periods)},
        omitted_period=0,
        permutations=10_000,
        seed=1,
    )


@pytest.mark.parametrize("la_equal", [False, True])
@pytest.mark.parametrize("gtime", [[2, 2, NEVER, NEVER, NEVER, NEVER], [2, 3, 3, NEVER, NEVER, NEVER]])
def test_every_assignment_is_refitted_exactly(gtime: list[int], la_equal: bool) -> None:
    actual = np.array(gtime)
    rows = with_treatment(some_rows(n_units=6, seed=3, effect=0.4), actual)
    weight = np.bincount(rows.unit)[rows.unit] ** (-1.0 if la_equal else 0.0)
    distinct = [tuple(gtime), *sorted(set(permutations(gtime)) - {tuple(gtime)})]
    statistics = []
    for assignment in distinct:
        moved = with_treatment(rows, np.array(assignment))
        statistics.append(fit_rows(moved.regressors, moved.y, moved.unit, weight))

    test = ours(rows, actual, la_equal=la_equal)

    assert test.enumerated
    assert test.n_permutations == len(distinct)
    assert (test.p, test.p_att) == REFITS.equals(shares(statistics))
    assert test.att == pytest.approx(statistics[0][0], rel=1e-10)


def test_subgroup_labels_are_permuted_within_arms_and_refitted() -> None:
    rows = some_rows(n_units=7, n_treated=3, seed=8)
    labels = np.array([1, 0, 0, 1, 1, 0, 0])
    periods = np.eye(rows.n_periods)[rows.period][:, 1:]
    arms = [(own, other) for own in set(permutations(labels[:3])) for other in set(permutations(labels[3:]))]
    arms.sort(key=lambda arm: arm != (tuple(labels[:3]), tuple(labels[3:])))
    statistics = []
    for own, other in arms:
        label = np.array(own + other)[rows.unit][:, None]
        x = np.column_stack([label * rows.treated[:, None], label * periods, rows.regressors])
        statistics.append(fit_rows(x, rows.y, rows.unit, np.ones(len(rows.y))))

    test = label_test(
        moments_of(rows),
        treatment="treated",
        interacted=[f"period_{t}" for t in range(1, rows.n_periods)],
        labels=labels,
        treated=[u < 3 for u in range(7)],
        permutations=999,
        seed=1,
    )

    assert test.enumerated
    assert test.n_permutations == 3 * 6
    assert test.att == pytest.approx(statistics[0][0], rel=1e-9)
    assert (test.p, test.p_att) == REFITS.equals(shares(statistics))


def test_doses_are_permuted_among_the_treated_only() -> None:
    rows = some_rows(n_units=7, n_treated=4, seed=9)
    doses = np.array([0.1, 0.5, 0.5, 0.9, 0.0, 0.0, 0.0])
    orders = sorted(set(permutations(doses[:4])), key=lambda order: order != tuple(doses[:4]))
    statistics = []
    for order in orders:
        dose = np.array([*order, 0.0, 0.0, 0.0])[rows.unit]
        x = np.column_stack([dose * rows.treated, rows.regressors])
        statistics.append(fit_rows(x, rows.y, rows.unit, np.ones(len(rows.y))))

    test = label_test(
        moments_of(rows),
        treatment="treated",
        labels=doses,
        treated=[u < 4 for u in range(7)],
        permutations=999,
        seed=1,
    )

    assert test.n_permutations == 12
    assert (test.p, test.p_att) == REFITS.equals(shares(statistics))
