"""Bounds under violations of parallel trends, against answers one can work out, and the event study by years."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from sos_spark.analysis.annual import AnnualEffects, annual_effects
from sos_spark.analysis.honest import M_MULTIPLES, MBAR, bounds_frame, honest_frame
from sos_spark.analysis.honest_bounds import (
    Bounds,
    FoldedT,
    breakdown,
    fixed_length_estimator,
    slope_and_bends,
    smoothness,
)
from sos_spark.analysis.relative_magnitudes import KAPPA, relative_magnitudes
from sos_spark.config.study import Inference
from sos_spark.fit import DidResult, fit_did
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.cells.years import periods_a_year
from sos_spark.fit.did import blank_result
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.event_study import event_study
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.tables.results import HONEST
from tests.fit_panels import QUICK, a_design, a_window, quarter, some_cells

FIRST = np.array([1.0])


def some_effects(
    *, pre: tuple[float, ...] = (1.0,), post: tuple[float, ...] = (3.0,), se: float = 0.1, df: float = 8.0
) -> AnnualEffects:
    """Effects that share a reference: covariances are half of the variances."""
    size = len(pre) + len(post)
    covariance = se**2 * (np.eye(size) + 1) / 2
    return AnnualEffects(np.array(pre), np.array(post), covariance, covariance, df)


def quarterly(cells: pd.DataFrame, *, pilots: dict[str, int]) -> DidResult:
    window = a_window(baseline=(quarter(0), quarter(1)), follow_up=(quarter(1), quarter(40)))
    return fit_did(cells, design=a_design(pilots=pilots, window=window), inference=QUICK)


def panel_of(cells: pd.DataFrame, *, go_live: int, n_pilots: int = 6) -> PreparedPanel:
    return prepare(cells, a_design(pilots={str(201 + k): go_live for k in range(n_pilots)})).panel


def test_relative_magnitudes_without_a_violation_give_the_usual_interval() -> None:
    found = relative_magnitudes(some_effects(), FIRST, m=0)
    half = stats.t.ppf(0.975, 8) * 0.1
    assert (found.set_low, found.set_high) == (3, 3)
    assert (found.ci_low, found.ci_high) == pytest.approx((3 - half, 3 + half), rel=1e-9)


def test_relative_magnitudes_of_one_step_before_and_one_after() -> None:
    """One step of -1 before: after go-live the trend steps by 2 at most. The variance of post +- 2 pre is the ends'.

    The set is so wide that only one of its ends can be near: each is tested by itself at 5 %, of which the first stage
    takes some.
    """
    found = relative_magnitudes(some_effects(df=np.inf), FIRST, m=2)
    assert (found.set_low, found.set_high) == (1, 5)
    least, most = stats.norm.ppf(0.95), stats.norm.isf((0.05 - KAPPA) / (1 - KAPPA))
    wide, narrow = (np.sqrt(0.01 * (1 + 4 + sign * 2)) for sign in (1, -1))
    assert least < (1 - found.ci_low) / narrow < most
    assert least < (found.ci_high - 5) / wide < most


def test_relative_magnitudes_add_up_over_the_years() -> None:
    """Steps of -2 and 1 before, so 2 at most after: year 3 can be 6 off, the average of three years (2 + 4 + 6) / 3."""
    effects = some_effects(pre=(1.0, -1.0), post=(3.0, 3.0, 3.0))
    average, last = np.full(3, 1 / 3), np.array([0.0, 0.0, 1.0])
    assert relative_magnitudes(effects, average, m=1).set_high == pytest.approx(3 + 4)
    assert relative_magnitudes(effects, last, m=1).set_low == pytest.approx(3 - 6)


def test_smoothness_without_bends_goes_on_in_a_line() -> None:
    """From 1 to 0 before go-live, so on to -1: what is not the trend's of 3 is 4."""
    found = smoothness(some_effects(), FIRST, m=0)
    assert (found.set_low, found.set_high) == (4, 4)
    half = stats.t.ppf(0.975, 8) * np.sqrt(0.01 * (1 + 1 + 1))  # of post + pre
    assert (found.ci_low, found.ci_high) == pytest.approx((4 - half, 4 + half), rel=1e-12)


