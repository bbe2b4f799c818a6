"""Effects on the distribution of a length: what must hold, on counts whose answer one can work out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sos_spark.analysis.durations import (
    FEW_AND_SEVERAL,
    ONE_DOMINATES,
    ONE_PILOT,
    SEVERAL_GO_LIVES,
    UNSTEADY_PILOTS,
    duration_days_frame,
    duration_effects_frame,
    lengths_of,
)
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.durations.changes import changes_in_changes, counterfactual
from sos_spark.fit.durations.counts import DayCounts, days_to_limit
from sos_spark.fit.durations.hazards import bands, curve, daily_hazard
from sos_spark.fit.durations.quantiles import quantile_effects
from sos_spark.fit.estimators import imputation
from sos_spark.fit.inference.assignments import Assignments
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.tables.results import DURATION_DAYS, DURATION_EFFECTS
from tests.fit_panels import QUICK, a_design, quarter, some_cells

LAST = 20


def some_durations(*, n_units: int = 14, n_periods: int = 8, moved: int = 0, seed: int = 3) -> pd.DataFrame:
    """Days of units 201, 202, ...; those of the first six from period 3 on are `moved` days longer."""
    random = np.random.default_rng(seed)
    rows = []
    for unit in range(n_units):
        for period in range(n_periods):
            days = random.poisson(8 + unit % 3, 60) + moved * (unit < 6 and period >= 3)
            cut = random.integers(0, LAST + 1, 60) if period == n_periods - 1 else np.full(60, LAST)
            for length, seen in zip(days, cut, strict=True):
                rows.append((201 + unit, period, min(length, seen), length <= seen, seen == LAST))
    frame = pd.DataFrame(rows, columns=["unit_id", "period", "days", "is_concluded", "is_followed"])
    counted = frame.value_counts(sort=False).rename("n").reset_index()
    starts = [quarter(int(number)).isoformat() for number in counted["period"]]
    return counted.assign(outcome_id="o", unit_id=counted["unit_id"].astype(str), period_start=starts)


def panel_of(**pilots: int) -> PreparedPanel:
    chosen = {name.removeprefix("la"): period for name, period in pilots.items()} or None
    return prepare(some_cells(), a_design(pilots=chosen)).panel


def effects(durations: pd.DataFrame, panel: PreparedPanel) -> pd.DataFrame:
    return duration_effects_frame(lengths_of(panel, durations, inference=QUICK))


def of(frame: pd.DataFrame, method: str, measure: str) -> pd.DataFrame:
    return frame[(frame["method"] == method) & (frame["measure"] == measure)].set_index("at")


def test_counts_stand_at_their_unit_period_day_and_fate() -> None:
    rows = [("201", 0, 2, True, True, 5), ("201", 0, 3, False, True, 1), ("202", 3, 1, False, False, 4)]
    columns = ["unit_id", "period", "days", "is_concluded", "is_followed", "n"]
    counts = DayCounts.of(pd.DataFrame(rows, columns=columns), panel_of())
    assert counts is not None
    assert counts.last_day == 3
    assert counts.followed[0, 0].tolist() == [0, 0, 5, 0, 1]
    assert counts.at_risk[0, 0].tolist() == [6, 6, 6, 1]
    assert counts.at_risk[1, 1].tolist() == [4, 4, 0, 0]
    assert counts.rows.sum() == 6
    assert counts.within[0, 0].tolist() == [0, 0, 5, 5]
    assert days_to_limit(counts.followed)[0, 0] == 5 * 2 + 3
    assert DayCounts.of(pd.DataFrame([("999", 0, 2, True, True, 5)], columns=columns), panel_of()) is None


def test_rows_cut_short_count_in_the_hazard_until_they_are_last_seen() -> None:
    rows = [("201", 0, 1, True, True, 2), ("201", 0, 1, False, False, 2), ("201", 0, 3, True, True, 4)]
    columns = ["unit_id", "period", "days", "is_concluded", "is_followed", "n"]
    counts = DayCounts.of(pd.DataFrame(rows, columns=columns), panel_of())
    assert counts is not None
    seen = curve(counts, np.ones((14, 1), dtype=bool))
    assert seen.hazard.tolist() == [0, 2 / 8, 0, 1]
    assert seen.within.tolist() == [0, 0.25, 0.25, 1]
    at_risk, ended = daily_hazard(counts, 1, 2)
    assert (at_risk[0, 0], ended[0, 0]) == (8 + 4, 2)


def test_bands_of_days_leave_none_out() -> None:
    assert bands(90)[-3:] == [(41, 45), (46, 60), (61, 90)]
    assert bands(25) == [(0, 9), (10, 19), (20, 25)]


def test_lengths_that_all_grow_by_two_days_are_found_by_each_method() -> None:
    frame = effects(some_durations(moved=2), panel_of())
    assert of(frame, "distribution", "any")["p"].iloc[0] == pytest.approx(0.005)
    for method in ("distribution", "changes_in_changes"):
        mean = of(frame, method, "restricted_mean").iloc[0]
        assert mean["att"] == pytest.approx(2, abs=0.25)
        assert mean["ci_low"] < 2 < mean["ci_high"]
        assert (of(frame, method, "share_within")["att"].loc[5:12] < 0).all()
        assert of(frame, method, "quantile")["att"].between(1, 3).all()
    assert (of(frame, "hazard", "daily_hazard")["att"] < 0).iloc[0]
    bound = of(frame, "changes_in_changes", "restricted_mean").iloc[0]
    assert bound["bound_low"] <= bound["att"] <= bound["bound_high"]


def test_the_mean_is_the_sum_of_the_shares_still_open() -> None:
    frame = effects(some_durations(moved=1), panel_of())
    for method in ("distribution", "changes_in_changes"):
        shares = of(frame, method, "share_within")["att"]
        assert of(frame, method, "restricted_mean")["att"].iloc[0] == pytest.approx(-shares.loc[: LAST - 1].sum())


def test_an_interval_leaves_out_nothing_exactly_where_p_is_below_5_percent() -> None:
    frame = effects(some_durations(moved=1), panel_of())
    judged = frame[frame["p"].notna() & frame["ci_low"].notna()]
    outside = (judged["ci_low"] > 0) | (judged["ci_high"] < 0)
    assert outside.any()
    assert (outside == (judged["p"] < 0.05)).all()


def test_without_what_one_needs_there_is_an_estimate_and_the_reason() -> None:
    durations = some_durations()
    one = effects(durations, panel_of(la201=3))
    dominated = durations.assign(n=durations["n"] * np.where(durations["unit_id"] == "201", 50, 1))
    both = effects(dominated, panel_of(la201=3, la202=3))
    calm = panel_of(la201=3, la202=3)
    swings = np.where(calm.is_treated_unit[:, None], 0.5 * (-1) ** calm.periods, 0.0)
    unsteady = effects(durations, replace(calm, y_sum=calm.y_sum + calm.rows * swings))
    for frame, note in ((one, ONE_PILOT), (both, ONE_DOMINATES), (unsteady, UNSTEADY_PILOTS)):
        assert set(frame["note"]) == {note}
        assert frame[["se", "p", "ci_low", "ci_high", "band_low", "band_high"]].isna().all(axis=None)
        assert frame[frame["measure"] != "any"]["att"].notna().any()
    assert duration_effects_frame(None).columns.tolist() == list(DURATION_EFFECTS.column_names)
    assert lengths_of(panel_of(), durations.assign(outcome_id="another"), inference=QUICK) is None
    assert lengths_of(panel_of(), pd.DataFrame(), inference=QUICK) is None


def test_under_several_go_lives_shares_are_the_study_s_own_estimator_s() -> None:
    durations, starts = some_durations(), {"la201": 3, "la202": 3, "la203": 4, "la204": 4, "la205": 5}
    panel = panel_of(**starts)
    frame = effects(durations, panel)
    cells = durations[durations["is_followed"]]
    cells = cells.assign(y=cells["n"] * (cells["is_concluded"] & (cells["days"] <= 10)))
    cells = cells.groupby(["outcome_id", "unit_id", "period", "period_start"], as_index=False)[["n", "y"]].sum()
    pilots = {name.removeprefix("la"): period for name, period in starts.items()}
    expected = imputation(prepare(cells.rename(columns={"y": "y_sum"}), a_design(pilots=pilots)).panel, weights="child")
    shares = of(frame, "distribution", "share_within")
    assert shares.loc[10, "att"] == pytest.approx(float(np.sum(expected.influence() * expected.panel.y_sum)), rel=1e-9)
    assert shares["p"].notna().all()
    assert set(frame["note"]) == {SEVERAL_GO_LIVES}
    few = effects(durations, panel_of(la201=3, la202=4))
    assert set(few["note"]) == {FEW_AND_SEVERAL}
    assert few["p"].isna().all()


def test_what_became_of_each_arm_is_counted_day_by_day() -> None:
    durations = some_durations()
    days = duration_days_frame(lengths_of(panel_of(), durations, inference=QUICK))
    assert days.columns.tolist() == list(DURATION_DAYS.column_names)
    assert len(days) == 4 * (LAST + 1)
    assert days["ended"].sum() == durations.loc[durations["is_concluded"], "n"].sum()
    first = days[days["day"] == 0]
    assert first["at_risk"].sum() == durations["n"].sum()
    assert duration_days_frame(None).empty


def test_changes_in_changes_do_not_hang_on_the_scale_of_the_days() -> None:
    counts = DayCounts.of(some_durations(moved=1), panel_of())
    assert counts is not None
    sides = np.stack([counts.followed[:, side].sum(axis=1) for side in (slice(0, 3), slice(3, None))], axis=1)
    plan = Assignments.of(counts.pilot.astype(int), permutations=39, seed=1)
    stretched = np.zeros((*sides.shape[:2], 2 * sides.shape[2] - 1))
    stretched[:, :, ::2] = sides
    plain, spread = (changes_in_changes(each, counts.pilot, plan).effects for each in (sides, stretched))
    assert spread.att[: 2 * LAST : 2] == pytest.approx(plain.att[:LAST], abs=1e-9)
    assert spread.se[: 2 * LAST : 2] == pytest.approx(plain.se[:LAST], abs=1e-9, nan_ok=True)


def test_ties_leave_bounds_with_the_independent_point_between_them() -> None:
    # Comparators: half at day 0 before, three quarters after. A pilots' half at day 0 can become a half or all of it.
    f00, f01, f10 = (np.array([row]) for row in ([0.5, 1.0], [0.75, 1.0], [0.4, 1.0]))
    lower, point, upper = counterfactual(f00, f01, f10)
    assert lower[0, 0] == pytest.approx(0.4)
    assert upper[0, 0] == pytest.approx(1.0)
    assert point[0, 0] == pytest.approx(0.4 + 0.6 * (0.75 - 0.5) / 0.5)


def test_a_quantile_beyond_the_days_counted_is_not_known() -> None:
    observed = np.array([0.2, 0.5, 0.8])
    effect, nothing = np.array([0.0, 0.3, 0.0]), np.full(3, np.nan)
    found = {q.level: q for q in quantile_effects(observed, effect, effect - 0.1, effect + 0.1)}
    assert (found[0.5].observed, found[0.5].without, found[0.5].effect) == (1, 2, -1)
    assert np.isnan(found[0.9].effect)
    assert found[0.25].low <= found[0.25].effect <= found[0.25].high
    unknown = quantile_effects(observed, effect, nothing, nothing)[1]
    assert (unknown.low, unknown.high) == (unknown.effect, unknown.effect)
