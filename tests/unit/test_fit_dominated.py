"""What is left unsaid where one of many pilots has most of their rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sos_spark.analysis.honest import honest_frame
from sos_spark.analysis.other_inference import other_inference_frame
from sos_spark.analysis.pretrend import pre_trend
from sos_spark.fit import DidResult, fit_did
from sos_spark.fit.did import p_equivalence
from sos_spark.fit.dominance import NEARLY_ONE
from sos_spark.fit.thresholds import DOMINATED, UNEVEN
from tests.fit_panels import QUICK, a_design, some_cells


def with_share(share: float, *, weights: str = "child") -> DidResult:
    """Six pilots of 30, the first with about that share of the rows from go-live on."""
    cells = some_cells(n_units=30)
    treated = cells[cells["unit_id"].between("201", "206") & (cells["period"] >= 3)]
    own = treated.loc[treated["unit_id"] == "201", "n"].sum()
    factor = share / (1 - share) * (treated["n"].sum() - own) / own
    scaled = {name: np.rint(cells[name] * factor).astype(int) for name in ("n", "y_sum")}
    mine = cells["unit_id"] == "201"
    cells = cells.assign(**{name: cells[name].mask(mine, values) for name, values in scaled.items()})
    return fit_did(
        cells.assign(y_sumsq=cells["y_sum"]),
        design=a_design(),
        inference=QUICK.model_copy(update={"weights": weights}),
    )


OF_BOTH = ["p_wcr", "ci_low_wcr", "ci_high_wcr", "p_cr2", "ci_low_cr2", "ci_high_cr2", "mde"]
OF_RI = ["p_ri", "ci_low_ri", "ci_high_ri"]


def row(result: DidResult) -> pd.Series:
    return result.to_frame().iloc[0]


def test_shares_that_hold_leave_everything() -> None:
    assert row(with_share(UNEVEN - 0.02))[[*OF_BOTH, *OF_RI]].notna().all()


def test_an_uneven_share_leaves_out_permuted_go_lives_alone() -> None:
    result = with_share((UNEVEN + DOMINATED) / 2)
    assert row(result)[OF_BOTH].notna().all()
    assert row(result)[OF_RI].isna().all()
    assert "no p_ri" in result.note
    assert result.significant is not None


def test_where_one_pilot_is_most_of_them_no_test_is_printed_and_the_row_says_why() -> None:
    result = with_share(DOMINATED + 0.05)
    assert row(result)[[*OF_BOTH, *OF_RI]].isna().all()
    assert np.isnan(p_equivalence(result, bound=0.1))
    assert (result.significant, result.verdict) == (None, "cannot tell")
    assert "nearly a study of one" in result.note
    assert result.att == pytest.approx(with_share(DOMINATED + 0.05).att)


def test_nothing_beside_the_main_row_is_a_test_of_all_pilots_either() -> None:
    result = with_share(DOMINATED + 0.05)
    study = result.event_study()
    assert study[["ci_low", "ci_high", "band_low", "band_high"]].isna().all(axis=None)
    assert study["se_cr2"].notna().sum() == len(study) - 1
    drift = pre_trend(result, smallest_effect=0.02)
    assert np.isnan([drift.p_joint, drift.p_cr2, drift.ci_low, drift.ci_high, drift.p_equivalence]).all()
    assert np.isfinite(drift.slope)
    others = other_inference_frame(result, methods=("cr3_t", "wcr_33"), inference=QUICK)
    assert others[["p", "ci_low", "ci_high"]].isna().all(axis=None)
    (bounds,) = honest_frame(result).to_dict("records")
    for note in (study_note(result), drift.note, bounds["note"], *others["note"]):
        assert NEARLY_ONE in note


def study_note(result: DidResult) -> str:
    assert result.event_study_result is not None
    return result.event_study_result.note


def test_authorities_that_count_alike_are_not_dominated() -> None:
    assert row(with_share(DOMINATED + 0.05, weights="la_equal"))[[*OF_BOTH, *OF_RI]].notna().all()
