"""The slope before go-live, against answers one can work out, and the effect that a planted slope makes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sos_spark.analysis.pretrend import bias_of_slope, pre_trend, pretrend_frame
from sos_spark.config.study import Continuous, Covariates, Inference
from sos_spark.fit import DidResult, fit_did
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.did import blank_result
from sos_spark.fit.estimators import cs_simple, twfe
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.tables.results import PRETREND
from tests.fit_panels import QUICK, a_design, a_window, collapsed, design_of, quarter, some_cells, some_children


def fitted(cells: pd.DataFrame, *, pilots: dict[str, int] | None = None, **changed: Any) -> DidResult:
    window = a_window(baseline=(quarter(0), quarter(1)), follow_up=(quarter(1), quarter(40)))
    return fit_did(cells, design=a_design(pilots=pilots, window=window, **changed), inference=QUICK)


def of_equal_size(cells: pd.DataFrame) -> pd.DataFrame:
    share = cells["y_sum"] / cells["n"]
    return cells.assign(n=50, y_sum=50 * share, y_sumsq=50 * share)


def straight(cells: pd.DataFrame, *, slope: float, pilots: dict[str, int], la_level: float = 0.01) -> pd.DataFrame:
    """The cells with outcomes that are an LA's level, a period's level, and a slope in treated LAs; without noise."""
    since = cells["period"] - cells["unit_id"].map(pilots)
    level = cells["unit_id"].astype(int) * la_level + np.sin(cells["period"]) + slope * since.fillna(0)
    return cells.assign(y_sum=cells["n"] * level, y_sumsq=cells["n"] * level**2)


def test_with_two_periods_before_the_slope_is_their_difference_in_differences() -> None:
    cells = of_equal_size(some_cells(n_units=12, n_periods=4))
    pilots = {str(201 + k): 2 for k in range(5)}
    before = cells[cells["period"] < 2].assign(y=lambda c: c["y_sum"] / c["n"])
    wide = before.pivot(index="unit_id", columns="period", values="y")
    change = wide[1] - wide[0]
    by_hand = change[change.index.isin(pilots)].mean() - change[~change.index.isin(pilots)].mean()
    found = pre_trend(fitted(cells, pilots=pilots), smallest_effect=0.02)
    assert found.n_pre == 2
    assert found.slope == pytest.approx(by_hand, rel=1e-9)


def test_rows_from_go_live_on_have_no_say_in_the_slope() -> None:
    cells = some_cells(n_periods=8)
    late = cells["period"] >= 3
    changed = cells.assign(y_sum=np.where(late, cells["n"] - cells["y_sum"], cells["y_sum"]))
    changed["y_sumsq"] = changed["y_sum"]
    one, other = (pre_trend(fitted(each), smallest_effect=0.02) for each in (cells, changed))
    assert (one.slope, one.se_cr2, one.df) == (other.slope, other.se_cr2, other.df)


def test_an_effect_two_periods_before_and_two_after_takes_up_two_slopes() -> None:
    """Treated LAs lie at -2, -1 before and 0, 1 after: their mean rises by 2."""
    cells = of_equal_size(some_cells(n_units=12, n_periods=4))
    panel = prepare(cells, a_design(pilots={str(201 + k): 2 for k in range(5)})).panel
    assert bias_of_slope(twfe(panel, weights="child")) == pytest.approx(2.0, rel=1e-12)


@pytest.mark.parametrize("weights", ["child", "la_equal"])
@pytest.mark.parametrize(
    ("pilots", "estimator"),
    [
        ({str(201 + k): 3 for k in range(6)}, twfe),
        ({str(201 + k): 3 + k % 3 for k in range(6)}, cs_simple),
        ({str(201 + k): 3 + k % 3 for k in range(6)}, twfe),
    ],
)
def test_a_planted_slope_makes_the_effect_that_the_factor_says(
    pilots: dict[str, int], estimator: object, weights: str
) -> None:
    # Group-time effects are of pooled rows: LAs of unlike levels and changing sizes would make an effect of their own.
    la_level = 0.0 if estimator is cs_simple else 0.01
    cells = straight(some_cells(n_periods=9), slope=0.37, pilots=pilots, la_level=la_level)
    cells = cells[(cells["period"] != 5) | (cells["unit_id"] != "202")]
    estimate = estimator(prepare(cells, a_design(pilots=pilots)).panel, weights=weights)
    effect = Sandwich(estimate.moments).estimate(estimate.coefficient)
    assert effect == pytest.approx(0.37 * bias_of_slope(estimate), rel=1e-9)


def test_a_planted_slope_makes_that_effect_beside_covariates_too() -> None:
    children = some_children(n_rows=4_000, n_units=20, n_treated=6)
    since = np.where(children["unit"] < 6, children["period"] - 6, 0)
    children["line"] = 0.5 * since + 0.2 * (children["age_band"] == "0") + 0.03 * children["age_years"]
    design = design_of(children, by=("age_band",), z="age_years")
    estimate = twfe(
        prepare(collapsed(children, y="line", by=("age_band",), z="age_years"), design).panel, weights="child"
    )
    effect = Sandwich(estimate.moments).estimate(estimate.coefficient)
    assert effect == pytest.approx(0.5 * bias_of_slope(estimate), rel=1e-9)


@pytest.mark.parametrize("pilots", [{str(201 + k): 3 for k in range(6)}, {str(201 + k): 3 + k % 3 for k in range(6)}])
def test_a_planted_slope_is_found(pilots: dict[str, int]) -> None:
    """Noise is an LA-period's own, the same in size everywhere, so the slope is found within a few of its errors."""
    cells = straight(some_cells(n_periods=9), slope=0.37, pilots=pilots)
    shock = np.random.default_rng(5).normal(0, 1e-4, len(cells))
    cells = cells.assign(y_sum=cells["y_sum"] + cells["n"] * shock).drop(columns="y_sumsq")
    found = pre_trend(fitted(cells, pilots=pilots), smallest_effect=None)
    assert found.slope == pytest.approx(0.37, abs=1e-3)
    assert found.p_cr2 < 1e-3


