"""Placebos on panels small enough to refit every draw by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest

from sos_spark.analysis.placebo import (
    PlaceboPilots,
    cells_ending_by,
    placebo_date,
    placebo_frame,
    placebo_pilots,
    placebo_summary,
)
from sos_spark.config.study import Comparators, Inference, Pilot
from sos_spark.errors import InputError
from sos_spark.fit import fit_did
from sos_spark.fit.errors import NotEstimableError
from sos_spark.tables.results import PLACEBO_PILOTS, PLACEBO_SUMMARY
from tests.fit_panels import QUICK, a_design, quarter, some_cells

OTHERS = [str(code) for code in range(203, 210)]


def two_way_by_hand(cells: pd.DataFrame, pilots: dict[str, int], *, la_equal: bool = False) -> float:
    """The effect by weighted least squares on the cells, with a dummy for every unit and period."""
    n, unit, period = cells["n"].to_numpy(float), cells["unit_id"], cells["period"]
    treated = (period >= unit.map(pilots).fillna(np.inf)).to_numpy(float)
    dummies = pd.concat([pd.get_dummies(unit), pd.get_dummies(period).iloc[:, 1:]], axis=1).to_numpy(float)
    root = np.sqrt(n / cells.groupby("unit_id")["n"].transform("sum").to_numpy(float) if la_equal else n)
    x = np.column_stack([treated, dummies]) * root[:, None]
    return float(np.linalg.lstsq(x, cells["y_sum"].to_numpy(float) / n * root, rcond=None)[0][0])


@pytest.mark.parametrize("weights", ["child", "la_equal"])
def test_every_pair_of_pseudo_pilots_is_refitted(weights: str) -> None:
    cells = some_cells(n_units=9)
    inference = QUICK.model_copy(update={"weights": weights})
    design = a_design(pilots={"201": 3, "202": 3}, comparators=Comparators(kind="listed", la_codes=("203", "204")))

    placebo = placebo_pilots(cells, design, inference=inference, draws=21)

    rest = cells[cells["unit_id"].isin(OTHERS)]
    pairs = [*combinations(OTHERS, 2)]
    by_hand = [two_way_by_hand(rest, dict.fromkeys(pair, 3), la_equal=weights == "la_equal") for pair in pairs]
    fits = [fit_did(rest, design=a_design(pilots=dict.fromkeys(pair, 3)), inference=inference) for pair in pairs]
    real = fit_did(cells, design=a_design(pilots={"201": 3, "202": 3}), inference=inference)
    assert (placebo.n_pilots, placebo.n_candidates, placebo.enumerated) == (2, 7, True)
    assert sorted(placebo.att) == pytest.approx(sorted(by_hand), abs=1e-12)
    assert sorted(placebo.t) == pytest.approx(sorted(fit.att / fit.se_cr1 for fit in fits), rel=1e-9)
    assert placebo.sd == pytest.approx(np.std(by_hand, ddof=1), rel=1e-10)
    assert placebo.real_att == pytest.approx(real.att, rel=1e-10)
    assert placebo.real_t == pytest.approx(real.att / real.se_cr1, rel=1e-10)


def test_draws_are_some_of_all_the_pairs() -> None:
    cells, design = some_cells(n_units=14), a_design(pilots={"201": 3, "202": 3, "203": 3})
    all_of_them = placebo_pilots(cells, design, inference=QUICK, draws=165)
    some, again = (placebo_pilots(cells, design, inference=QUICK, draws=164) for _ in range(2))
    assert (all_of_them.enumerated, some.enumerated) == (True, False)
    assert len(some.att) == 164
    assert np.array_equal(some.att, again.att)
    assert np.isclose(some.att[:, None], all_of_them.att[None], rtol=0, atol=1e-12).any(axis=1).all()
    other_seed = placebo_pilots(cells, design, inference=QUICK.model_copy(update={"seed": 1}), draws=164)
    assert not np.array_equal(some.att, other_seed.att)


def test_staggered_go_lives_are_permuted_over_the_pseudo_pilots() -> None:
    cells = some_cells(n_units=8)
    placebo = placebo_pilots(cells, a_design(pilots={"201": 3, "202": 5}), inference=QUICK, draws=30)
    rest = cells[~cells["unit_id"].isin(["201", "202"])]
    fits = [
        fit_did(rest, design=a_design(pilots={first: 3, second: 5}), inference=QUICK)
        for first, second in permutations([str(code) for code in range(203, 209)], 2)
    ]
    assert sorted(placebo.att) == pytest.approx(sorted(fit.att for fit in fits), rel=1e-9)


def test_who_was_not_seen_on_both_sides_compares_but_is_never_drawn() -> None:
    cells = some_cells(n_units=9).query("unit_id != '209' or period >= 3")
    placebo = placebo_pilots(cells, a_design(pilots={"201": 3, "202": 3}), inference=QUICK, draws=99)
    rest = cells[cells["unit_id"].isin(OTHERS)]
    by_hand = [two_way_by_hand(rest, dict.fromkeys(pair, 3)) for pair in combinations(OTHERS[:-1], 2)]
    assert placebo.n_candidates == 6
    assert sorted(placebo.att) == pytest.approx(sorted(by_hand), abs=1e-12)


def test_a_period_of_one_authority_alone_is_refitted_from_the_panel() -> None:
    alone = some_cells(n_units=9).query("period > 0 or unit_id == '203'")
    placebo = placebo_pilots(alone, a_design(pilots={"201": 3, "202": 3}), inference=QUICK, draws=99)
    rest = alone[alone["unit_id"].isin(OTHERS)]
    by_hand = [two_way_by_hand(rest, dict.fromkeys(pair, 3)) for pair in combinations(OTHERS, 2)]
    assert sorted(placebo.att) == pytest.approx(sorted(by_hand), abs=1e-10)


def test_excluded_authorities_are_no_candidates() -> None:
    design = a_design(pilots={"201": 3, "202": 3}, comparators=Comparators(exclude=("203",)))
    assert placebo_pilots(some_cells(n_units=9), design, inference=QUICK, draws=5).n_candidates == 6


def test_no_more_candidates_than_pilots_is_not_estimable() -> None:
    design = a_design(pilots={str(code): 3 for code in range(201, 206)})
    with pytest.raises(NotEstimableError, match="too few authorities"):
        placebo_pilots(some_cells(n_units=10), design, inference=QUICK, draws=9)


def a_placebo(**changed: object) -> PlaceboPilots:
    given = {"outcome_id": "o", "n_pilots": 2, "n_candidates": 5, "enumerated": False, "real_att": 0.1, "real_t": -1.0}
    draws = {"att": np.array([0.0, 0.2, 0.4, np.nan]), "t": np.array([0.5, 1.0 - 1e-12, -2.0, np.nan])}
    return PlaceboPilots(**(given | draws | changed))  # type: ignore[arg-type]


def test_ties_and_undefined_draws_count_as_beyond() -> None:
    placebo = a_placebo()
    assert placebo.share_beyond == 0.75
    assert placebo.n_undefined == 1
    assert placebo.sd == pytest.approx(0.2)
    assert placebo.percentile(50) == pytest.approx(0.2)
    assert np.isnan(a_placebo(real_t=float("nan")).share_beyond)


def test_frames_number_the_draws_and_sum_them_up() -> None:
    frame = placebo_frame([a_placebo(), a_placebo(outcome_id="p")])
    assert tuple(frame.columns) == PLACEBO_PILOTS.column_names
    assert frame["draw"].tolist() == [1, 2, 3, 4] * 2
    summary = placebo_summary([a_placebo()])
    assert tuple(summary.columns) == PLACEBO_SUMMARY.column_names
    row = summary.iloc[0]
    assert (row["n_draws"], row["n_undefined"], row["att"], row["share_beyond"]) == (4, 1, 0.1, 0.75)
    assert row["p97_5"] == pytest.approx(np.percentile([0.0, 0.2, 0.4], 97.5))
    assert tuple(placebo_frame([]).columns) == PLACEBO_PILOTS.column_names
    assert placebo_summary([]).empty


@pytest.mark.parametrize("as_given", [str, pd.Timestamp, date.fromisoformat])
def test_no_row_from_the_first_real_go_live_on_is_in_a_placebo_date(as_given: Callable[[str], object]) -> None:
    cells = some_cells().assign(period_start=lambda c: c["period_start"].map(as_given))
    design = a_design(pilots={"201": 6, "202": 5})
    early, moved = placebo_date(cells, design, quarter(2))
    assert sorted(early["period"].unique()) == [0, 1, 2, 3, 4]
    assert {pilot.go_live for pilot in moved.pilots} == {quarter(2)}
    assert moved.window == design.window
    fitted = fit_did(early, design=moved, inference=QUICK)
    assert set(fitted.gtimes.values()) == {2}


def test_a_period_that_contains_the_go_live_is_left_out() -> None:
    design = a_design().model_copy(update={"pilots": (Pilot(la_code="201", go_live=date(2014, 8, 31)),)})
    early, _ = placebo_date(some_cells(), design, quarter(2))
    assert early["period_start"].max() == quarter(4).isoformat() == "2014-04-01"


def test_a_start_that_is_no_date_is_left_for_the_reader_to_refuse() -> None:
    cells = some_cells()
    cells.loc[3, "period_start"] = "soon"
    early = cells_ending_by(cells, quarter(2), period="quarter")
    assert "soon" in set(early["period_start"])
    with pytest.raises(InputError, match="period_start is no date"):
        fit_did(early, design=a_design(), inference=Inference())
