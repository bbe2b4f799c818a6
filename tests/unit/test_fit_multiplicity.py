"""Step-down p-values on draws whose answer one can count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from sos_spark.fit.inference.multiplicity import family_test, holm, romano_wolf
from sos_spark.fit.inference.wild import wild_cluster_test
from tests.cluster_panels import moments_of, some_rows

T_STAR = np.array([[1.0, -3.0], [2.0, 0.5], [-2.5, 1.0], [0.1, -0.2]])


def test_first_hypothesis_meets_the_greatest_of_all_and_the_second_only_its_own() -> None:
    # |t| = 2.5 first: greatest |t*| are 3, 2, 2.5, 0.2, of which 3 and 2.5 (a tie) reach it. Then |t| = 0.7: 3 and 1.
    assert romano_wolf(np.array([2.5, -0.7]), T_STAR) == pytest.approx([0.5, 0.5])
    assert romano_wolf(np.array([2.6, -0.4]), T_STAR) == pytest.approx([0.25, 0.75])


def test_a_later_hypothesis_is_never_below_an_earlier_one() -> None:
    t_star = np.array([[5.0, 0.0], [5.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    # By itself the second would have p = 0.
    assert romano_wolf(np.array([2.0, 1.0]), t_star) == pytest.approx([0.5, 0.5])


def test_an_outcome_without_a_statistic_is_not_in_the_family() -> None:
    with_gap = romano_wolf(np.array([2.5, np.nan, -0.7]), np.insert(T_STAR, 1, 9.0, axis=1))
    assert with_gap == pytest.approx([0.5, np.nan, 0.5], nan_ok=True)
    assert holm(np.array([0.01, np.nan, 0.04])) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)
    assert np.isnan(romano_wolf(np.array([np.nan]), T_STAR[:, :1])).all()


@settings(max_examples=30, deadline=None)
@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_statsmodels_holm(p: list[float]) -> None:
    assert holm(np.array(p)) == pytest.approx(multipletests(p, method="holm")[1])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1_000))
def test_adjusted_lies_between_the_outcomes_own_p_and_one(seed: int) -> None:
    fits = {f"outcome_{k}": moments_of(some_rows(n_units=12, effect=0.3 * k, seed=seed + k)) for k in range(3)}
    family = family_test(fits, coefficient="treated", draws=199, seed=3)
    assert (family.p_adjusted >= family.p).all()
    assert (family.p_adjusted <= 1).all()
    for k, fit in enumerate(fits.values()):
        assert family.p[k] == wild_cluster_test(fit, coefficient="treated", draws=199, seed=3).p


def test_the_same_outcome_twice_costs_nothing() -> None:
    fit = moments_of(some_rows(n_units=12, effect=0.5, seed=3))
    family = family_test({"a": fit, "b": fit}, coefficient="treated", draws=999, seed=3)
    assert family.p_adjusted == pytest.approx(family.p)
    assert family.p_holm[0] == pytest.approx(min(1, 2 * family.p[0]))