def test_bound_equivalence_and_detectable_slope_are_what_they_say() -> None:
    result = fitted(some_cells(n_periods=8))
    found = pre_trend(result, smallest_effect=0.02)
    assert result.fitted is not None
    assert result.event_study_result is not None
    factor = bias_of_slope(result.fitted)
    assert factor > 0
    assert found.slope_bound * factor == pytest.approx(0.02, rel=1e-12)
    t = (found.slope_bound - abs(found.slope)) / found.se_cr2
    assert found.p_equivalence == pytest.approx(stats.t.sf(t, found.df), rel=1e-9)
    wanted = (stats.t.ppf(0.975, found.df) + stats.t.ppf(0.8, found.df)) * found.se_cr2
    assert found.detectable_slope == pytest.approx(wanted, rel=1e-12)
    assert found.detectable_violation == pytest.approx(factor * wanted, rel=1e-12)
    half = stats.t.ppf(0.975, found.df) * found.se_cr2
    assert (found.ci_low, found.ci_high) == pytest.approx((found.slope - half, found.slope + half), rel=1e-12)
    assert found.p_joint == result.event_study_result.p_pretrend


def test_without_a_smallest_effect_the_bound_is_blank_and_the_rest_stands() -> None:
    frame = pretrend_frame(fitted(some_cells()), smallest_effect=None)
    assert tuple(frame.columns) == PRETREND.column_names
    row = frame.iloc[0]
    assert row[["slope_bound", "p_equivalence"]].isna().all()
    assert row[["slope", "se_cr2", "df", "detectable_slope", "detectable_violation"]].notna().all()


def test_one_period_before_go_live_tells_no_slope() -> None:
    found = pre_trend(fitted(some_cells(), pilots={str(201 + k): 1 for k in range(6)}), smallest_effect=0.02)
    assert found.n_pre == 1
    assert np.isnan([found.slope, found.se_cr2, found.slope_bound, found.detectable_slope]).all()
    assert "fewer than two periods" in found.note


def test_groups_that_each_have_one_period_before_tell_no_slope() -> None:
    """Event times -1 and -2 are both there, but never in one LA."""
    pilots = {str(201 + k): 1 + k % 2 for k in range(6)}
    cells = some_cells()
    cells = cells[~(cells["unit_id"].isin([u for u, g in pilots.items() if g == 2]) & (cells["period"] == 1))]
    # Group-time effects have no base period here for half the LAs, two-way fixed effects need none.
    by_two_way = twfe(prepare(cells, a_design(pilots=pilots)).panel, weights="child")
    result = replace(fitted(cells, pilots=pilots), fitted=by_two_way)
    found = pre_trend(result, smallest_effect=0.02)
    assert found.n_pre == 2
    assert np.isnan(found.slope)
    assert "cannot be told" in found.note


def test_few_treated_authorities_leave_the_joint_test_blank_and_say_why() -> None:
    found = pre_trend(fitted(some_cells(), pilots={"201": 3, "202": 3, "203": 3}), smallest_effect=0.02)
    assert np.isnan(found.p_joint)
    assert not np.isnan(found.slope)
    assert "no joint test" in found.note


def test_continuous_covariates_are_held_at_the_coefficients_of_the_effect() -> None:
    """An outcome that is an LA's and a period's level, a slope and a covariate: with its exact coefficient held."""
    children = some_children(n_rows=4_000, n_units=20, n_treated=6)
    since = np.where((children["unit"] < 6) & (children["period"] < 6), children["period"] - 6, 0)
    random = np.random.default_rng(3).normal(0, 1e-6, len(children))
    children["line"] = 0.5 * since + 0.03 * children["age_years"] + random
    design = design_of(children, z="age_years")
    result = fit_did(collapsed(children, y="line", z="age_years"), design=design, inference=QUICK)
    found = pre_trend(result, smallest_effect=None)
    assert found.slope == pytest.approx(0.5, abs=0.01)
    assert "held" in found.note


def test_an_outcome_that_was_not_fitted_gives_a_row_of_blanks() -> None:
    design = a_design(covariates=Covariates(continuous=(Continuous(name="age_years", centre=8),)))
    frame = pretrend_frame(blank_result(design, inference=Inference(), note="no rows"), smallest_effect=0.02)
    assert len(frame) == 1
    assert frame.loc[0, "note"] == "no rows"
    assert frame[["slope", "p_joint", "slope_bound"]].isna().all(axis=None)
