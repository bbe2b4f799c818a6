"""The effect at a fixed casemix, and its split into casemix and rate: what must hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sos_spark.analysis.casemix import (
    Strata,
    casemix_frame,
    casemix_levels_frame,
    casemix_trend_frame,
    standardised,
)
from sos_spark.config.study import Covariates
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.regression.design import PreparedPanel
from tests.fit_panels import QUICK, a_design, collapsed, design_of, some_cells, some_children

BY = ("age_band", "sex")


@pytest.fixture(scope="module")
def children() -> pd.DataFrame:
    return some_children(n_rows=6_000, n_units=14, n_treated=6, n_periods=8)


def panel_of(children: pd.DataFrame, y: str = "yes") -> PreparedPanel:
    return prepare(collapsed(children, y=y, by=BY), design_of(children, by=BY)).panel


def test_a_casemix_that_moves_alone_is_all_casemix() -> None:
    """Outcomes 0.1 and 0.5 in two groups; in pilots the second group's share goes from 30 to 60 %."""
    cells = pd.concat([some_cells(n_units=14).assign(sex=sex) for sex in ("female", "male")], ignore_index=True)
    is_pilot, male = cells["unit_id"] <= "206", cells["sex"] == "male"
    share = np.where(is_pilot & (cells["period"] >= 3), 0.6, 0.3)
    cells["n"] = np.rint(1_000 * np.where(male, share, 1 - share)).astype(int)
    cells["y_sum"] = cells["y_sumsq"] = np.rint(cells["n"] * np.where(male, 0.5, 0.1)).astype(int)
    panel = prepare(cells, a_design(covariates=Covariates(categorical=("sex",)))).panel
    found = casemix_frame(panel, inference=QUICK).set_index("part")["att"]
    assert found["casemix"] == pytest.approx(0.3 * 0.4)
    assert found["rate"] == pytest.approx(0.0, abs=1e-12)
    assert found["standardised"] == pytest.approx(0.0, abs=1e-12)
    trend = casemix_trend_frame(panel)
    last = trend[trend["period_start"] == trend["period_start"].max()].set_index("arm")
    assert last.loc["pilot", "expected"] == pytest.approx(0.4 * 0.1 + 0.6 * 0.5)
    assert last.loc["comparator", "expected"] == pytest.approx(0.7 * 0.1 + 0.3 * 0.5)
    levels = casemix_levels_frame(panel).set_index(["level", "arm", "period"])
    assert levels.loc[("male", "pilot", 2), "share"] == pytest.approx(0.3)
    assert levels.loc[("male", "pilot", 3), "share"] == pytest.approx(0.6)
    assert levels.loc[("female", "pilot", 3), "n_rows"] == 6 * 400


def test_every_arm_and_period_has_the_standard_s_casemix_and_keeps_its_rows(children: pd.DataFrame) -> None:
    panel = panel_of(children)
    strata = Strata.of(panel, panel.cells.levels[:, [0]])
    found = standardised(panel, strata)
    pilots = panel.is_treated_unit
    before = np.einsum("gtk,gt->k", strata.n[pilots], (1 - panel.treated)[pilots])
    level_rates = np.arange(len(before), dtype=float)
    moved = replace(panel, y_sum=strata.n @ level_rates)
    shown = standardised(moved, Strata(strata.n, strata.n * level_rates)).panel
    assert found.share == 1
    for mine in (pilots, ~pilots):
        assert found.panel.rows[mine].sum(axis=0) == pytest.approx(panel.rows[mine].sum(axis=0))
        mean = shown.y_sum[mine].sum(axis=0) / shown.rows[mine].sum(axis=0)
        assert mean == pytest.approx(np.full(8, before @ level_rates / before.sum()))


def test_levels_add_up_to_one_in_every_arm_and_period(children: pd.DataFrame) -> None:
    levels = casemix_levels_frame(panel_of(children))
    assert levels.groupby(["covariate", "arm", "period"])["share"].sum().to_numpy() == pytest.approx(1.0)
    assert levels.groupby("covariate")["n_rows"].sum().eq(len(children)).all()
    assert set(levels["level"]) == set(children["age_band"]) | set(children["sex"])


def test_without_categorical_covariates_there_is_nothing() -> None:
    panel = prepare(some_cells(), a_design()).panel
    assert casemix_frame(panel, inference=QUICK).empty
    assert casemix_trend_frame(panel).empty
    assert casemix_levels_frame(panel).empty


def test_few_pilots_have_intervals_of_permuted_go_lives_but_for_what_is_weighed(children: pd.DataFrame) -> None:
    design = design_of(children, by=BY)
    design = design.model_copy(update={"pilots": design.pilots[:2]})
    panel = prepare(collapsed(children, y="yes", by=BY), design).panel
    found = casemix_frame(panel, inference=QUICK).query("by == 'all'").set_index("part")
    assert found.loc[["unadjusted", "casemix", "rate"], ["p", "ci_low", "ci_high"]].notna().all(axis=None)
    assert found.loc["standardised", ["p", "ci_low", "ci_high"]].isna().all()
    assert "no interval" in found.loc["standardised", "note"]
