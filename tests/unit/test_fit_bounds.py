"""Bounds of the effect: exact over every value that what is unknown can have been."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sos_spark.analysis.bounds import (
    UNKNOWN_COLUMNS,
    bounds_frame,
    study_bounds,
    unknown_of_flow,
)
from sos_spark.config.study import Comparators, Covariates, Design, Inference
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.estimators import main_estimate
from sos_spark.tables.results import BOUNDS
from tests.fit_panels import a_design, quarter, some_cells
from tests.unit import report_example

FEW = Inference(draws=99, permutations=99)
STAGGERED = {"201": 3, "202": 3, "203": 5, "204": 5}


def unknown(*rows: tuple[Any, ...], outcome_id: str = "o") -> pd.DataFrame:
    """Unknown values: unit, period, n, y_low, y_high."""
    return pd.DataFrame(
        [
            (outcome_id, unit, period, quarter(period), n, low, high, "suppressed")
            for unit, period, n, low, high in rows
        ],
        columns=list(UNKNOWN_COLUMNS),
    )


def without(cells: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    taken = set(zip(places["unit_id"], places["period"], strict=True))
    return cells[[place not in taken for place in zip(cells["unit_id"], cells["period"], strict=True)]]


def att_of(cells: pd.DataFrame, design: Design, *, weights: str = "child") -> float:
    estimate = main_estimate(prepare(cells, design).panel, weights=weights, staggered="imputation")  # type: ignore[arg-type]
    panel = estimate.panel
    return float(np.sum(estimate.influence() * panel.y_sum))


def the_row(cells: pd.DataFrame, places: pd.DataFrame, design: Design | None = None, **others: Any) -> dict[str, Any]:
    frame = bounds_frame(cells, places, design=design or a_design(), inference=others.pop("inference", FEW), **others)
    assert tuple(frame.columns) == BOUNDS.column_names
    (row,) = frame.to_dict("records")
    return {str(name): value for name, value in row.items()}


def test_in_a_two_by_two_one_unknown_count_moves_the_effect_by_its_share_of_the_mean() -> None:
    # (6/10 - 4/10) - (3/10 - x/10), x between 1 and 5: 0.2 - 0.3 + 0.1 to 0.2 - 0.3 + 0.5.
    cells = pd.DataFrame(
        {
            "outcome_id": "o",
            "unit_id": ["201", "201", "202"],
            "period": [0, 1, 1],
            "period_start": [quarter(0), quarter(1), quarter(1)],
            "n": 10,
            "y_sum": [4, 6, 3],
        }
    )
    more = pd.concat([cells, cells.assign(unit_id="203", period=[0, 1, 1])[:2].assign(y_sum=[2, 2])])
    row = the_row(more, unknown(("202", 0, 10, 1, 5)), a_design(pilots={"201": 1}))
    # 203 compares too and stands still: half of the comparison.
    assert row["att_complete_case"] == pytest.approx(0.2)
    assert (row["att_low"], row["att_high"]) == pytest.approx((0.2 - 0.1, 0.2 + 0.1))
    assert (row["n_cells_unknown"], row["n_cells"], row["what"]) == (1, 6, "suppressed")


@pytest.mark.parametrize("weights", ["child", "la_equal"])
@pytest.mark.parametrize("pilots", [None, STAGGERED], ids=["one go-live", "staggered"])
def test_the_estimate_is_the_sum_of_its_weights_times_the_sums(pilots: dict[str, int] | None, weights: str) -> None:
    cells = some_cells().drop(index=[5, 17, 60])
    panel = prepare(cells, a_design(pilots=pilots)).panel
    estimate = main_estimate(panel, weights=weights, staggered="imputation")  # type: ignore[arg-type]
    beta = np.linalg.solve(estimate.moments.weighted_xx.sum(axis=0), estimate.moments.weighted_xy.sum(axis=0))
    w = estimate.influence()
    assert np.sum(w * panel.y_sum) == pytest.approx(beta[estimate.moments.names.index("treated")], rel=1e-9)
    assert (w[panel.rows == 0] == 0).all()


@pytest.mark.parametrize("weights", ["child", "la_equal"])
@pytest.mark.parametrize("pilots", [None, STAGGERED], ids=["one go-live", "staggered"])
def test_the_bounds_are_the_extremes_of_all_corners(pilots: dict[str, int] | None, weights: str) -> None:
    cells, design = some_cells(n_units=8, n_periods=7), a_design(pilots=pilots or {"201": 3, "202": 3, "203": 3})
    places = unknown(("201", 1, 40, 0, 40), ("203", 5, 30, 2, 9), ("206", 4, 50, 10, 50), ("208", 0, 25, 0, 7))
    known = without(cells, places)
    corners = []
    for ends in product(("y_low", "y_high"), repeat=len(places)):
        y_sum = [places[end].iloc[k] for k, end in enumerate(ends)]
        corners.append(att_of(pd.concat([known, places.assign(y_sum=y_sum)]), design, weights=weights))
    row = the_row(known, places, design, inference=FEW.model_copy(update={"weights": weights}))
    assert (row["att_low"], row["att_high"]) == pytest.approx((min(corners), max(corners)), rel=1e-9)
    assert row["ci_low"] < row["att_low"] < row["att_high"] < row["ci_high"]


def test_unknown_rows_stand_beside_the_known_ones_of_their_cell() -> None:
    cells = some_cells()
    row = the_row(cells, unknown(("201", 5, 12, 0, 12)), what="missing")
    ends = []
    for more in (0, 12):
        filled = cells.drop(columns="y_sumsq")
        place = (filled["unit_id"] == "201") & (filled["period"] == 5)
        filled.loc[place, ["n", "y_sum"]] += (12, more)
        ends.append(att_of(filled, a_design()))
    assert (row["att_low"], row["att_high"]) == pytest.approx(sorted(ends), rel=1e-9)
    assert row["n_cells"] == len(cells)


def test_where_nothing_is_unknown_the_bounds_are_the_estimate() -> None:
    row = the_row(some_cells(), unknown())
    assert row["att_low"] == row["att_high"] == pytest.approx(row["att_complete_case"], rel=1e-12)
    assert row["note"] == "nothing is unknown of the units compared"


def test_reasons_of_one_place_add_up_and_empty_ones_say_nothing() -> None:
    one = the_row(some_cells(), unknown(("201", 5, 12, 0, 12)))
    two = the_row(some_cells(), unknown(("201", 5, 5, 0, 5), ("201", 5, 7, 0, 7), ("202", 5, 0, None, None)))
    assert {name: one[name] for name in BOUNDS.column_names} == {name: two[name] for name in BOUNDS.column_names}


def test_a_place_that_nothing_bounds_stays_out_and_is_counted() -> None:
    row = the_row(some_cells(), unknown(("201", 5, 12, 0, 12), ("202", 2, None, None, None), ("203", 2, 4, 1, None)))
    assert row["n_cells_unknown"] == 1
    assert row["note"].startswith("2 units' periods stay out")


def test_lengths_have_no_bounds_and_the_reason_is_said() -> None:
    flow = a_flow(("201", 5, "unit_incomplete", 30))
    row = the_row(some_cells(), unknown_of_flow(flow, outcome_id="o", is_binary=False), what="missing")
    assert np.isnan([row["att_low"], row["att_high"], row["ci_low"], row["ci_high"]]).all()
    assert row["note"] == "1 units' periods have unknown rows, and nothing says between what"
    assert row["att_complete_case"] == pytest.approx(att_of(some_cells(), a_design()))


def test_a_period_in_which_no_row_is_known_is_none_of_the_panel_s() -> None:
    cells = some_cells()
    row = the_row(cells[cells["period"] < 7], unknown(("201", 7, 50, 0, 50)))
    assert row["n_cells_unknown"] == 0
    assert row["n_cells"] == 14 * 7


def test_covariates_are_left_out_and_that_is_said() -> None:
    cells = some_cells().assign(sex=["female", "male"] * 56)
    row = the_row(cells, unknown(("201", 5, 12, 0, 12)), a_design(covariates=Covariates(categorical=("sex",))))
    assert row["att_complete_case"] == pytest.approx(att_of(some_cells(), a_design()))
    assert "covariates left out" in row["note"]


def test_matched_comparators_are_those_of_the_complete_case() -> None:
    cells = some_cells()
    design = a_design(comparators=Comparators(kind="matched", k=1))
    chosen = [unit for unit, arm in prepare(cells, design).arms.items() if arm == "comparator"]
    spare = sorted(set(cells["unit_id"]) - set(chosen) - {"201", "202", "203", "204", "205", "206"})
    row = the_row(cells, unknown((spare[0], 0, 500, 0, 500), ("201", 5, 12, 0, 12)), design)
    assert row["n_cells_unknown"] == 1
    assert row["n_cells"] == (6 + len(chosen)) * 8


def test_a_complete_case_outside_its_bounds_is_said() -> None:
    # Two large comparators fall to nothing after go-live, and just those counts are withheld.
    cells = some_cells()
    places = unknown(*((unit, period, 3000, 0, 1) for unit in ("210", "211") for period in (4, 5, 6, 7)))
    row = the_row(without(cells, places), places)
    assert row["att_complete_case"] < row["att_low"]
    assert "outside the bounds" in row["note"]


def test_what_cannot_be_estimated_is_blank_with_its_reason() -> None:
    row = the_row(some_cells(), unknown(), a_design(pilots={"330": 3}))
    assert np.isnan(row["att_complete_case"])
    assert row["note"] == "The panel has no treated unit"


def a_flow(*rows: tuple[str, int | None, str, int]) -> pd.DataFrame:
    return pd.DataFrame(
        [("s", "o", unit, False, period, None if period is None else quarter(period), reason, n)
         for unit, period, reason, n in rows],
        columns=["study_id", "outcome_id", "unit_id", "is_pilot", "period", "period_start", "reason", "n_rows"],
    )  # fmt: skip


def test_unknown_rows_of_the_flow_are_those_of_the_estimand_without_an_outcome() -> None:
    flow = a_flow(
        ("201", 5, "analysed", 80),
        ("201", 5, "unit_incomplete", 7),
        ("201", 5, "covariate_missing", 2),
        ("201", 5, "age_out_of_range", 9),
        ("201", 5, "not_in_denominator", 9),
        ("201", None, "outside_window", 9),
    )
    found = unknown_of_flow(flow, outcome_id="o", is_binary=True)
    assert tuple(found.columns) == UNKNOWN_COLUMNS
    assert found[["reason", "n", "y_low", "y_high"]].to_numpy().tolist() == [
        ["unit_incomplete", 7, 0, 7],
        ["covariate_missing", 2, 0, 2],
    ]


def test_a_study_s_bounds_have_a_row_an_outcome_and_kind_of_unknown() -> None:
    study, cells = report_example.a_study(), report_example.cells()
    missing = [(name, "304", 10, reason, 20) for name in ("rereferral_nfa_6m", "assessment_duration")
               for reason in ("unit_incomplete", "not_fully_observed")]  # fmt: skip
    flow = pd.DataFrame(
        [(name, unit, period, quarter(period), reason, n) for name, unit, period, reason, n in missing],
        columns=["outcome_id", "unit_id", "period", "period_start", "reason", "n_rows"],
    )
    frame = study_bounds(cells, study, flow=flow).set_index(["outcome_id", "what"])
    assert len(frame) == 2 * cells["outcome_id"].nunique()
    wide, narrow = (frame.loc[("rereferral_nfa_6m", what)] for what in ("missing", "missing_within_follow_up"))
    assert wide["att_low"] < narrow["att_low"] < narrow["att_high"] < wide["att_high"]
    assert str(frame.loc[("assessment_duration", "missing"), "note"]).endswith("nothing says between what")
