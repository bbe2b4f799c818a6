"""Which authorities are simulated, and under which codes."""

from __future__ import annotations

import numpy as np
import pytest

from sos_spark.config.reference import authorities, authority_changes
from sos_spark.errors import StudyError
from sos_spark.simulate import Effects
from sos_spark.simulate.areas import Unit, absences_of, units_of

YEARS = range(2013, 2021)


def some_effects(*codes: str) -> Effects:
    entry = {"outcome_id": "icpc", "la_codes": codes, "from": "2015-04-01", "size": 0.01}
    return Effects.model_validate({"effects": [entry] if codes else []})


def units(*codes: str, n: int | None = None, seed: int = 1, years: range = YEARS) -> tuple[Unit, ...]:
    return units_of(
        authorities(), authority_changes(), some_effects(*codes), census_years=years, n_authorities=n, seed=seed
    )


def test_england_has_152_authorities_to_2019_and_151_in_2020() -> None:
    areas = [area for unit in units() for area in unit.areas]
    assert len(areas) == 152
    draws = np.linspace(0.001, 0.999, 50)
    in_year = {
        year: {area.codes[at] for area in areas for at in area.code_at(draws, np.full(50, year))} for year in YEARS
    }
    assert {year: len(codes) for year, codes in in_year.items()} == {**dict.fromkeys(range(2013, 2020), 152), 2020: 151}
    assert {"838", "839"} <= in_year[2020]
    assert not {"835", "836", "837"} & in_year[2020]


def test_authorities_that_merge_are_one_unit_and_come_together_or_not_at_all() -> None:
    merged = [unit for unit in units() if len(unit.areas) > 1]
    assert [[area.code for area in unit.areas] for unit in merged] == [["835", "836", "837"]]
    assert merged[0].codes == ("835", "836", "837", "838", "839")
    chosen = {area.code for unit in units("839", n=5) for area in unit.areas}
    assert {"835", "836", "837"} < chosen
    assert len(chosen) == 5


def test_an_authority_is_so_many_times_as_large_and_the_others_as_they_were() -> None:
    larger = Effects.model_validate({"sizes": [{"la_codes": ["926", "839"], "times": 6}]})
    found = units_of(authorities(), authority_changes(), larger, census_years=YEARS, n_authorities=None, seed=1)
    shares = {area.code: area.levels.share_of_england for unit in units() for area in unit.areas}
    times = {area.code: area.levels.share_of_england / shares[area.code] for unit in found for area in unit.areas}
    assert times == dict.fromkeys(times, 1.0) | dict.fromkeys(("926", "835", "836", "837"), 6.0)


def test_a_subset_holds_the_authorities_of_the_effects_and_depends_on_the_seed_alone() -> None:
    chosen = {seed: {unit.codes for unit in units("926", "304", n=10, seed=seed)} for seed in (1, 2)}
    assert all({("926",), ("304",)} < picked and len(picked) == 10 for picked in chosen.values())
    assert chosen[1] != chosen[2]
    assert chosen[1] == {unit.codes for unit in units("926", "304", n=10, seed=1)}


def test_a_subset_changes_nothing_in_the_authorities_it_keeps() -> None:
    everywhere = {unit.codes: unit for unit in units("926")}
    assert all(everywhere[unit.codes] == unit for unit in units("926", n=6))


def test_too_few_authorities_and_unknown_ones_are_refused() -> None:
    with pytest.raises(StudyError, match="at least 2"):
        units("926", "304", n=1)
    with pytest.raises(StudyError, match="Found: 999"):
        units("999")
    with pytest.raises(StudyError, match="Found: 838"):
        units("838", years=range(2013, 2019))


def test_no_return_of_an_authority_with_an_effect_is_missing_unless_the_file_says_so() -> None:
    effects = Effects.model_validate(
        {
            "effects": [{"outcome_id": "icpc", "la_codes": ["926", "304"], "from": "2015-04-01", "size": 0.01}],
            "missing_returns": [{"la_codes": ["926"], "census_years": [2013]}],
        }
    )
    for seed in range(20):
        missing = absences_of(units("926", "304"), effects, census_years=YEARS, seed=seed).returns
        assert {entry for entry in missing if entry[0] in ("926", "304")} == {
            ("926", 2013, "cin"),
            ("926", 2013, "ssda903"),
        }
        assert 2 < len(missing) < 40
