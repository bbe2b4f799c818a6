"""Doubly robust ATT(g, t) from cells against diff-diff's on individual rows, and what it is right about."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from diff_diff import CallawaySantAnna

from sos_spark.analysis.staggered_tables import aggregates_frame
from sos_spark.config.study import Covariates
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.staggered.doubly_robust import doubly_robust_effects
from tests.fit_panels import QUICK, a_design, collapsed, some_cells, some_children
from tests.references import Reference

DOUBLY_ROBUST = Reference(
    "Callaway and Sant'Anna, doubly robust",
    "ATT(g, t) and their simple average, repeated cross-sections",
    "diff-diff on the individual rows",
    "package",
    1e-9,
)
BY = ("age_band", "sex")
STARTS = {0: 3, 1: 3, 2: 3, 3: 4, 4: 4, 5: 4}


def children_and_panel() -> tuple[pd.DataFrame, PreparedPanel]:
    children = some_children(n_rows=9_000, n_units=16, n_treated=6, n_periods=6)
    children["first"] = children["unit"].map(STARTS).fillna(-1).astype(int)
    design = a_design(pilots={str(201 + unit): g for unit, g in STARTS.items()}, covariates=Covariates(categorical=BY))
    return children, prepare(collapsed(children, y="yes", by=BY), design).panel


def test_effects_from_cells_are_diff_diff_s_from_individual_rows() -> None:
    children, panel = children_and_panel()
    ours = doubly_robust_effects(panel, weights="child")
    dummies = pd.get_dummies(children[list(BY)], drop_first=True).astype(float)
    rows = dummies.assign(
        y=children["yes"], time=children["period"] + 1, g=children["first"] + 1, row=np.arange(len(children))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outside = CallawaySantAnna(panel=False, estimation_method="dr", base_period="universal").fit(
            rows, "y", "row", "time", "g", covariates=list(dummies)
        )
    theirs = {key: effect["effect"] for key, effect in outside.group_time_effects.items()}
    assert len(ours.effects) == 10
    for (g, t), att in zip(ours.effects, ours.att, strict=True):
        assert att == DOUBLY_ROBUST.equals(theirs[g + 1, t + 1])
    assert ours.simple == DOUBLY_ROBUST.equals(outside.overall_att)


def test_a_casemix_that_moves_is_no_effect() -> None:
    """Outcomes by level alone, the pilots' casemix moving: nothing for it, and something for the plain average."""
    _, panel = children_and_panel()
    cells = panel.cells
    rate = 0.1 + 0.1 * (cells.levels >= 0).sum(axis=1)
    y_sum = np.zeros(panel.rows.shape)
    np.add.at(y_sum, (cells.unit, cells.period), rate * cells.n)
    moved = replace(panel, y_sum=y_sum, y_sumsq=None, cells=replace(cells, y_sum=rate * cells.n, y_sumsq=None))
    assert doubly_robust_effects(moved, weights="child").att == pytest.approx(0.0, abs=1e-10)
    simple = aggregates_frame(moved, inference=QUICK).query("aggregate == 'simple'").set_index("estimator")["att"]
    assert simple["cs_dr"] == pytest.approx(0.0, abs=1e-10)
    assert abs(simple["cs_never"]) > 1e-4


def test_without_categorical_covariates_there_is_none_and_no_row() -> None:
    panel = prepare(some_cells(), a_design(pilots={"201": 3, "202": 4, "203": 4})).panel
    with pytest.raises(NotEstimableError, match="no categorical covariates"):
        doubly_robust_effects(panel, weights="child")
    assert "cs_dr" not in set(aggregates_frame(panel, inference=QUICK)["estimator"])
