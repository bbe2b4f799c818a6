"""Who is treated, who compares and who is left out; matching on the panel's own past."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sos_spark.config.reference import neighbour_lists
from sos_spark.config.study import Comparators, Design, Pilot
from sos_spark.errors import InputError, StudyError
from sos_spark.fit.cells.arms import first_treated_period
from sos_spark.fit.cells.prepare import prepare
from tests.fit_panels import a_design, quarter, some_cells


def arm(design: Design, name: str, cells: pd.DataFrame | None = None) -> set[str]:
    arms = prepare(some_cells() if cells is None else cells, design).arms
    return {unit for unit, its in arms.items() if its == name}


def test_all_takes_every_unit_without_a_pilot_less_the_excluded() -> None:
    design = a_design(comparators=Comparators(kind="all", exclude=("214", "330")))
    assert arm(design, "comparator") == {str(code) for code in range(207, 214)}
    assert arm(design, "unused") == {"214"}
    assert arm(design, "pilot") == {str(code) for code in range(201, 207)}


def test_listed_takes_those_that_the_panel_has() -> None:
    design = a_design(comparators=Comparators(kind="listed", la_codes=("208", "209", "330", "201")))
    prepared = prepare(some_cells(), design)
    assert {unit for unit, its in prepared.arms.items() if its == "comparator"} == {"208", "209"}
    assert any("330" in warning for warning in prepared.panel.warnings)


def test_neighbours_are_the_union_of_the_first_n_without_pilots_or_excluded() -> None:
    design = a_design(
        pilots={"201": 3, "202": 3},
        comparators=Comparators(kind="neighbours", n=3, exclude=("210",)),
        neighbours={"201": ("202", "207", "208", "209"), "202": ("208", "210", "211", "212")},
    )
    assert arm(design, "comparator") == {"207", "208", "211"}


def test_a_neighbour_stands_for_the_unit_it_merged_into() -> None:
    cells = some_cells().replace({"unit_id": {"207": "207+301+302", "201": "201+303"}})
    design = a_design(
        pilots={"303": 3},
        comparators=Comparators(kind="neighbours", n=10),
        neighbours={"303": ("301", "302", "208", "201")},
    )
    assert arm(design, "comparator", cells) == {"207+301+302", "208"}
    assert arm(design, "pilot", cells) == {"201+303"}


def renamed(**codes: str) -> pd.DataFrame:
    """The panel with other codes for some of its units, `la201="925"`."""
    return some_cells().replace({"unit_id": {old.removeprefix("la"): new for old, new in codes.items()}})


@pytest.mark.parametrize(
    ("near", "unit"),
    [
        ("940", "928"),
        ("838", "835+836+837+838+839"),
        ("836", "835+836+837+838+839"),
        ("942", "909"),
        ("909", "942"),
        ("837", "839"),
    ],
)
def test_a_neighbour_s_code_from_outside_the_window_names_the_unit_that_holds_its_area(near: str, unit: str) -> None:
    cells = renamed(la201="925", la207=unit)
    design = a_design(
        pilots={"925": 3}, comparators=Comparators(kind="neighbours"), neighbours={"925": (near, "208", "209", "210")}
    )
    assert arm(design, "comparator", cells) == {unit, "208", "209", "210"}
    assert prepare(cells, design).panel.warnings == ()


def test_lincolnshire_s_neighbours_of_2013_to_2020_are_ten_with_northamptonshire_for_north_northamptonshire() -> None:
    lists = neighbour_lists()
    units = ["928" if code == "940" else code for code in lists["925"]]
    cells = renamed(la201="925", **{f"la{202 + k}": unit for k, unit in enumerate(units)})
    design = a_design(pilots={"925": 3}, comparators=Comparators(kind="neighbours"), neighbours=lists)
    assert arm(design, "comparator", cells) == set(units)
    assert "928" in units


@pytest.mark.parametrize("code", ["940", "941", "928"])
def test_a_code_excludes_lists_and_treats_the_unit_that_it_names(code: str) -> None:
    cells = renamed(la207="928")
    excluding = a_design(comparators=Comparators(kind="all", exclude=(code,)))
    assert arm(excluding, "unused", cells) == {"928"}
    listing = a_design(comparators=Comparators(kind="listed", la_codes=(code, "208")))
    assert arm(listing, "comparator", cells) == {"928", "208"}
    treating = a_design(pilots={"201": 3, code: 4})
    assert prepare(cells, treating).gtimes == {"201": 3, "928": 4}


def test_a_neighbour_whose_unit_holds_a_pilot_does_not_compare() -> None:
    cells = renamed(la201="925", la202="928")
    design = a_design(
        pilots={"925": 3, "941": 3},
        comparators=Comparators(kind="neighbours"),
        neighbours={"925": ("940", "208", "209"), "941": ("940", "210")},
    )
    assert arm(design, "pilot", cells) == {"925", "928"}
    assert arm(design, "comparator", cells) == {"208", "209", "210"}


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"comparators": Comparators(exclude=("777",))}, "comparators.exclude: 777"),
        ({"comparators": Comparators(kind="listed", la_codes=("208", "777"))}, "comparators.la_codes: 777"),
        ({"pilots": {"201": 3, "777": 3}}, "pilots: 777"),
        (
            {
                "pilots": {"201": 3},
                "comparators": Comparators(kind="neighbours"),
                "neighbours": {"201": ("208", "777")},
            },
            "neighbours of 201: 777",
        ),
    ],
)
def test_a_code_that_names_no_unit_is_a_fault_and_no_warning(changed: dict[str, Any], fault: str) -> None:
    with pytest.raises(StudyError) as error:
        prepare(some_cells(), a_design(**changed))
    assert error.value.faults[0].startswith(fault)


def test_a_pilot_without_known_neighbours_is_an_error() -> None:
    with pytest.raises(StudyError, match="201"):
        prepare(some_cells(), a_design(comparators=Comparators(kind="neighbours"), neighbours={}))


def test_a_code_in_two_units_is_an_error() -> None:
    cells = some_cells().replace({"unit_id": {"207": "207+208"}})
    with pytest.raises(InputError, match="208"):
        prepare(cells, a_design())


def test_pilots_of_one_unit_must_share_their_go_live() -> None:
    cells = some_cells().replace({"unit_id": {"201": "201+202", "202": "298"}})
    assert arm(a_design(pilots={"201": 3, "202": 3}), "pilot", cells) == {"201+202"}
    with pytest.raises(StudyError, match="different go-lives"):
        prepare(cells, a_design(pilots={"201": 3, "202": 4}))


@pytest.mark.parametrize(
    ("go_live", "number"),
    [
        (date(2014, 1, 1), 3),
        (date(2014, 1, 2), 4),
        (date(2013, 4, 1), 0),
        (date(2000, 1, 1), 0),
        (date(2014, 7, 1), 5),
        (date(2016, 1, 1), 11),
    ],
)
def test_gtime_is_the_first_period_that_starts_on_or_after_go_live(go_live: date, number: int) -> None:
    starts = {k: quarter(k) for k in (0, 1, 2, 3, 4, 6, 7)}  # period 5 has no rows, and is a period all the same
    assert first_treated_period(starts, go_live, a_design()) == number


def level_cells(levels: dict[str, float], *, trends: dict[str, float] | None = None) -> pd.DataFrame:
    """Units whose mean is a level plus a trend, in 6 periods of 1,000 rows."""
    slopes = trends or {}
    rows = [
        ("o", unit, t, quarter(t).isoformat(), 1_000, 1_000 * (level + slopes.get(unit, 0.0) * t))
        for unit, level in levels.items()
        for t in range(6)
    ]
    return pd.DataFrame(rows, columns=["outcome_id", "unit_id", "period", "period_start", "n", "y_sum"])


def matched_design(on: tuple[str, ...], *, k: int = 1, pilots: tuple[str, ...] = ("201",)) -> Design:
    comparators = Comparators.model_validate({"kind": "matched", "k": k, "on": on})
    return a_design(comparators=comparators).model_copy(
        update={"pilots": tuple(Pilot(la_code=code, go_live=quarter(3)) for code in pilots)}
    )


def test_matching_on_level_takes_the_nearest_and_ties_the_lower_code() -> None:
    cells = level_cells({"201": 0.50, "211": 0.60, "212": 0.40, "213": 0.90})
    prepared = prepare(cells, matched_design(("level",)))
    assert prepared.matched == {"201": ("211",)}
    assert "regression to the mean" in " ".join(prepared.panel.warnings)
    assert prepare(cells, matched_design(("level",), k=2)).matched == {"201": ("211", "212")}


def test_matching_uses_nothing_from_go_live_on() -> None:
    cells = level_cells({"201": 0.50, "211": 0.60, "212": 0.45, "213": 0.90})
    later = cells.copy()
    later.loc[(later["unit_id"] == "212") & (later["period"] >= 3), "y_sum"] = 5_000
    assert prepare(later, matched_design(("level",))).matched == {"201": ("212",)}


def test_matching_on_trend() -> None:
    cells = level_cells(
        {"201": 0.5, "211": 0.5, "212": 0.9, "213": 0.2}, trends={"201": 0.05, "212": 0.05, "213": -0.02}
    )
    assert prepare(cells, matched_design(("trend",))).matched == {"201": ("212",)}


def test_balance_before_and_after_in_one_unit() -> None:
    cells = level_cells({"201": 0.5, "202": 0.7, "211": 0.6, "212": 0.0, "213": 0.3})
    balance = prepare(cells, matched_design(("level",), pilots=("201", "202"))).balance.set_index("variable")
    spread = np.sqrt((np.var([0.5, 0.7], ddof=1) + np.var([0.6, 0.0, 0.3], ddof=1)) / 2)
    assert balance.loc["level", "smd_before"] == pytest.approx((0.6 - 0.3) / spread)
    assert balance.loc["level", "smd_after"] == pytest.approx(0.0, abs=1e-12)
