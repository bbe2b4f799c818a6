"""Which unit of a window a code names, in both directions of the changes, and codes that name none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sos_spark.cli.main import main
from sos_spark.config.areas import code_faults, names_of_panel, names_of_window, neighbours_of
from sos_spark.config.reference import authorities, authority_changes, neighbour_lists
from tests.builders import a_study

DORSET = "835+836+837+838+839"


def named(code: str, *, first: int, last: int) -> tuple[str, ...]:
    """The units that a code names in a window from one census year to another."""
    spans = {"window__baseline": [f"{first - 1}-04-01", f"{last - 1}-04-01"],
             "window__follow_up": [f"{last - 1}-04-01", f"{last}-04-01"]}  # fmt: skip
    return names_of_window(a_study(**spans).window).units_of(code)


@pytest.mark.parametrize(
    ("code", "first", "last", "units"),
    [
        pytest.param("940", 2014, 2020, ("928",), id="later than the window: what it came from"),
        pytest.param("941", 2014, 2020, ("928",), id="its sister the same"),
        pytest.param("942", 2014, 2020, ("909",), id="Cumberland was Cumbria"),
        pytest.param("838", 2014, 2019, ("835",), id="new Dorset came of old Dorset"),
        pytest.param("839", 2014, 2019, ("835", "836", "837"), id="it came from three"),
        pytest.param("839", 2014, 2020, (DORSET,), id="inside the window: one unit"),
        pytest.param("836", 2014, 2020, (DORSET,), id="whichever of its codes"),
        pytest.param("940", 2014, 2022, ("928+940+941",), id="a split inside the window"),
        pytest.param("909", 2014, 2024, ("909+942+943",), id="Cumbria split inside the window"),
        pytest.param("928", 2022, 2024, ("940", "941"), id="earlier than the window: what came of it"),
        pytest.param("837", 2020, 2024, ("839",), id="Bournemouth's one successor"),
        pytest.param("909", 2024, 2026, ("942", "943"), id="both that came of Cumbria"),
        pytest.param("926", 2014, 2020, ("926",), id="a code that never changed"),
        pytest.param("999", 2014, 2020, (), id="no code"),
    ],
)
def test_a_code_names_the_unit_of_the_window(code: str, first: int, last: int, units: tuple[str, ...]) -> None:
    assert named(code, first=first, last=last) == units


@pytest.mark.parametrize("first", range(2013, 2026))
def test_every_code_that_ever_was_names_a_unit_of_every_window(first: int) -> None:
    for last in range(first + 1, 2027):
        assert all(named(code, first=first, last=last) for code in authorities())


def test_units_of_a_panel_are_named_by_later_and_earlier_codes() -> None:
    names = names_of_panel(["928", DORSET, "942", "X1"])
    assert [names.units_of(code) for code in ("940", "838", "909", "X1", DORSET, "330")] == [
        ("928",), (DORSET,), ("942",), ("X1",), (DORSET,), ()
    ]  # fmt: skip


def test_an_authority_newer_than_the_model_has_its_predecessor_s_neighbours() -> None:
    lists, changes = neighbour_lists(), authority_changes()
    assert neighbours_of("942", lists, n=3, changes=changes) == lists["909"][:3]
    assert neighbours_of("925", lists, n=10, changes=changes) == lists["925"]
    assert neighbours_of("999", lists, n=10, changes=changes) == ()


def pilots(*codes: str) -> list[dict[str, str]]:
    return [{"la_code": code, "go_live": "2015-04-01"} for code in codes]


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("pilots", {"pilots": pilots("926", "999")}),
        ("comparators.la_codes", {"comparators": {"kind": "listed", "la_codes": ["999"]}}),
        ("comparators.exclude", {"comparators": {"exclude": ["999"]}}),
        (
            "practice_models",
            {"practice_models": [{"la_code": "999", "model": "m", "from": "2014-04-01", "intensity": 1}]},
        ),
        ("ratings", {"ratings": [{"la_code": "999", "ofsted_before": "good"}]}),
    ],
)
def test_a_code_that_names_nothing_is_a_fault_under_its_key(key: str, changes: dict[str, Any]) -> None:
    study = a_study(**changes)
    (fault,) = code_faults(study, known=[names_of_window(study.window)])
    assert fault.startswith(f"{key}: 999 ")
    assert code_faults(study, known=[names_of_window(study.window), names_of_panel(["999"])]) == []


def test_a_neighbour_that_names_nothing_is_a_fault() -> None:
    design = a_study(comparators={"kind": "neighbours"}).design("o")
    design = design.model_copy(update={"neighbours": {"926": ("925", "998")}})
    assert [fault.split(" is ")[0] for fault in code_faults(design, known=[names_of_window(design.window)])] == [
        "neighbours of 926: 998"
    ]


def test_a_pilot_without_a_list_of_neighbours_is_a_fault() -> None:
    study = a_study(pilots=pilots("X1"), comparators={"kind": "neighbours"})
    faults = code_faults(study, known=[names_of_panel(["X1"])])
    assert len(faults) == 1
    assert faults[0].startswith("pilots: X1 has no list of statistical neighbours")


def test_study_check_tells_every_code_that_names_nothing_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "study.toml"
    file.write_text(
        """
schema_version = 1
study_id = "s"
title = "t"
[window]
baseline = ["2014-04-01", "2015-04-01"]
follow_up = ["2015-04-01", "2016-04-01"]
data_ends = "2016-03-31"
[[pilots]]
la_code = "991"
go_live = 2015-04-01
[comparators]
kind = "listed"
la_codes = ["940", "992"]
exclude = ["993"]
[[practice_models]]
la_code = "994"
model = "m"
from = 2014-04-01
intensity = 0.5
[[ratings]]
la_code = "995"
ofsted_before = "good"
[[outcomes]]
outcome_id = "y"
kind = "icpc"
"""
    )
    assert main(["study", "check", str(file)]) == 2
    told = capsys.readouterr().err
    assert [code for code in ("991", "992", "993", "994", "995", "940") if f": {code} is no local" in told] == [
        "991", "992", "993", "994", "995"
    ]  # fmt: skip


def test_a_plan_with_a_code_that_names_nothing_is_not_frozen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "study.toml"
    assert main(["study", "new", str(file)]) == 0
    file.write_text(file.read_text(encoding="utf-8").replace('la_code = "926"', 'la_code = "999"', 1))
    assert main(["study", "freeze", str(file)]) == 2
    assert "pilots: 999" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]
