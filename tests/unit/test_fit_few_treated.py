"""What is said with few treated authorities: nothing that rests on shocks nobody saw, the rest by permuted go-lives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from sos_spark.analysis.bounds import UNKNOWN_COLUMNS, bounds_frame
from sos_spark.analysis.families import adjusted_for_families
from sos_spark.analysis.honest import honest_frame
from sos_spark.analysis.leave_one_out import leave_one_out
from sos_spark.analysis.power import power_frame
from sos_spark.analysis.pretrend import pre_trend
from sos_spark.config.study import Covariates
from sos_spark.fit import DidResult, fit_did
from sos_spark.fit.did import p_equivalence
from sos_spark.fit.inference.effect_distribution import EffectDistribution
from sos_spark.fit.lone_pilot import LonePilot
from sos_spark.fit.regression.covariance import Sandwich
from tests.fit_panels import QUICK, a_design, some_cells

OF_CR2 = ["se_cr2", "df_satterthwaite", "p_cr2", "ci_low_cr2", "ci_high_cr2"]


def fitted(pilots: dict[str, int], *, n_units: int = 30) -> DidResult:
    return fit_did(some_cells(n_units=n_units), design=a_design(pilots=pilots), inference=QUICK)


def test_one_pilot_has_nothing_that_rests_on_its_comparators_standard_error() -> None:
    result = fitted({"201": 3})
    row = result.to_frame().iloc[0]
    assert row[OF_CR2].isna().all()
    assert row[["ci_low_wcr", "ci_high_wcr", "p_wcr"]].isna().all()
    assert "sees the comparators' shocks" in result.note
    assert "own scatter" in result.note
    assert row[["p_ri", "ci_low_ri", "ci_high_ri", "mde"]].notna().all()
    assert result.headline == "p_ri"
    assert result.ci_low_ri < result.att < result.ci_high_ri
    assert (result.p_ri > 0.05) == (result.ci_low_ri < 0 < result.ci_high_ri)
    assert "not shown" in result.summary()


def test_one_pilot_s_event_study_pretrend_power_and_leave_one_out_say_the_same() -> None:
    result = fitted({"201": 3})
    study = result.event_study()
    estimated = study[study["event_time"] != -1]
    assert study["se_cr2"].isna().all()
    assert estimated["att"].notna().all()
    assert study[["ci_low", "ci_high"]].isna().all(axis=None)
    assert result.event_study_result is not None
    assert "comparators' shocks alone" in result.event_study_result.note
    trend = pre_trend(result, smallest_effect=0.1)
    assert np.isnan([trend.se_cr2, trend.df, trend.p_cr2]).all()
    assert not np.isnan(trend.slope)
    assert np.isnan([trend.ci_low, trend.ci_high, trend.p_equivalence, trend.detectable_slope]).all()
    assert "one treated authority" in trend.note
    power = power_frame(result, smallest_effect=0.1)
    assert power["se_cr2"].isna().all()
    assert power["mde"].eq(result.mde).all()
    assert power["power"].iloc[-1] == pytest.approx(0.8, abs=0.03)
    assert "own scatter" in power["note"].iloc[0]
    assert result.fitted is not None
    left_out = leave_one_out(result.fitted)
    assert left_out[["se_cr2", "p_cr2"]].isna().all(axis=None)
    assert left_out.loc[left_out["arm"] == "comparator", "att"].notna().all()
    assert honest_frame(result)["ci_low"].isna().all()


def test_what_is_left_of_two_pilots_without_one_is_one_pilot() -> None:
    result = fitted({"201": 3, "202": 3})
    assert result.fitted is not None
    left_out = leave_one_out(result.fitted).set_index("arm")
    assert left_out.loc["pilot", "p_cr2"].isna().all()
    assert left_out.loc["comparator", "p_cr2"].notna().all()


@pytest.mark.parametrize("pilots", [{"201": 3, "202": 3, "203": 3}, {"201": 2, "202": 3, "203": 4, "204": 5}])
def test_up_to_four_pilots_get_mde_and_equivalence_from_permuted_go_lives(pilots: dict[str, int]) -> None:
    result = fitted(pilots)
    assert result.permuted is not None
    assert result.mde == result.permuted.minimum_detectable_effect()
    assert p_equivalence(result, bound=0.1) == result.permuted.p_equivalence(0.1)
    assert result.to_frame().iloc[0][[*OF_CR2, "ci_low_ri", "ci_high_ri"]].notna().all()
    trend = pre_trend(result, smallest_effect=0.1)
    if trend.n_pre > 1:
        assert trend.ci_low < trend.slope < trend.ci_high
        assert trend.se_cr2 > 0


def test_five_pilots_keep_cr2_for_mde_and_equivalence() -> None:
    result = fitted(dict.fromkeys(("201", "202", "203", "204", "205"), 3))
    assert result.headline == "p_wcr"
    assert result.permuted is not None
    assert result.mde != result.permuted.minimum_detectable_effect()


def test_pilots_that_go_live_one_by_one_have_no_intervals_of_single_event_times() -> None:
    result = fitted({"201": 2, "202": 3, "203": 4})
    study = result.event_study()
    assert study[["ci_low", "ci_high"]].isna().all(axis=None)
    assert result.event_study_result is not None
    assert "no intervals of single event times" in result.event_study_result.note


def test_too_few_authorities_for_a_test_print_no_detectable_effect_and_why() -> None:
    result = fitted({"201": 3, "202": 3}, n_units=6)
    assert (result.ci_low_ri, result.ci_high_ri) == (-np.inf, np.inf)
    assert np.isnan(result.mde)
    assert "could have been chosen in 15 ways only: no p_ri can be below 0.05" in result.note
    assert power_frame(result, smallest_effect=0.1)["power"].isna().all()
    assert p_equivalence(result, bound=0.5) >= 1 / 15


@pytest.mark.parametrize(("cells", "go_live", "why"), [
    (some_cells(n_units=14), 3, "13 comparators show what chance does, 19 are needed"),
    (some_cells(n_units=30, n_periods=4), 2, "too few periods show how unsteady"),
])  # fmt: skip
def test_where_nothing_holds_for_one_pilot_its_row_says_why_and_no_more(
    cells: pd.DataFrame, go_live: int, why: str
) -> None:
    result = fit_did(cells, design=a_design(pilots={"201": go_live}), inference=QUICK)
    assert not np.isnan(result.att)
    assert np.isnan(
        [result.p_ri, result.ci_low_ri, result.ci_high_ri, result.mde, p_equivalence(result, bound=0.1)]
    ).all()
    assert (result.significant, result.verdict) == (None, "cannot tell")
    assert why in result.note
    assert power_frame(result, smallest_effect=0.1)["power"].isna().all()
    assert np.isnan(adjusted_for_families([result], inference=QUICK).get("o", (np.nan,))).all()


def test_one_pilot_s_numbers_are_those_of_its_own_scatter_by_hand() -> None:
    """The pilot's scatter from statsmodels' residuals about two means; p, interval and equivalence by counting."""
    result = fitted({"201": 3})
    alone = result.permuted
    assert isinstance(alone, LonePilot)
    wide = some_cells(n_units=30).pivot(index="unit_id", columns="period", values=["n", "y_sum"])
    n, y = wide["n"].to_numpy(float), wide["y_sum"].to_numpy(float)
    place = list(wide.index).index("201")
    others = np.arange(len(n)) != place
    gap = y[place] / n[place] - y[others].sum(axis=0) / n[others].sum(axis=0)
    after = (np.arange(len(gap)) >= 3).astype(float)
    means = sm.OLS(gap, np.column_stack([1 - after, after])).fit()
    share = sum(
        (n[place][side] / n[place][side].sum()) @ (n[place][side] / n[place][side].sum())
        for side in (after == 0, after == 1)
    )
    s = np.sqrt(means.scale * share)
    t = alone.placebos.t
    assert alone.own == pytest.approx(s**2, rel=1e-10)
    assert result.p_ri == (1 + np.sum(np.abs(t) >= abs(result.att) / s)) / 30
    half = np.sort(np.abs(t))[28] * s
    assert (result.ci_low_ri, result.ci_high_ri) == pytest.approx((result.att - half, result.att + half))
    above, below = np.sum(t >= (result.att + 0.1) / s), np.sum(t <= (result.att - 0.1) / s)
    assert p_equivalence(result, bound=0.1) == (1 + max(above, below)) / 30


def test_outcomes_of_one_pilot_step_down_together_on_placebos_that_they_share() -> None:
    results = [
        replace(
            fit_did(some_cells(n_units=30, seed=seed), design=a_design(pilots={"201": 3}), inference=QUICK),
            outcome_id=name,
        )
        for seed, name in ((1, "a"), (2, "b"))
    ]
    adjusted = adjusted_for_families(results, inference=QUICK)
    for one in results:
        assert one.p_ri <= adjusted[one.outcome_id][0] <= 1
    greatest = np.max([np.abs(one.permuted.placebos.t) for one in results], axis=0)
    first = max(results, key=lambda one: abs(one.permuted.t))
    assert adjusted[first.outcome_id][0] == (1 + np.sum(greatest >= abs(first.permuted.t))) / 30


def test_assignments_that_cannot_be_estimated_are_said_to_keep_p_from_falling() -> None:
    permuted = fitted({"201": 3, "202": 3}, n_units=8).permuted
    assert isinstance(permuted, EffectDistribution)
    assert permuted.can_reject
    undefined = replace(permuted, variance=np.where(np.arange(permuted.plan.n) < 3, np.nan, permuted.variance))
    assert not undefined.can_reject
    assert "in 3 of the 28 ways" in undefined.why_it_cannot_reject


def test_bounds_of_one_pilot_are_of_the_randomisation_test() -> None:
    cells = some_cells(n_units=30)
    nothing = pd.DataFrame(columns=list(UNKNOWN_COLUMNS))
    row = bounds_frame(cells, nothing, design=a_design(pilots={"201": 3}), inference=QUICK, what="missing").iloc[0]
    result = fitted({"201": 3})
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((result.ci_low_ri, result.ci_high_ri))


def test_a_standard_error_that_is_rounding_is_blank() -> None:
    """One pilot, one comparator and two periods: every cell is fitted exactly, and CR1 was 3e-17."""
    result = fit_did(some_cells(n_units=2, n_periods=2), design=a_design(pilots={"201": 1}), inference=QUICK)
    assert np.isnan([result.se_cr1, result.se_cr3, result.p_ri, result.ci_low_ri, result.mde]).all()
    assert result.fitted is not None
    solved = Sandwich(result.fitted.moments)
    assert np.sqrt(np.abs(solved.cr1[0, 0])) < 1e-12


def test_cells_are_counted_once_lone_levels_are_merged() -> None:
    cells = some_cells(n_units=14).assign(sex="F")
    other = cells[cells["unit_id"] == "209"].assign(sex="M")
    design = a_design(covariates=Covariates(categorical=("sex",), lone_levels="merge"))
    result = fit_did(pd.concat([cells, other]), design=design, inference=QUICK)
    assert len(cells) + len(other) == result.n_cells + 8
    assert result.n_cells == len(cells)


def test_strata_of_size_permute_go_lives_among_authorities_of_like_size() -> None:
    cells = some_cells(n_units=30)
    design = a_design(pilots={"201": 3, "202": 3})
    result = fit_did(cells, design=design, inference=QUICK.model_copy(update={"strata": "size"}))
    assert result.permuted is not None
    plan, sizes = result.permuted.plan, cells.groupby("unit_id")["n"].sum()
    assert np.bincount(plan.strata).tolist() == [10, 10, 10]
    assert sorted(sizes.to_numpy()[plan.strata == 0]) == sorted(sizes)[:10]
    same = plan.strata[0] == plan.strata[1]
    assert plan.n_distinct == (10 * 9 // 2 if same else 10 * 10)
    assert fit_did(cells, design=design, inference=QUICK).permuted.plan.n_distinct == 435
