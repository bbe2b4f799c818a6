"""What must not change an estimate under staggered adoption, and what must change it in proportion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sos_spark.fit.estimators import ESTIMATORS
from sos_spark.fit.estimators.twfe import two_way_weights
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.staggered.goodman_bacon import goodman_bacon
from sos_spark.fit.staggered.imputation import Imputation
from tests.staggered_panels import random_totals
from tools.monte_carlo.main_design import panel_of_totals

NAMES = ("cs_simple", "cs_not_yet", "imputation", "sun_abraham", "etwfe")
seeds = st.integers(0, 10_000)
gtimes = st.lists(st.integers(1, 6), min_size=2, max_size=9)


def numbers(panel: PreparedPanel, name: str) -> tuple[float, float, float]:
    estimate = ESTIMATORS[name](panel, weights="child")
    test = Sandwich(estimate.moments).satterthwaite_of([estimate.coefficient])
    return float(test.estimate[0]), float(test.se[0]), float(test.df[0])


@settings(max_examples=15, deadline=None)
@given(gtime=gtimes, seed=seeds, name=st.sampled_from(NAMES))
def test_the_order_of_authorities_does_not_matter(gtime: Sequence[int], seed: int, name: str) -> None:
    panel = random_totals(gtime, seed=seed)
    order = np.random.default_rng(seed).permutation(14)
    shuffled = panel_of_totals(panel.rows[order], panel.y_sum[order], panel.gtime[order])
    assert numbers(shuffled, name) == pytest.approx(numbers(panel, name), rel=1e-6, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(gtime=gtimes, seed=seeds, name=st.sampled_from(NAMES), scale=st.floats(0.01, 100))
def test_units_scale_and_period_effects_vanish(gtime: Sequence[int], seed: int, name: str, scale: float) -> None:
    panel = random_totals(gtime, seed=seed)
    shift = np.random.default_rng(seed).normal(size=7)
    moved = replace(panel, y_sum=scale * panel.y_sum + panel.rows * shift)
    att, se, df = numbers(panel, name)
    assert numbers(moved, name) == pytest.approx((scale * att, scale * se, df), rel=1e-6, abs=1e-8 * scale)


@settings(max_examples=15, deadline=None)
@given(gtime=gtimes, seed=seeds, name=st.sampled_from(("imputation", "sun_abraham", "etwfe")))
def test_authority_effects_vanish_within_authorities(gtime: Sequence[int], seed: int, name: str) -> None:
    panel = random_totals(gtime, seed=seed, gaps=True)
    shift = np.random.default_rng(seed).normal(size=(14, 1))
    moved = replace(panel, y_sum=panel.y_sum + panel.rows * shift)
    assert numbers(moved, name) == pytest.approx(numbers(panel, name), rel=1e-6, abs=1e-8)


@settings(max_examples=15, deadline=None)
@given(gtime=gtimes, seed=seeds, size=st.floats(-3, 3), name=st.sampled_from(NAMES))
def test_a_constant_effect_is_found_and_leaves_the_standard_error(
    gtime: Sequence[int], seed: int, size: float, name: str
) -> None:
    panel = random_totals(gtime, seed=seed)
    added = replace(panel, y_sum=panel.y_sum + panel.rows * panel.treated * size)
    att, se, df = numbers(panel, name)
    assert numbers(added, name) == pytest.approx((att + size, se, df), rel=1e-6, abs=1e-8)


@settings(max_examples=20, deadline=None)
@given(gtime=gtimes, seed=seeds)
def test_the_imputation_averages_the_effects_of_treated_rows_whatever_they_are(gtime: Sequence[int], seed: int) -> None:
    panel = random_totals(gtime, seed=seed)
    effects = np.random.default_rng(seed).normal(size=panel.rows.shape) * panel.treated
    alone = replace(panel, y_sum=panel.rows * effects)
    parts = Imputation.of(alone, weights="child")
    mean = (panel.rows * effects).sum() / (panel.rows * panel.treated).sum()
    assert parts.estimate(parts.simple) == pytest.approx(mean, abs=1e-10)
    assert numbers(alone, "imputation")[0] == pytest.approx(mean, abs=1e-8)


@settings(max_examples=20, deadline=None)
@given(gtime=gtimes, seed=seeds)
def test_decompositions_have_weights_that_add_up_to_one(gtime: Sequence[int], seed: int) -> None:
    panel = random_totals(gtime, seed=seed)
    parts = goodman_bacon(panel).comparisons
    assert sum(part.weight for part in parts) == pytest.approx(1)
    assert all(part.weight > 0 for part in parts)
    assert two_way_weights(panel, weights="child").sum() == pytest.approx(1, rel=1e-9)