def test_smoothness_lets_the_line_bend_more_the_farther_it_goes() -> None:
    """A bend of m a year: m in the first year, m + 2m in the second."""
    effects = some_effects(post=(3.0, 3.0))
    first, average = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    assert smoothness(effects, first, m=0.5).set_low == pytest.approx(4 - 0.5)
    found = smoothness(effects, average, m=0.5)
    assert (found.set_low, found.set_high) == pytest.approx((4.5 - 0.5 * 2, 4.5 + 0.5 * 2))
    slope, bends = slope_and_bends(average)
    assert (slope, bends.tolist()) == (1.5, pytest.approx([1.5, 0.5]))


def test_a_bend_before_go_live_larger_than_m_leaves_no_set_but_an_interval() -> None:
    """Effects 1, 0, 0: the slope changes by 1."""
    effects = some_effects(pre=(1.0, 0.0))
    assert np.isnan(smoothness(effects, FIRST, m=0.9).set_low)
    assert np.isfinite(smoothness(effects, FIRST, m=0.9).ci_low)
    assert smoothness(effects, FIRST, m=1.0).set_low == pytest.approx(3 - 1)


def test_a_linear_trend_does_not_move_the_fixed_length_estimator() -> None:
    effects = some_effects(pre=(0.3, -0.2, 0.4), post=(1.0, 2.0, 0.5, 0.1))
    target = np.full(4, 0.25)
    line = np.array([-3, -2, -1, 1, 2, 3, 4.0])
    for m in (0.0, 0.05, 1.0):
        weights, bias = fixed_length_estimator(effects, target, m=m, folded=FoldedT(8))
        assert weights @ line == pytest.approx(0, abs=1e-12)
        assert weights[3:] == pytest.approx(target)
        assert bias == pytest.approx(m * bias_of_unit_bends(weights), abs=1e-9)


def bias_of_unit_bends(weights: np.ndarray) -> float:
    """The largest bias of an estimator of three years before and four after when each bend is 1 at most."""
    years = np.array([-3, -2, -1, 1, 2, 3, 4])
    bends = [np.where(years > i, years - i, 0) for i in range(4)]
    bends += [np.where(years < -i, -years - i, 0) for i in range(1, 3)]
    return sum(abs(float(weights @ bend)) for bend in bends)


@pytest.mark.parametrize("df", [2.4, 8.0, np.inf])
@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0, 4.0, 50.0])
def test_folded_quantiles_by_another_root_finder(df: float, shift: float) -> None:
    t = stats.norm if np.isinf(df) else stats.t(df)

    def missing(value: float) -> float:
        return float(t.cdf(value - shift) - t.cdf(-value - shift) - 0.95)

    folded = FoldedT(df)
    value = folded.quantile(shift)
    assert value == pytest.approx(optimize.brentq(missing, 0, shift + 20, xtol=1e-13), rel=1e-9)
    step = (folded.quantile(shift + 1e-5) - folded.quantile(max(shift - 1e-5, 0))) / (1e-5 if shift == 0 else 2e-5)
    assert folded.slope(shift, value) == pytest.approx(step, abs=1e-4)


@pytest.mark.parametrize("df", [3.0, 5.0, 10.0])
def test_folded_quantiles_cover_when_the_standard_error_is_estimated(df: float) -> None:
    """The estimate is off by a bias plus a normal error; its standard error is a chi-square's root."""
    at = (np.arange(200) + 0.5) / 200
    se = np.sqrt(stats.chi2.ppf(at, df) / df)
    for bias in (0.0, 0.25, 0.5, 1.0, 2.0, 5.0):
        half = np.array([FoldedT(df).quantile(bias / s) * s for s in se])
        covered = np.mean(stats.norm.cdf(half - bias) - stats.norm.cdf(-half - bias))
        assert 0.949 < covered < 0.957


def test_breakdown_is_where_the_interval_takes_in_zero() -> None:
    effects = some_effects(pre=(0.2, -0.1), post=(1.0, 1.2), se=0.05)
    target = np.full(2, 0.5)

    def within(bound: Callable[..., Bounds], m: float) -> Bounds:
        return bound(effects, target, m=m)

    for bound in (relative_magnitudes, smoothness):
        largest = breakdown(partial(within, bound), unit=0.5, growth=0.5)
        assert 0 < largest < np.inf
        assert bound(effects, target, m=largest).ci_low > 0
        assert bound(effects, target, m=largest + 0.001).ci_low <= 0
    assert np.isnan(breakdown(lambda m: relative_magnitudes(some_effects(post=(0.1,)), FIRST, m=m), unit=0.1))


