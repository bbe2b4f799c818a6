"""Synthetic difference-in-differences on panels whose answer can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sos_spark.analysis.study import FITTED
from sos_spark.config.study import Covariates, Inference
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.result import DidResult
from sos_spark.fit.synthetic import (
    MAX_REFITS,
    SyntheticDid,
    simplex_weights,
    synthetic_did,
    synthetic_result,
)
from tests.fit_panels import QUICK, a_design, a_window, quarter, some_cells


def cells_of(means: np.ndarray, *, n: int = 10) -> pd.DataFrame:
    """Cells of n rows whose means are (G, T), of units 201, 202, ..."""
    unit, period = (index.ravel() for index in np.indices(means.shape))
    return pd.DataFrame(
        {
            "outcome_id": "o",
            "unit_id": (201 + unit).astype(str),
            "period": period,
            "period_start": [quarter(int(number)).isoformat() for number in period],
            "n": n,
            "y_sum": n * means.ravel(),
        }
    )


def panel_of(means: np.ndarray, pilots: dict[str, int]) -> PreparedPanel:
    return prepare(cells_of(means), a_design(pilots=pilots)).panel


def result_of(cells: pd.DataFrame, pilots: dict[str, int], inference: Inference = QUICK) -> DidResult:
    design = a_design(pilots=pilots)
    return synthetic_result(prepare(cells, design), design=design, inference=inference)


def test_a_path_halfway_between_two_weighs_them_equally() -> None:
    x = np.array([[0.0, 2.0, 5.0], [4.0, 2.0, 5.0], [0.0, 2.0, 9.0]])
    halfway = 7.0 + (x[:, 0] + x[:, 1]) / 2
    assert simplex_weights(x, halfway, ridge=0.0) == pytest.approx([0.5, 0.5, 0.0], abs=1e-6)


def test_a_ridge_spreads_the_weights_and_the_constant_costs_nothing() -> None:
    x, y = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0.0, 1.0])
    # |x w - y + c|^2 = 2 w2^2 once c is free, so 2 w2^2 + r (w1^2 + w2^2) is least at w2 = r / (2 + 2 r).
    assert simplex_weights(x, y + 100.0, ridge=1.0) == pytest.approx([0.75, 0.25], rel=1e-9)
    assert simplex_weights(x, y, ridge=1e12) == pytest.approx([0.5, 0.5], rel=1e-9)


def test_where_nothing_tells_units_apart_they_weigh_the_same() -> None:
    assert simplex_weights(np.full((3, 4), 2.0), np.zeros(3), ridge=0.0) == pytest.approx(np.full(4, 0.25))
    trend = np.arange(3.0)[:, None] + np.arange(4.0)
    assert simplex_weights(trend, np.zeros(3), ridge=0.0) == pytest.approx(np.full(4, 0.25), abs=1e-3)


def test_an_effect_on_parallel_paths_is_found_exactly() -> None:
    means = 3.0 + np.arange(7.0)[:, None] + np.array([0.0, 0.3, -0.2, 0.5, 0.1, 0.4])
    means[:2, 3:] += 0.25
    fitted = synthetic_did(panel_of(means, {"201": 3, "202": 3}), refits=50, seed=1)
    assert fitted.att == pytest.approx(0.25, abs=1e-12)
    assert fitted.placebo == pytest.approx(np.zeros(10), abs=1e-12)
    assert fitted.p == pytest.approx(1 / 11)


def test_groups_are_averaged_by_their_treated_cells() -> None:
    means = np.arange(8.0)[:, None] + np.linspace(0, 1, 6)
    means[0, 2:] += 0.3
    means[1:4, 4:] += 0.6
    fitted = synthetic_did(panel_of(means, {"201": 2, "202": 4, "203": 4, "204": 4}), refits=9, seed=1)
    assert [group.att for group in fitted.groups] == pytest.approx([0.3, 0.6], abs=1e-12)
    assert [group.n_cells for group in fitted.groups] == [4, 6]
    assert fitted.att == pytest.approx(0.48, abs=1e-12)


def by_hand(means: np.ndarray, treated: int, comparators: list[int], *, first: int, zeta: float, tiny: float) -> float:
    early, late = means[comparators, :first], means[comparators, first:].mean(axis=1)
    omega = simplex_weights(early.T, means[treated, :first], ridge=zeta**2 * first)
    time = simplex_weights(early, late, ridge=tiny**2 * len(comparators))
    own = means[treated, first:].mean() - time @ means[treated, :first]
    return float(own - omega @ (late - early @ time))


def test_every_comparator_is_a_pseudo_pilot_under_the_real_one_s_ridge() -> None:
    means = np.random.default_rng(4).normal(size=(6, 7))
    fitted = synthetic_did(panel_of(means, {"201": 4}), refits=5, seed=1)
    sigma = np.diff(means[1:, :4], axis=1).std(ddof=1)
    ridge = {"first": 4, "zeta": 3**0.25 * sigma, "tiny": 1e-6 * sigma}
    placebo = [by_hand(means, k, [j for j in range(1, 6) if j != k], **ridge) for k in range(1, 6)]
    assert fitted.att == pytest.approx(by_hand(means, 0, [1, 2, 3, 4, 5], **ridge), rel=1e-9)
    assert sorted(fitted.placebo) == pytest.approx(sorted(placebo), rel=1e-9)
    assert fitted.se == pytest.approx(np.std(placebo), rel=1e-9)


def test_p_counts_ties_and_the_estimate_itself() -> None:
    panel = synthetic_did(panel_of(np.random.default_rng(4).normal(size=(6, 7)), {"201": 4}), refits=5, seed=1).panel
    assert SyntheticDid(panel, (), 0.2, np.array([0.1, -0.2 + 1e-14, 0.3])).p == 0.75
    assert np.isnan(SyntheticDid(panel, (), 0.2, np.empty(0)).p)


def test_the_row_has_what_applies_and_says_what_it_is() -> None:
    pilots = {"201": 4, "202": 4}
    result = result_of(some_cells(n_units=14), pilots, Inference(draws=999, permutations=9_999))
    fitted = synthetic_did(prepare(some_cells(n_units=14), a_design(pilots=pilots)).panel, refits=66, seed=20210101)
    assert set(result.to_frame().columns) == set(FITTED)
    assert result.estimand == "Synthetic DiD, each authority counts once"
    assert (result.att, result.p_ri, result.headline) == (fitted.att, fitted.p, "p_ri")
    assert result.significant is (fitted.p < 0.05)
    assert (result.n_clusters, result.n_treated_clusters, result.n_cells) == (14, 2, 14 * 8)
    assert result.n_rows == some_cells(n_units=14)["n"].sum()
    assert result.baseline_mean == pytest.approx(fitted.panel.means[:2, :4].mean())
    assert np.isnan([result.se_cr2, result.p_wcr, result.ci_low_wcr, result.mde]).all()
    assert f"placebo standard error is {fitted.se:.4g}" in result.note
    assert f"66 draws of pseudo-pilots among the comparators, {MAX_REFITS} at most" in result.note


def test_refits_are_capped() -> None:
    result = result_of(some_cells(n_units=18), {"201": 4, "202": 4, "203": 4}, Inference(permutations=9_999))
    assert f"{MAX_REFITS} draws" in result.note
    assert round(result.p_ri * (MAX_REFITS + 1), 9) % 1 == 0


def test_authorities_not_seen_in_every_period_are_left_out_and_counted() -> None:
    cells = some_cells().query("not (unit_id in ['201', '209'] and period == 5)")
    pilots = {"201": 3, "202": 3, "203": 3}
    result = result_of(cells, pilots)
    assert result.att == result_of(cells[~cells["unit_id"].isin(["201", "209"])], {"202": 3, "203": 3}).att
    assert "2 authorities not observed in every period left out, pilots among them: 1" in result.note
    assert (result.arms["201"], result.arms["209"], result.arms["202"]) == ("unused", "unused", "pilot")
    assert result.gtimes == {"202": 3, "203": 3}


def test_a_period_that_every_pilot_lacks_is_left_out_for_all() -> None:
    design = a_design(pilots={"201": 4, "202": 4}).model_copy(update={"window": a_window(transition="drop")})
    inside = quarter(3).replace(day=15)
    pilots = tuple(pilot.model_copy(update={"go_live": inside}) for pilot in design.pilots)
    design = design.model_copy(update={"pilots": pilots})
    result = synthetic_result(prepare(some_cells(), design), design=design, inference=QUICK)
    without = some_cells().query("period != 3")
    assert result.att == result_of(without, {"201": 4, "202": 4}).att
    assert "1 periods without rows of pilots or of comparators left out" in result.note


def test_too_few_comparators_to_draw_from_leave_no_p() -> None:
    result = result_of(some_cells(n_units=6), {"201": 3, "202": 3, "203": 3})
    assert not np.isnan(result.att)
    assert np.isnan(result.p_ri)
    assert result.significant is None
    assert "not more comparators than pilots" in result.note


def test_pilots_with_one_period_before_go_live_have_no_estimate_of_their_own() -> None:
    with pytest.raises(NotEstimableError, match="too little to weigh"):
        result_of(some_cells(), {"201": 1, "202": 1})
    staggered = result_of(some_cells(), {"201": 1, "202": 3})
    alone = result_of(some_cells().query("unit_id != '201'"), {"202": 3})
    assert staggered.att == alone.att
    assert staggered.n_treated_clusters == 1
    assert "1 pilots without two periods before" in staggered.note


def test_covariates_are_said_not_to_be_adjusted_for() -> None:
    halves = [some_cells(seed=seed).assign(sex=sex) for seed, sex in enumerate(("male", "female"))]
    design = a_design(covariates=Covariates(categorical=("sex",)))
    result = synthetic_result(prepare(pd.concat(halves), design), design=design, inference=QUICK)
    assert "not adjusted for covariates" in result.note
