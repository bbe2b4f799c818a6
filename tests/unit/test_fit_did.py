"""The result of a fit: its headline rule, blanks with their reasons, its event study and its frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sos_spark.analysis.study import FITTED
from sos_spark.config.study import Covariates
from sos_spark.errors import StudyError
from sos_spark.fit import Convention, DidResult, fit_did
from sos_spark.fit.did import blank_result
from sos_spark.tables.results import EVENT_STUDY
from tests.fit_panels import QUICK, a_design, some_cells

FOUR = {"201": 3, "202": 3, "203": 3, "204": 3}


def two_by_two() -> pd.DataFrame:
    """Six pilots and four others, two periods: shares 0.2 -> 0.5 in pilots and 0.1 -> 0.2 elsewhere, of 100 rows."""
    cells = some_cells(n_units=10, n_periods=2).assign(n=100)
    pilot, after = cells["unit_id"].astype(int) <= 206, cells["period"] == 1
    cells["y_sum"] = np.select([pilot & after, pilot, after], [50, 20, 20], 10)
    return cells.assign(y_sumsq=cells["y_sum"])


def planted(effect: int, **pilots: int) -> DidResult:
    """A fit of some_cells with so many more cases in each treated cell."""
    design = a_design(pilots=pilots or None)
    cells = some_cells()
    gtime = cells["unit_id"].map({pilot.la_code: 3 for pilot in design.pilots})
    cells["y_sum"] += np.where(cells["period"] >= gtime, effect, 0)
    cells["y_sumsq"] = cells["y_sum"]
    return fit_did(cells, design=design, inference=QUICK)


def test_a_two_by_two_by_hand() -> None:
    result = fit_did(
        two_by_two(),
        design=a_design(pilots=dict.fromkeys(("201", "202", "203", "204", "205", "206"), 1)),
        inference=QUICK,
    )
    assert result.att == pytest.approx(0.2)
    assert result.baseline_mean == pytest.approx(0.2)
    assert (result.n_rows, result.n_cells, result.n_clusters, result.n_treated_clusters) == (2_000, 20, 10, 6)


def test_mde_and_interval_are_those_of_cr2() -> None:
    result = planted(0)
    t = stats.t(result.df_satterthwaite)
    assert result.mde == pytest.approx((t.ppf(0.975) + t.ppf(0.8)) * result.se_cr2)
    assert result.ci == pytest.approx(
        (result.att - t.ppf(0.975) * result.se_cr2, result.att + t.ppf(0.975) * result.se_cr2)
    )
    assert result.p_cr2 == pytest.approx(2 * t.sf(abs(result.att) / result.se_cr2))


def test_significant_needs_both_methods() -> None:
    assert planted(12).significant is True
    assert planted(0).significant is False


def test_four_treated_leave_randomisation_alone() -> None:
    cells = some_cells()
    result = fit_did(cells, design=a_design(pilots=FOUR), inference=QUICK)
    assert np.isnan([result.p_wcr, result.ci_low_wcr, result.ci_high_wcr]).all()
    assert result.headline == "p_ri"
    assert "4 treated authorities" in result.note
    assert not np.isnan([result.se_cr2, result.df_satterthwaite, result.p_cr2, result.p_ri]).any()
    assert 0 <= result.wild_test().p <= 1
    assert result.wild_interval().low < result.att
    events = result.event_study()
    assert events["band_low"].isna().all()
    assert events["ci_low"].notna().any()


def test_five_treated_are_a_caution() -> None:
    result = fit_did(some_cells(), design=a_design(pilots=FOUR | {"205": 3}), inference=QUICK)
    assert result.headline == "p_wcr"
    assert "only 5 treated" in result.note


def test_without_sums_of_squares_iid_and_hc1_are_blank_and_say_so() -> None:
    result = fit_did(some_cells().drop(columns="y_sumsq"), design=a_design(), inference=QUICK)
    assert np.isnan([result.se_iid, result.se_hc1]).all()
    assert "y_sumsq" in result.note
    assert not np.isnan(result.se_cr1)


def test_a_covariate_that_only_pilots_vary_in_is_named_when_it_is_left_out() -> None:
    cells = some_cells().assign(site=lambda c: np.where(c["unit_id"].astype(int) % 2, "odd", "even"))
    result = fit_did(cells, design=a_design(covariates=Covariates(categorical=("site",))), inference=QUICK)
    assert "site=odd" in result.note or "site=even" in result.note
    assert result.att == pytest.approx(fit_did(some_cells(), design=a_design(), inference=QUICK).att, rel=1e-9)


def test_event_study_has_its_reference_row_and_counts_treated_rows() -> None:
    frame = planted(5).event_study()
    assert set(frame.columns) == {*EVENT_STUDY.column_names, "df"}
    events = frame.set_index("event_time")
    assert events.index.tolist() == [-3, -2, -1, 0, 1, 2, 3, 4]
    assert events.loc[-1, "att"] == 0
    assert events.loc[-1, ["se_cr2", "ci_low", "ci_high", "band_low", "band_high"]].isna().all()
    cells = some_cells()
    pilots = cells[cells["unit_id"].astype(int) <= 206]
    assert events["n_rows"].tolist() == pilots.groupby("period")["n"].sum().tolist()
    others = events.drop(index=-1)
    assert (others["band_low"] < others["ci_low"]).sum() >= len(others) - 1


def test_event_study_bins_hold_everything_beyond_them() -> None:
    inference = QUICK.model_copy(update={"event_study_bins": (-2, 1)})
    result = fit_did(some_cells(), design=a_design(), inference=inference)
    assert result.event_study()["event_time"].tolist() == [-2, -1, 0, 1]
    assert result.event_study()["n_rows"].sum() == some_cells().query("unit_id <= '206'")["n"].sum()


def test_without_a_period_before_go_live_the_last_one_seen_is_the_reference() -> None:
    cells = some_cells()
    result = fit_did(cells[cells["period"] != 2], design=a_design(), inference=QUICK)
    events = result.event_study().set_index("event_time")
    assert events.loc[-2, "att"] == 0
    assert -1 not in events.index
    assert "against -2" in result.event_study_result.note


def test_staggered_go_lives_are_estimated_by_imputation() -> None:
    result = fit_did(some_cells(), design=a_design(pilots={**FOUR, "205": 4, "206": 5}), inference=QUICK)
    assert result.estimator == "imputation"
    assert np.isnan([result.se_iid, result.se_hc1]).all()
    assert not np.isnan([result.att, result.se_cr2, result.p_wcr, result.p_ri]).any()
    assert result.event_study().set_index("event_time").loc[-1, "att"] == 0


def test_other_packages_factors_are_named() -> None:
    result = planted(0)
    own, other = (result.standard_errors(convention) for convention in (Convention.SOS_SPARK, Convention.CLUBSANDWICH))
    assert own.se_cr1 == result.se_cr1
    assert own.se_cr3 == result.se_cr3
    assert other.convention == "clubSandwich"
    assert other.se_cr3 == pytest.approx(result.se_cr3 * np.sqrt(14 / 13))


def test_treated_weight_shares_add_up_to_one() -> None:
    shares = planted(0).treated_weight_share
    assert sum(shares.values()) == pytest.approx(1)
    assert set(shares) == {"201", "202", "203", "204", "205", "206"}


def test_frames_text_and_figure() -> None:
    result = planted(5)
    frame = result.to_frame()
    assert set(frame.columns) == set(FITTED)
    assert frame.loc[0, "att"] == result.att
    assert "wild cluster bootstrap" in result.summary()
    assert len(result.plot_event_study().axes) == 1


def test_a_blank_result_says_why() -> None:
    result = blank_result(a_design(), inference=QUICK, note="no period before go-live")
    assert "no period before go-live" in result.summary()
    assert result.to_frame()["att"].isna().all()
    assert result.event_study().empty
    with pytest.raises(StudyError, match="no period before go-live"):
        result.wild_test()
    with pytest.raises(StudyError):
        result.plot_event_study()


def test_leverage_is_that_of_the_treatment_less_what_periods_and_authorities_say_of_it() -> None:
    """Equal rows, 6 of 10 treated in one of two periods: what is left of D is 0.2 in a pilot and 0.3 elsewhere."""
    result = fit_did(
        two_by_two(),
        design=a_design(pilots=dict.fromkeys(("201", "202", "203", "204", "205", "206"), 1)),
        inference=QUICK,
    )
    shares = np.array([0.2**2] * 6 + [0.3**2] * 4) / (6 * 0.2**2 + 4 * 0.3**2)
    assert result.leverage_max == pytest.approx(shares.max())
    assert result.effective_clusters == pytest.approx(1 / np.sum(shares**2))
    assert result.treated_weight_max == pytest.approx(1 / 6)