def test_years_hold_their_own_quarters() -> None:
    """Without noise: an effect of 1 in the first year and 3 in the second, a step of -2 before the last year."""
    cells = some_cells(n_units=14, n_periods=16)
    year = (cells["period"] - 8) // 4
    treated = cells["unit_id"].astype(int) <= 206
    value = treated * year.map({-2: 2.0, -1: 0.0, 0: 1.0, 1: 3.0}) + 0.01 * cells["period"]
    value += np.random.default_rng(1).normal(0, 1e-6, len(cells))
    cells = cells.assign(y_sum=cells["n"] * value).drop(columns="y_sumsq")
    for weights in ("child", "la_equal"):
        found = annual_effects(panel_of(cells, go_live=8), estimator="twfe", weights=weights)
        assert found.both == pytest.approx([2, 1, 3], abs=1e-5)
        assert (found.n_pre, found.n_post) == (2, 2)


def test_with_yearly_periods_the_years_are_the_event_study() -> None:
    cells = some_cells(n_periods=8)
    cells["period_start"] = [f"{2010 + k}-04-01" for k in cells["period"]]
    window = a_window(baseline=("2010-04-01", "2013-04-01"), follow_up=("2013-04-01", "2018-04-01"), period="year",
                      data_ends="2018-03-31")  # fmt: skip
    for delays, estimator in (([0] * 6, "twfe"), ([0, 1, 0, 1, 0, 1, 0, 1, 0, 1], "cs_simple")):
        pilots = a_design(pilots={str(201 + k): 0 for k in range(len(delays))}).pilots
        pilots = tuple(
            p.model_copy(update={"go_live": pd.Timestamp(f"{2013 + d}-04-01").date()})
            for p, d in zip(pilots, delays, strict=True)
        )
        panel = prepare(cells, a_design(window=window).model_copy(update={"pilots": pilots})).panel
        assert periods_a_year(panel) == 1
        found = annual_effects(panel, estimator=estimator, weights="child")
        rows = {row.event_time: row for row in event_study(panel, estimator=estimator, inference=Inference()).estimated}
        years = [*range(-found.n_pre, -1), *range(found.n_post)]
        assert len(years) >= 6
        assert found.both == pytest.approx([rows[k].att for k in years], rel=1e-9)
        assert np.sqrt(np.diag(found.covariance)) == pytest.approx([rows[k].se_cr2 for k in years], rel=1e-9)
        assert found.df == pytest.approx(min(rows[k].df for k in years), rel=1e-6)


def test_group_averages_by_year_are_the_dummies_where_all_cells_weigh_alike() -> None:
    cells = some_cells(n_periods=16)
    share = cells["y_sum"] / cells["n"]
    panel = panel_of(cells.assign(n=50, y_sum=50 * share, y_sumsq=50 * share), go_live=8)
    by_dummies, by_averages = (
        annual_effects(panel, estimator=estimator, weights="child") for estimator in ("twfe", "cs_simple")
    )
    assert by_averages.both == pytest.approx(by_dummies.both, rel=1e-9)


def test_with_several_go_lives_two_way_effects_are_those_of_groups() -> None:
    pilots = {str(201 + k): 8 + 4 * (k % 2) for k in range(10)}
    panel = prepare(some_cells(n_units=24, n_periods=20), a_design(pilots=pilots)).panel
    one, other = (annual_effects(panel, estimator=name, weights="child") for name in ("twfe", "cs_simple"))
    assert np.array_equal(one.both, other.both)


def test_a_year_less_than_half_filled_and_those_beyond_a_gap_are_left_out() -> None:
    cells = some_cells(n_periods=21)  # go-live in 9: one quarter of year -3, and none of year 2 once it is taken out
    cells = cells[~(cells["period"].between(13, 16) & cells["unit_id"].isin([str(201 + k) for k in range(6)]))]
    found = annual_effects(panel_of(cells, go_live=9), estimator="twfe", weights="child")
    assert (found.n_pre, found.n_post) == (2, 1)
    assert found.note == "years since go-live not used: -3, 2"


