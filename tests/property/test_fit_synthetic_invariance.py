"""What a synthetic difference-in-differences must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sos_spark.fit.regression.design import NEVER, CellArrays, PreparedPanel
from sos_spark.fit.synthetic import SyntheticDid, simplex_weights, synthetic_did
from tests.fit_panels import quarter

GTIME = np.array([4, 4] + [NEVER] * 6)


def a_panel(means: np.ndarray, gtime: np.ndarray = GTIME) -> PreparedPanel:
    """A panel of LA means (8, 7) with one row per cell."""
    units, periods = means.shape
    nothing = np.zeros(0, dtype=np.int64)
    return PreparedPanel(
        outcome_id="o",
        unit_ids=tuple(str(k) for k in range(units)),
        periods=np.arange(periods),
        period_starts=tuple(quarter(k) for k in range(periods)),
        gtime=gtime,
        rows=np.ones_like(means),
        y_sum=means,
        y_sumsq=None,
        covariates=(),
        continuous=(),
        z_sum=np.zeros((units, periods, 0)),
        zz_sum=np.zeros((units, 0, 0)),
        zy_sum=np.zeros((units, 0)),
        cells=CellArrays(nothing, nothing, np.zeros(0), np.zeros(0), None, np.zeros((0, 0), dtype=np.int64)),
    )


def fit(means: np.ndarray, gtime: np.ndarray = GTIME) -> SyntheticDid:
    return synthetic_did(a_panel(means, gtime), refits=15, seed=3)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([-100.0, 0.001]))
def test_scale_unit_constants_and_a_common_trend_change_nothing(seed: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    means = random.normal(size=(8, 7))
    moved = scale * means + random.normal(size=8)[:, None] + random.normal() * np.arange(7)
    first, second = fit(means), fit(moved)
    assert second.att == pytest.approx(scale * first.att, abs=1e-6 * abs(scale))
    assert second.placebo == pytest.approx(scale * first.placebo, abs=1e-6 * abs(scale))
    assert second.groups[0].unit_weights == pytest.approx(first.groups[0].unit_weights, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.permutations(range(8)))
def test_order_of_units_changes_neither_the_estimate_nor_all_its_placebos(seed: int, order: list[int]) -> None:
    means = np.random.default_rng(seed).normal(size=(8, 7))
    first, second = fit(means), fit(means[order], GTIME[order])
    assert second.att == pytest.approx(first.att, abs=1e-9)
    assert sorted(second.placebo) == pytest.approx(sorted(first.placebo), abs=1e-9)
    assert second.p == first.p


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), effect=st.floats(-5, 5))
def test_an_effect_added_from_go_live_on_is_added_to_the_estimate(seed: int, effect: float) -> None:
    means = np.random.default_rng(seed).normal(size=(8, 7))
    moved = means.copy()
    moved[:2, 4:] += effect
    first, second = fit(means), fit(moved)
    assert second.att == pytest.approx(first.att + effect, abs=1e-9)
    assert second.placebo == pytest.approx(first.placebo, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), shape=st.tuples(st.integers(1, 6), st.integers(1, 12)), power=st.integers(-8, 3))
def test_no_small_step_on_the_simplex_improves_the_weights(seed: int, shape: tuple[int, int], power: int) -> None:
    random = np.random.default_rng(seed)
    x, y, ridge = random.normal(size=shape), random.normal(size=shape[0]), 10.0**power

    def value(w: np.ndarray) -> float:
        error = (x - x.mean(axis=0)) @ w - (y - y.mean())
        return float(error @ error + ridge * w @ w)

    w = simplex_weights(x, y, ridge=ridge)
    assert w.min() >= 0
    assert w.sum() == pytest.approx(1)
    for other in random.dirichlet(np.ones(shape[1]), 20):
        assert value(w) <= value(0.99 * w + 0.01 * other) * (1 + 1e-9) + 1e-15
