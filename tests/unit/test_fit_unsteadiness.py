"""Whether few pilots are as unsteady as comparators: what the panel shows, and what is printed where they are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sos_spark.analysis.pretrend import pre_trend
from sos_spark.analysis.synthetic_checks import synthetic_checks_frame
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.did import fit_prepared
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.result import DidResult
from sos_spark.fit.synthetic import synthetic_result
from sos_spark.fit.unsteadiness import too_unsteady, unsteadiness
from tests.fit_panels import QUICK, a_design, some_cells

TWO = a_design(pilots={"201": 3, "202": 3}, smallest_effect_of_interest=0.02)


def panel_of(times: float) -> PreparedPanel:
    """The scatter of every unit is that of one law about 0.3; pilots' is so many times it."""
    panel = prepare(some_cells(n_periods=12), TWO).panel
    scatter = np.random.default_rng(7).normal(0, 0.02, panel.rows.shape)
    scatter[panel.is_treated_unit] *= times
    return replace(panel, rows=np.full(panel.rows.shape, 50.0), y_sum=50 * (0.3 + scatter), y_sumsq=None)


def cells_of(panel: PreparedPanel) -> pd.DataFrame:
    unit, period = (index.ravel() for index in np.indices(panel.rows.shape))
    return pd.DataFrame(
        {
            "outcome_id": "o",
            "unit_id": np.array(panel.unit_ids)[unit],
            "period": period,
            "period_start": [panel.period_starts[t].isoformat() for t in period],
            "n": panel.rows.ravel(),
            "y_sum": panel.y_sum.ravel(),
        }
    )


def fitted(times: float) -> DidResult:
    return fit_prepared(prepare(cells_of(panel_of(times)), TWO), design=TWO, inference=QUICK)


def test_the_ratio_grows_with_the_pilots_scatter_and_knows_no_effect() -> None:
    alike, doubled = (unsteadiness(panel_of(times)) for times in (1.0, 2.0))
    assert 0.6 < alike < 1.5
    assert doubled == pytest.approx(2 * alike, rel=0.15)
    panel = panel_of(1.0)
    moved = replace(panel, y_sum=panel.y_sum + panel.rows * panel.treated * 0.1)
    assert unsteadiness(moved) == pytest.approx(alike)


def test_too_few_periods_show_nothing() -> None:
    panel = prepare(some_cells(n_periods=4), TWO).panel
    assert np.isnan(unsteadiness(panel))
    assert not too_unsteady(panel)


def test_pilots_that_are_too_unsteady_have_no_test_by_permuted_go_lives() -> None:
    result = fitted(4.0)
    assert np.isnan([result.p_ri, result.ci_low_ri, result.ci_high_ri, result.mde, result.p_equivalence]).all()
    assert result.significant is None
    assert np.isfinite(result.att)
    assert "times the comparators' scatter from period to period: above 1.5 no p_ri" in result.note
    study = result.event_study()
    assert study[study["event_time"] != -1][["ci_low", "ci_high"]].isna().all(axis=None)
    drift = pre_trend(result, smallest_effect=0.02)
    assert np.isnan([drift.ci_low, drift.p_equivalence, drift.detectable_slope]).all()
    assert "too unsteady" in drift.note


@pytest.mark.parametrize(("times", "printed"), [(1.0, True), (3.0, False)])
def test_synthetic_comparators_have_a_p_only_where_pseudo_pilots_scatter_as_pilots_do(
    times: float, printed: bool
) -> None:
    prepared = prepare(cells_of(panel_of(times)), TWO)
    row = synthetic_result(prepared, design=TWO, inference=QUICK)
    (_, augmented) = synthetic_checks_frame(prepared.panel, inference=QUICK).to_dict("records")
    for p, note in ((row.p_ri, row.note), (augmented["p"], augmented["note"])):
        assert np.isfinite(p) == printed
        assert ("above 1.2 they reject too much" in note) != printed
    assert np.isfinite(row.att)


def test_pilots_that_are_alike_have_one_and_the_note_says_what_was_seen() -> None:
    result = fitted(1.0)
    assert 0 < result.p_ri <= 1
    assert "takes for granted that pilots are as unsteady as comparators, and their scatter" in result.note


def test_with_many_pilots_the_bootstrap_is_the_headline_and_nothing_is_left_out() -> None:
    panel = prepare(some_cells(n_periods=12), a_design()).panel
    scatter = np.random.default_rng(7).normal(0, 0.02, panel.rows.shape) * (1 + 9 * panel.is_treated_unit[:, None])
    assert not too_unsteady(replace(panel, y_sum=panel.rows * (0.3 + scatter)))
