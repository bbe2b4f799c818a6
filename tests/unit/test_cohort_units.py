"""Harmonised units: which codes are one authority over a study's window."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sos_spark.cohort.units import Unit, cohort_warnings, study_units
from sos_spark.config.areas import census_years, harmonise
from sos_spark.config.reference import Authority, AuthorityChange, authorities, authority_changes
from sos_spark.errors import StudyError
from tests.builders import a_study

DORSET = "835+836+837+838+839"


def units_of(**changes: Any) -> dict[str, Unit]:
    rows = study_units(a_study(**changes), authorities=authorities(), changes=authority_changes())
    return {row.la_code: row for row in rows}


def pilots(**go_lives: str) -> list[dict[str, str]]:
    return [{"la_code": code.removeprefix("la"), "go_live": go_live} for code, go_live in go_lives.items()]


def test_codes_that_merge_inside_the_window_are_one_unit() -> None:
    units = units_of()
    assert {code: units[code].unit_id for code in DORSET.split("+")} == dict.fromkeys(DORSET.split("+"), DORSET)
    assert (units["837"].first_census_year, units["837"].last_census_year) == (2014, 2019)
    assert (units["839"].first_census_year, units["839"].last_census_year) == (2020, 2020)
    assert units["926"].unit_id == "926"


def test_a_change_outside_the_window_joins_nothing() -> None:
    before = units_of(window__follow_up=["2015-04-01", "2019-04-01"])
    assert before["835"].unit_id == "835"
    assert "838" not in before
    after = units_of(
        window__baseline=["2019-04-01", "2020-04-01"],
        window__follow_up=["2020-04-01", "2021-04-01"],
        pilots=pilots(la926="2020-04-01"),
    )
    assert after["838"].unit_id == "838", "the change takes effect in the window's first census year"
    assert "835" not in after


def test_each_code_valid_in_some_census_year_is_listed() -> None:
    units = units_of()
    years = census_years(a_study().window)
    assert (years[0], years[-1]) == (2014, 2020)
    valid = {code for code, authority in authorities().items() if any(authority.existed_in(y) for y in years)}
    assert set(units) == valid
    assert len({row.unit_id for row in units.values()}) == 150  # 152 authorities, three of them now in one unit


def test_a_unit_is_treated_whichever_of_its_codes_is_named() -> None:
    units = units_of(pilots=pilots(la836="2015-04-01", la839="2015-04-01"))
    assert {row.go_live for row in units.values() if row.unit_id == DORSET} == {date(2015, 4, 1)}
    assert {row.unit_id for row in units.values() if row.is_pilot} == {DORSET}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"pilots": pilots(la999="2015-04-01")}, "pilots: 999"),
        ({"pilots": pilots(la836="2015-04-01", la839="2016-04-01")}, f"one unit over the window ({DORSET})"),
        ({"comparators": {"kind": "listed", "la_codes": ["301", "9"]}}, "comparators.la_codes: 9"),
        ({"comparators": {"exclude": ["8"]}}, "comparators.exclude: 8"),
    ],
)
def test_what_cannot_be_harmonised_is_refused(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(StudyError) as error:
        units_of(**changes)
    assert len(error.value.faults) == 1
    assert fault in error.value.faults[0]


def test_a_pilot_named_by_a_later_code_is_the_unit_that_holds_its_area() -> None:
    study = a_study(pilots=pilots(la940="2015-04-01"))
    rows = study_units(study, authorities=authorities(), changes=authority_changes())
    assert [row.la_code for row in rows if row.is_pilot] == ["928"]
    (warning,) = cohort_warnings(rows, study)
    assert warning.startswith("unit 928 (Northamptonshire) is treated as a whole")
    assert warning.endswith("outside the window; the study names 940")


def test_pilots_named_by_a_later_and_an_earlier_code_of_one_unit_must_share_their_go_live() -> None:
    with pytest.raises(StudyError) as error:
        units_of(pilots=pilots(la928="2015-04-01", la941="2016-04-01"))
    assert "928 and 941 are one unit over the window (928)" in error.value.faults[0]


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(StudyError) as error:
        units_of(pilots=pilots(la999="2015-04-01", la836="2015-04-01", la837="2016-04-01"))
    assert len(error.value.faults) == 2


@pytest.mark.parametrize(("transition", "fate"), [("keep", "untreated"), ("drop", "dropped")])
def test_a_period_cut_by_a_go_live_is_named(transition: str, fate: str) -> None:
    study = a_study(pilots=pilots(la926="2016-02-10", la301="2015-04-01"), window__transition=transition)
    rows = study_units(study, authorities=authorities(), changes=authority_changes())
    (warning,) = cohort_warnings(rows, study)
    assert "quarter 2016 Q1 of unit 926" in warning
    assert fate in warning
    assert warning.endswith("2016-04-01")


def test_a_unit_treated_as_a_whole_is_named() -> None:
    study = a_study(pilots=pilots(la836="2015-04-01"))
    rows = study_units(study, authorities=authorities(), changes=authority_changes())
    (warning,) = cohort_warnings(rows, study)
    assert DORSET in warning
    assert warning.endswith("names 836")


CODES = [str(number) for number in range(6)]


@given(
    edges=st.lists(
        st.builds(AuthorityChange, st.sampled_from(CODES), st.sampled_from(CODES), st.integers(2013, 2018)), max_size=8
    ),
    data=st.data(),
)
def test_units_part_the_codes_whatever_the_order_of_the_changes(
    edges: list[AuthorityChange], data: st.DataObject
) -> None:
    known = {code: Authority(code, code, "", None, None, ()) for code in CODES}
    years = range(2014, 2017)
    units = harmonise(years, authorities=known, changes=edges)
    assert sorted(units) == CODES
    for code, members in units.items():
        assert code in members
        assert all(units[member] == members for member in members)
    for edge in edges:
        if edge.first_census_year in (2015, 2016):
            assert units[edge.from_la_code] == units[edge.to_la_code]
    assert harmonise(years, authorities=known, changes=data.draw(st.permutations(edges))) == units
    inside = {frozenset((e.from_la_code, e.to_la_code)) for e in edges if e.first_census_year in (2015, 2016)}
    joined = sum(len(members) - 1 for members in set(units.values()))
    assert joined <= sum(len(pair) - 1 for pair in inside), "nothing is joined without a change"
