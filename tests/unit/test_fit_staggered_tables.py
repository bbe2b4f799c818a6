"""The tables of staggered adoption by hand, the decomposition of two-way fixed effects, and effects that are shared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from sos_spark.analysis.staggered_tables import (
    SHARED_NOTE,
    aggregates_frame,
    group_time_frame,
)
from sos_spark.config.study import Covariates, Inference
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.cells.subpanel import only_periods_of
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.estimators import ESTIMATORS, unit_panel
from sos_spark.fit.estimators.twfe import negative_weight_share, two_way_weights
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import NEVER, TREATED, PreparedPanel
from sos_spark.fit.staggered.goodman_bacon import goodman_bacon, goodman_bacon_frame
from sos_spark.fit.staggered.group_time import Control, aggregate, group_time_effects, saturated_moments
from sos_spark.fit.staggered.residual_model import effect_groups, has_a_small_group
from sos_spark.fit.staggered.residuals import average_moments
from sos_spark.tables.results import AGGREGATES, GOODMAN_BACON, GROUP_TIME
from tests.fit_panels import a_design, collapsed, some_children
from tests.staggered_panels import LARGE_GROUPS, random_totals
from tools.monte_carlo.main_design import panel_of_totals

QUICK = Inference(draws=99, permutations=99)


def by_hand() -> PreparedPanel:
    """Two pilots from period 1, two from 2, two comparators; effects 1 then 3 in the first group, 10 in the second."""
    y = np.array([[5, 6, 8], [7, 8, 10], [4, 4, 14], [6, 6, 16], [1, 1, 1], [3, 3, 3]], dtype=float)
    return panel_of_totals(np.full(y.shape, 10.0), 10 * y, np.array([1, 1, 2, 2, NEVER, NEVER]))


def test_group_time_effects_by_hand() -> None:
    frame = group_time_frame(by_hand(), inference=QUICK)
    assert tuple(frame.columns) == GROUP_TIME.column_names
    never = frame[frame["control"] == "never"]
    keys = list(zip(never["group_start"].str[:4], never["period_start"].str[:4], never["event_time"], strict=True))
    assert keys == [("2001", "2001", 0), ("2001", "2002", 1), ("2002", "2000", -2), ("2002", "2002", 0)]
    assert never["att"].tolist() == pytest.approx([1, 3, 0, 10])
    assert never["n_rows"].tolist() == [20] * 4
    not_yet = frame[frame["control"] == "not_yet"]
    assert not_yet["att"].tolist() == pytest.approx([1, 3, 0, 10])


def test_group_time_uncertainty_is_the_saturated_regression_s_and_blank_for_one_authority() -> None:
    panel = random_totals((2, 2, 2, 4), gaps=True)
    frame = group_time_frame(panel, inference=QUICK)
    units = unit_panel(panel)
    controls: tuple[Control, ...] = ("never", "not_yet")
    assert set(frame["control"]) == set(controls)
    for control in controls:
        rows = frame[frame["control"] == control]
        effects = group_time_effects(units, control=control)
        test = Sandwich(saturated_moments(units, effects, {})).satterthwaite(effects.maps)
        low, high = test.interval()
        several = rows["group_start"].str.startswith("2002").to_numpy()
        # One of the three has no rows in period 3: two are enough.
        for name, expected in (("se_cr2", test.se), ("df", test.df), ("ci_low", low), ("ci_high", high)):
            assert rows[name].to_numpy()[several] == pytest.approx(expected[several], rel=1e-8)
        assert rows["att"].to_numpy() == pytest.approx(test.estimate, rel=1e-9)
        assert rows.loc[~several, ["se_cr2", "df", "ci_low", "ci_high"]].isna().all(axis=None)


def test_averages_by_hand() -> None:
    frame = aggregates_frame(by_hand(), inference=QUICK)
    assert tuple(frame.columns) == AGGREGATES.column_names
    expected = {
        ("simple", "overall"): (1 + 3 + 10) / 3,
        ("group", "2001-01-01"): 2,
        ("group", "2002-01-01"): 10,
        ("group", "overall"): 6,
        ("calendar", "2001-01-01"): 1,
        ("calendar", "2002-01-01"): 6.5,
        ("calendar", "overall"): 3.75,
        ("event", "0"): 5.5,
        ("event", "1"): 3,
        ("event", "overall"): 4.25,
    }
    for estimator in ("cs_never", "cs_not_yet", "imputation", "sun_abraham"):
        own = frame[frame["estimator"] == estimator]
        found = dict(zip(zip(own["aggregate"], own["level"], strict=True), own["att"], strict=True))
        before = {} if estimator in ("imputation", "etwfe") else {("event", "-2"): 0}
        assert found == pytest.approx(expected | before, abs=1e-9), estimator


def test_simple_averages_are_the_estimators_own() -> None:
    panel = random_totals((2, 2, 2, 4, 4), gaps=True)
    frame = aggregates_frame(panel, inference=QUICK)
    simple = frame[frame["aggregate"] == "simple"].set_index("estimator")
    for name in ("cs_simple", "cs_not_yet", "imputation", "sun_abraham", "etwfe"):
        estimate = ESTIMATORS[name](panel, weights="child")
        test = Sandwich(estimate.moments).satterthwaite_of([TREATED])
        row = simple.loc[name.replace("cs_simple", "cs_never")]
        assert (row["att"], row["se_cr2"], row["df"], row["p_cr2"]) == pytest.approx(
            tuple(float(part[0]) for part in (test.estimate, test.se, test.df, test.p)), rel=1e-9
        )
        assert row["ci_low"] < row["att"] < row["ci_high"]
    assert simple["note"].str.contains(SHARED_NOTE).all()


def test_one_go_live_is_one_group() -> None:
    panel = random_totals((2,) * 6)
    frame = aggregates_frame(panel, inference=QUICK)
    assert (frame["note"] == "").all()
    groups = frame[(frame["aggregate"] == "group") & (frame["level"] != "overall")]
    assert groups["level"].tolist() == ["2002-01-01"] * 5
    bacon = goodman_bacon_frame(panel)
    assert bacon[["comparison", "control_start", "weight"]].values.tolist() == [["treated_vs_never", "", 1.0]]
    assert negative_weight_share(panel, weights="child") == 0


def test_where_nobody_is_never_treated_only_those_not_yet_treated_compare() -> None:
    panel = random_totals((2, 2, 3, 3, 5, 5), n_units=6)
    assert set(group_time_frame(panel, inference=QUICK)["control"]) == {"not_yet"}
    frame = aggregates_frame(panel, inference=QUICK)
    lost = frame[frame["estimator"] == "cs_never"]
    assert len(lost) == 1
    assert lost[["att", "se_cr2", "p_cr2"]].isna().all(axis=None)
    assert lost["note"].tolist() == ["No authority is never treated"]
    assert frame.loc[frame["estimator"] == "imputation", "note"].str.contains("rows left out").all()


def test_what_is_not_adjusted_says_so() -> None:
    children = some_children(n_rows=2_000, n_units=14)
    design = a_design(covariates=Covariates(categorical=("sex",)))
    panel = prepare(collapsed(children, y="yes", by=("sex",)), design).panel
    notes = aggregates_frame(panel, inference=QUICK).groupby("estimator")["note"].first()
    assert notes.str.contains("not adjusted").to_dict() == {
        "cs_never": True,
        "cs_not_yet": True,
        "imputation": False,
        "sun_abraham": False,
        "etwfe": False,
        "cs_dr": False,
    }


def test_goodman_bacon_by_hand() -> None:
    """Three periods, groups of 1, 1 and 2 of 4 LAs: variances of treatment 2/9 a pair, by hand from the paper."""
    y = np.array([[0, 1, 3], [0, 0, 10], [0, 0, 0], [0, 0, 0]], dtype=float)
    panel = panel_of_totals(np.full(y.shape, 7.0), 7 * y, np.array([1, 2, NEVER, NEVER]))
    found = {part.comparison + str(part.treated): part for part in goodman_bacon(panel).comparisons}
    # n_k n_l times the product of period shares: 1/8 x 1/3 x 2/3, 1/16 x (1/3 x 1/3 twice), 1/8 x 2/3 x 1/3.
    raw = {"treated_vs_never1": 4, "earlier_vs_later1": 1, "later_vs_earlier2": 1, "treated_vs_never2": 4}
    assert {name: part.weight for name, part in found.items()} == pytest.approx({k: v / 10 for k, v in raw.items()})
    assert {name: part.estimate for name, part in found.items()} == pytest.approx(
        {"treated_vs_never1": 2, "earlier_vs_later1": 1, "later_vs_earlier2": 10 - 2, "treated_vs_never2": 10}
    )


def test_goodman_bacon_leaves_out_authorities_with_gaps_and_says_so() -> None:
    panel = random_totals((2, 2, 4), gaps=True)
    frame = goodman_bacon_frame(panel)
    assert tuple(frame.columns) == GOODMAN_BACON.column_names
    assert frame["weight"].sum() == pytest.approx(1)
    assert "11 authorities" in frame.attrs["label"]
    assert "3 left out" in frame.attrs["label"]
    with pytest.raises(NotEstimableError, match="no two groups"):
        goodman_bacon(panel.with_gtime(np.full(14, NEVER)))


def test_weights_of_treated_periods_by_hand() -> None:
    """One LA from period 1, one from 2, none else, three periods: the earlier's last effect has a negative weight."""
    panel = panel_of_totals(np.ones((2, 3)), np.zeros((2, 3)), np.array([1, 2]))
    # Residuals of D: first LA (-1/6, 1/3, -1/6), second the opposite; treated ones over their own sum of 1/3.
    assert two_way_weights(panel, weights="child") == pytest.approx(np.array([[0, 1, -0.5], [0, 0, 0.5]]))
    assert negative_weight_share(panel, weights="child") == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("gtime", "small"), [((2,) * 5 + (4,) * 5, False), ((2,) * 5 + (4,) * 4, True), ((3, 3), False), ((2, 9), False)]
)
def test_small_groups_share_effects_unless_there_is_one_go_live(gtime: Sequence[int], small: bool) -> None:
    assert has_a_small_group(np.array([*gtime, NEVER, NEVER]), 6) is small


