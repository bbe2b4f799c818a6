"""Each pilot's effect: what an error is worth by size, when nothing is said, what pooling and shrinking do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sos_spark.analysis.pilots import Errors, Line, each_pilot, pilots_frame, pooled_frame
from sos_spark.analysis.pooling import pool
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.lone_pilot import FEWEST_PLACEBOS
from sos_spark.fit.unsteadiness import Scatter
from tests.staggered_panels import random_totals


def test_a_variance_by_size_is_found_again() -> None:
    h = np.repeat([0.1, 1.0], 200)
    found = Line.through((np.random.default_rng(1).normal(size=400) * np.sqrt(1 + 9 * h)) ** 2, h)
    assert (found.fixed, found.by_size) == pytest.approx((1, 9), rel=0.35)


def test_a_pilot_that_is_twice_as_unsteady_has_the_twice_as_wide_interval() -> None:
    errors = Errors(np.arange(1.0, 40.0), np.ones(39), np.ones(39))
    assert errors.margin(4.0) == pytest.approx(2 * errors.margin(1.0))
    assert errors.p_value(60.0, 4.0) == errors.p_value(30.0, 1.0)


def test_p_counts_the_pilot_itself_and_agrees_with_the_interval() -> None:
    errors = Errors(np.arange(1.0, 40.0), np.ones(39), np.ones(39))
    assert errors.p_value(1e9, 1.0) == pytest.approx(1 / 40)
    assert errors.margin(1.0) == pytest.approx(38)  # the 38th of 39 and itself
    assert errors.p_value(38.5, 1.0) <= 0.05 < errors.p_value(38.0, 1.0)


def test_own_scatter_is_that_about_the_means_before_and_after() -> None:
    """A pilot at 1, 3 | 10, 14, 12 beside comparators that stay at 0: squares add up to 2 and 8, on 3 free periods."""
    panel = random_totals((2,), n_units=12, n_periods=5, equal=True)
    means = np.zeros(panel.rows.shape)
    means[0] = [1, 3, 10, 14, 12]
    panel = replace(panel, y_sum=panel.rows * means)
    found = Scatter.of(panel, panel.without({panel.unit_ids[0]}), 2)
    assert found.free.tolist() == [3] * 12
    assert found.variance[0] == pytest.approx((2 + 8) / 3 * (1 / 2 + 1 / 3))
    assert found.variance[1:] == pytest.approx(0.0)


def test_with_two_periods_a_pilot_has_no_interval_and_says_why() -> None:
    panel = random_totals((1, 1), n_units=30, n_periods=4)
    frame = pilots_frame("o", each_pilot(panel, weights="child"))
    assert frame["att"].notna().all()
    assert frame[["ci_low", "ci_high", "p_placebo", "se_placebo"]].isna().all(axis=None)
    assert frame["note"].str.contains("too few periods").all()


def test_with_too_few_comparators_an_effect_has_no_interval_and_says_why() -> None:
    found = each_pilot(random_totals((3, 3), n_units=2 + FEWEST_PLACEBOS - 1), weights="child")
    frame = pilots_frame("o", found)
    assert frame[["se_placebo", "ci_low", "ci_high", "p_placebo", "shrunken"]].isna().all(axis=None)
    assert frame["att"].notna().all()
    assert frame["note"].str.contains("18 comparators").all()
    assert pooled_frame("o", found)["n_pilots"].tolist() == [0]


def test_a_pilot_is_compared_with_comparators_and_no_other_pilot() -> None:
    panel = random_totals((3, 4, 3), n_units=30)
    alone = panel.without({panel.unit_ids[0], panel.unit_ids[2]})
    of_all = {one.unit_id: one for one in each_pilot(panel, weights="child").effects}
    (by_itself,) = each_pilot(alone, weights="child").effects
    assert of_all[by_itself.unit_id].att == pytest.approx(by_itself.att, rel=1e-9)
    assert of_all[by_itself.unit_id].p == by_itself.p


def test_two_pilots_have_a_mean_and_three_an_expectation() -> None:
    one, two, three = (pool(np.arange(n, dtype=float), np.ones(n)) for n in (1, 2, 3))
    assert np.isnan([one.mean, *one.interval]).all()
    assert not np.isnan([two.mean, *two.interval]).any()
    assert np.isnan(two.prediction).all()
    assert not np.isnan(three.prediction).any()
    assert three.prediction[0] < three.interval[0] < three.interval[1] < three.prediction[1]


def test_an_effect_is_drawn_towards_the_mean_the_more_the_less_is_known_of_it() -> None:
    effects, variances = np.array([0.0, 10.0, 10.0, 0.0, 5.0]), np.array([1.0, 1.0, 30.0, 30.0, 1.0])
    found = pool(effects, variances)
    pulled = np.abs(found.shrunken - effects)
    assert pulled[2] > pulled[1]
    assert pulled[3] > pulled[0]
    assert (found.shrunken_low < found.shrunken).all()


def test_without_a_comparator_there_is_no_effect_of_a_pilot() -> None:
    panel = random_totals((3, 4), n_units=3)
    with pytest.raises(NotEstimableError, match="fewer than two"):
        each_pilot(panel, weights="child")