def test_every_year_before_and_five_after_count() -> None:
    found = annual_effects(panel_of(some_cells(n_periods=48), go_live=24), estimator="twfe", weights="child")
    assert (found.n_pre, found.n_post) == (6, 5)
    assert found.note == "years since go-live not used: 5"


def test_a_year_that_few_treated_authorities_have_is_left_out() -> None:
    pilots = {str(201 + k): 12 if k < 3 else 8 for k in range(8)}
    panel = prepare(some_cells(n_units=20, n_periods=16), a_design(pilots=pilots)).panel
    found = annual_effects(panel, estimator="cs_simple", weights="child")
    assert found.note == "years since go-live not used: -3"  # of the three that start later


def test_the_table_has_a_row_a_restriction_m_and_target() -> None:
    frame = honest_frame(quarterly(some_cells(n_periods=24), pilots={str(201 + k): 12 for k in range(6)}))
    assert tuple(frame.columns) == HONEST.column_names
    assert len(frame) == (len(MBAR) + len(M_MULTIPLES)) * 2
    assert frame.groupby(["restriction", "target"])["breakdown"].nunique(dropna=False).eq(1).all()
    assert (frame["n_pre"].eq(3) & frame["n_post"].eq(3)).all()
    assert frame["estimate"].between(frame["ci_low"], frame["ci_high"])[frame["m"] == 0].any()
    widths = (frame["ci_high"] - frame["ci_low"]).groupby([frame["restriction"], frame["target"]])
    assert widths.apply(lambda width: width.is_monotonic_increasing).all()


def test_m_of_smoothness_is_a_multiple_of_the_pre_period_standard_error() -> None:
    effects = some_effects(pre=(0.3, 0.2), post=(0.1, 0.2), se=0.1)
    frame = bounds_frame(effects, outcome_id="o")
    chosen = frame[(frame["restriction"] == "smoothness") & (frame["target"] == "first")]
    assert list(chosen["m"]) == pytest.approx([0.1 * multiple for multiple in M_MULTIPLES])
    assert chosen["note"].iloc[1].startswith("m is 0.1 x")


def test_with_hardly_any_freedom_an_interval_is_called_descriptive() -> None:
    for df, label in ((3.1, "interval"), (2.9, "descriptive")):
        assert bounds_frame(some_effects(post=(0.1,), df=df), outcome_id="o")["label"].eq(label).all()


def test_few_treated_authorities_or_too_little_before_give_a_row_of_blanks() -> None:
    few = honest_frame(quarterly(some_cells(n_periods=24), pilots={"201": 8, "202": 8, "203": 8, "204": 8}))
    short = honest_frame(quarterly(some_cells(n_periods=24), pilots={str(201 + k): 5 for k in range(6)}))
    single = honest_frame(quarterly(some_cells(n_periods=24), pilots={str(201 + k): 8 for k in range(6)}))
    nothing = honest_frame(blank_result(a_design(), inference=Inference(), note="no rows"))
    for frame, note in (
        (few, "4 or fewer"),
        (short, "No year before"),
        (single, "one difference"),
        (nothing, "no rows"),
    ):
        assert len(frame) == 1
        assert tuple(frame.columns) == HONEST.column_names
        assert frame[["m", "estimate", "ci_low", "ci_high", "set_low", "set_high", "breakdown"]].isna().all(axis=None)
        assert note in frame.loc[0, "note"]


def test_effects_that_do_not_vary_have_no_bounds() -> None:
    cells = some_cells(n_periods=16)
    still = cells.assign(y_sum=cells["n"] * 1.0, y_sumsq=cells["n"] * 1.0)
    with pytest.raises(NotEstimableError, match="do not vary"):
        annual_effects(panel_of(still, go_live=8), estimator="twfe", weights="child")


def test_the_working_covariance_chooses_weights_but_sets_no_width() -> None:
    """With one year before there is nothing to choose, so nothing depends on it."""
    effects = some_effects()
    other = replace(effects, working=7 * np.eye(2))
    assert smoothness(effects, FIRST, m=0.1) == smoothness(other, FIRST, m=0.1)
    two = some_effects(pre=(0.2, 0.1))
    other = replace(two, working=np.diag([1.0, 9.0, 1.0]))
    one, another = (smoothness(each, FIRST, m=0.0) for each in (two, other))
    assert one.ci_high - one.ci_low < another.ci_high - another.ci_low
