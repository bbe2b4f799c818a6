"""What two-way fixed effects average, against diff-diff, brute force and the fit itself."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from diff_diff import bacon_decompose, twowayfeweights

from sos_spark.analysis.staggered_tables import aggregates_frame
from sos_spark.config.study import Covariates, Inference
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.cells.subpanel import only_periods_of
from sos_spark.fit.estimators import ESTIMATORS, twfe
from sos_spark.fit.estimators.twfe import negative_weight_share, two_way_weights
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import NEVER, PreparedPanel, Weights
from sos_spark.fit.staggered.goodman_bacon import goodman_bacon
from tests.fit_panels import a_design, collapsed
from tests.references import Reference
from tests.staggered_panels import THREE_GROUPS, random_totals, staggered_rows
from tools.monte_carlo.main_design import panel_of_totals

BACON = Reference(
    "Goodman-Bacon decomposition",
    "weight and effect of each comparison",
    "diff-diff",
    "package",
    1e-8,
    absolute=True,
)
WEIGHTS = Reference(
    "Weights of two-way fixed effects",
    "weights by authority and period, share of negative ones",
    "diff-diff (de Chaisemartin and D'Haultfoeuille)",
    "package",
    1e-7,
    absolute=True,
)

GTIMES = [THREE_GROUPS, (1, 1, 5), (2, 2, 2)]


def cells_of(panel: PreparedPanel) -> pd.DataFrame:
    unit, time = np.nonzero(panel.rows)
    first = np.where(panel.gtime == NEVER, 0, panel.gtime + 1)[unit]
    treated = panel.treated[unit, time]
    y = panel.y_sum[unit, time] / panel.rows[unit, time]
    return pd.DataFrame({"unit": unit, "time": time + 1, "first": first, "treated": treated, "y": y})


def estimate_of(panel: PreparedPanel, name: str, weights: Weights) -> float:
    estimate = ESTIMATORS[name](panel, weights=weights)
    return Sandwich(estimate.moments).estimate(estimate.coefficient)


@pytest.mark.parametrize("gtime", GTIMES)
def test_bacon_is_that_of_diff_diff_and_adds_up_to_the_two_way_estimate(gtime: Sequence[int]) -> None:
    panel = random_totals(gtime, gaps=True)
    found = goodman_bacon(panel)
    balanced = np.all(panel.rows > 0, axis=1)
    keep = only_periods_of(panel, np.broadcast_to(balanced[:, None], panel.rows.shape))
    means = panel_of_totals(np.ones_like(keep.rows), keep.y_sum / keep.rows, keep.gtime)
    assert sum(part.weight for part in found.comparisons) == pytest.approx(1, rel=1e-12)
    assert found.twfe == pytest.approx(estimate_of(means, "twfe", "la_equal"), rel=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outside = bacon_decompose(cells_of(means), "y", "unit", "time", "first", weights="exact")
    theirs = sorted((c.comparison_type, c.treated_group, c.weight, c.estimate) for c in outside.comparisons)
    ours = sorted((p.comparison, p.treated + 1, p.weight, p.estimate) for p in found.comparisons)
    assert len(ours) == len(theirs)
    for own, other in zip(ours, theirs, strict=True):
        assert own[:2] == other[:2]
        assert own[2:] == BACON.equals(other[2:])


@pytest.mark.parametrize("gtime", GTIMES)
def test_weights_are_those_of_diff_diff_on_one_row_a_cell(gtime: Sequence[int]) -> None:
    panel = random_totals(gtime, gaps=True)
    ones = panel_of_totals((panel.rows > 0).astype(float), panel.y_sum / np.maximum(panel.rows, 1), panel.gtime)
    cells = cells_of(ones)
    outside = twowayfeweights(cells, "y", unit="unit", time="time", treatment="treated")
    ours = two_way_weights(ones, weights="child")
    treated = cells.loc[cells["treated"] == 1, ["unit", "time"]]
    table = outside.weights.merge(treated, on=["unit", "time"])
    assert len(table) == len(treated)
    for row in table.itertuples():
        assert ours[int(row.unit), int(row.time) - 1] == WEIGHTS.equals(row.weight)
    negative = table["weight"].clip(upper=0).abs().sum() / table["weight"].abs().sum()
    assert negative_weight_share(ones, weights="child") == WEIGHTS.equals(negative)


@pytest.mark.parametrize("weights", ["child", "la_equal"])
@pytest.mark.parametrize("by", [(), ("sex", "age_band")])
def test_weights_add_effects_up_to_the_coefficient(by: tuple[str, ...], weights: Weights) -> None:
    """Effects alone as the outcome: the coefficient is their weighted sum, whatever the effects."""
    data = staggered_rows(by=by, gaps=((1, 1), (14, 7)))
    panel = data.panel
    w = two_way_weights(panel, weights=weights)
    assert w.sum() == pytest.approx(1, rel=1e-10)
    effects = np.random.default_rng(1).normal(size=w.shape) * panel.treated
    rows = data.rows.assign(y=effects[data.rows["unit"], data.rows["period"]])
    pilots = {str(201 + k): g for k, g in enumerate(THREE_GROUPS)}
    design = a_design(pilots=pilots, covariates=Covariates(categorical=by))
    fitted = prepare(collapsed(rows, y="y", by=by), design).panel
    assert estimate_of(fitted, "twfe", weights) == pytest.approx(float(np.sum(w * effects)), rel=1e-9)


def test_growing_effects_turn_the_two_way_estimate_and_not_the_others() -> None:
    """Half treated early, half late, nobody never: true effects are positive, the two-way coefficient is not."""
    gtime = (1,) * 5 + (6,) * 5
    panel = random_totals(gtime, n_units=10, n_periods=8, equal=True)
    effects = panel.treated * (panel.event_time + 1) ** 2
    alone = panel_of_totals(panel.rows, panel.rows * effects, panel.gtime)
    assert negative_weight_share(alone, weights="child") > 0.2
    assert estimate_of(alone, "twfe", "child") < 0
    for name in ("cs_simple", "imputation", "sun_abraham"):
        assert estimate_of(alone, name, "child") > 1


def test_with_one_go_live_and_one_period_before_it_all_estimators_are_the_two_way_one() -> None:
    panel = random_totals((1,) * 5, equal=True)
    expected = estimate_of(panel, "twfe", "la_equal")
    for name in ESTIMATORS:
        assert estimate_of(panel, name, "la_equal") == pytest.approx(expected, rel=1e-9), name


def test_with_one_go_live_the_imputation_is_the_two_way_one_and_inference_too() -> None:
    """With more periods before, the others compare with the last one only, and imputation with all as two-way does."""
    panel = random_totals((3,) * 6, equal=True)
    a, b = twfe(panel, weights="la_equal"), ESTIMATORS["imputation"](panel, weights="la_equal")
    assert Sandwich(a.moments).estimate("treated") == pytest.approx(Sandwich(b.moments).estimate("treated"), rel=1e-9)
    assert estimate_of(panel, "cs_simple", "la_equal") == pytest.approx(
        estimate_of(panel, "sun_abraham", "la_equal"), rel=1e-9
    )
    frame = aggregates_frame(panel, inference=Inference(draws=99, permutations=99, weights="la_equal"))
    simple = frame[(frame["aggregate"] == "simple") & (frame["estimator"] == "imputation")]
    assert simple["att"].iloc[0] == pytest.approx(estimate_of(panel, "twfe", "la_equal"), rel=1e-9)