def test_which_periods_share_an_effect() -> None:
    groups = effect_groups(np.array([1, 2, 4, NEVER]), np.arange(5))
    assert groups.tolist() == [[-1, 0, 1, 2, 2], [-1, -1, 0, 1, 2], [-1, -1, -1, -1, 0], [-1] * 5]
    own = effect_groups(np.array([*[1] * 5, *[3] * 5]), np.arange(4))
    assert len(np.unique(own[own >= 0])) == 4
    assert (own[0] == own[4]).all()


def test_a_group_of_one_has_a_standard_error_of_its_own_variation() -> None:
    """Alone in its group, a pilot's noise is in no residual of the saturated regression, and in one of the shared."""
    panel = random_totals((2, 3, 4, 5), n_units=12)
    noisy = panel.y_sum.copy()
    noisy[0] *= np.array([1, 1, 3, 0.2, 3, 0.2, 3])
    panel = panel_of_totals(panel.rows, noisy, panel.gtime)
    units = unit_panel(panel)
    effects = group_time_effects(units)
    maps = {TREATED: aggregate(effects, "simple")["overall"]}
    own, shared = (
        Sandwich(moments(units, effects, maps)).satterthwaite_of([TREATED])
        for moments in (saturated_moments, average_moments)
    )
    assert own.estimate[0] == pytest.approx(shared.estimate[0], rel=1e-9)
    assert shared.se[0] > 2 * own.se[0]


def test_large_groups_keep_effects_of_their_own() -> None:
    units = unit_panel(random_totals(LARGE_GROUPS, n_units=20))
    effects = group_time_effects(units)
    maps = {name: row for name, row in aggregate(effects, "event").items() if name != "overall"}
    ours, saturated = (f(units, effects, maps) for f in (average_moments, saturated_moments))
    assert np.array_equal(ours.xx, saturated.xx)
    assert ours.n_absorbed == 0
    assert ours.n_counted == len(effects.cells)


@pytest.mark.parametrize("by", [(), ("age_band", "sex")])
def test_a_panel_of_some_periods_is_the_panel_of_their_rows(by: tuple[str, ...]) -> None:
    children = some_children(n_rows=3_000, n_units=14, n_periods=6)
    design = a_design(covariates=Covariates(categorical=by), pilots={"201": 3, "202": 4})
    whole = prepare(collapsed(children, y="days", by=by), design).panel
    keep = np.ones(whole.rows.shape, dtype=bool)
    keep[2:5, 1] = keep[:, 5] = keep[9] = False
    some = only_periods_of(whole, keep)
    mine = children[keep[children["unit"], children["period"]]]
    expected = prepare(collapsed(mine, y="days", by=by), design).panel
    # The commonest level may differ, and with it the reference: compare what no reference changes.
    for name in ("unit_ids", "period_starts"):
        assert getattr(some, name) == getattr(expected, name)
    for name in ("periods", "gtime", "rows", "y_sum", "y_sumsq"):
        assert np.array_equal(getattr(some, name), getattr(expected, name)), name
    assert some.n_cells == expected.n_cells
    for estimator in ("twfe", "imputation"):
        ours, other = (ESTIMATORS[estimator](panel, weights="child").moments for panel in (some, expected))
        assert Sandwich(ours).estimate(TREATED) == pytest.approx(Sandwich(other).estimate(TREATED), rel=1e-8)


def test_rows_that_nothing_predicts_are_refused() -> None:
    panel = panel_of_totals(np.ones((3, 3)), np.ones((3, 3)), np.array([1, 1, 1]))
    with pytest.raises(NotEstimableError, match="No treated row"):
        ESTIMATORS["imputation"](panel, weights="child")
    apart = np.array([[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]])
    with pytest.raises(NotEstimableError):
        ESTIMATORS["sun_abraham"](panel_of_totals(apart, apart, np.array([NEVER, NEVER, 3])), weights="child")


def test_frames_are_empty_rather_than_wrong_without_treated() -> None:
    panel = random_totals((), n_units=5)
    assert group_time_frame(panel, inference=QUICK).empty
    frame = aggregates_frame(panel, inference=QUICK)
    assert frame["att"].isna().all()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == 5
