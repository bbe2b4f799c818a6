"""Reference data: the authorities of each year, their changes, neighbours, bank holidays."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from sos_spark.config.reference import authorities, authority_changes, bank_holidays, code_set, neighbour_lists


def test_there_are_as_many_authorities_a_year_as_the_country_had() -> None:
    count = {
        year: sum(authority.existed_in(year) for authority in authorities().values())
        for year in (2013, 2019, 2020, 2022, 2024)
    }
    assert count == {2013: 152, 2019: 152, 2020: 151, 2022: 152, 2024: 153}


@pytest.mark.reference
def test_authorities_are_those_of_the_published_tables(reference_data: Path) -> None:
    with (reference_data / "la_reference" / "la_by_year_2013_2024_from_c1.csv").open(encoding="utf-8-sig") as handle:
        published = Counter((row["old_la_code"], int(row["census_year"])) for row in csv.DictReader(handle))
    ours = Counter(
        (code, year)
        for code, authority in authorities().items()
        for year in range(2013, 2025)
        if authority.existed_in(year)
    )
    assert ours == published


def test_every_change_joins_codes_that_meet_without_a_gap() -> None:
    for change in authority_changes():
        assert authorities()[change.from_la_code].last_census_year == change.first_census_year - 1
        assert authorities()[change.to_la_code].first_census_year == change.first_census_year


def test_each_authority_has_ten_neighbours_and_not_itself() -> None:
    for code, neighbours in neighbour_lists().items():
        assert len(set(neighbours)) == 10
        assert code not in neighbours
        assert set(neighbours) <= set(authorities())


@pytest.mark.parametrize(
    "day",
    [date(2015, 12, 28), date(2012, 6, 5), date(2020, 5, 8), date(2022, 9, 19), date(2023, 5, 8), date(2016, 3, 25)],
)
def test_moved_and_extra_bank_holidays_are_there(day: date) -> None:
    assert day in bank_holidays()


def test_ordinary_days_are_no_bank_holidays() -> None:
    assert date(2020, 5, 4) not in bank_holidays()
    assert all(day.weekday() < 5 for day in bank_holidays())


def test_code_sets_know_their_years() -> None:
    spans = {span.code: span for span in code_set("cin", "ReasonForClosure")}
    assert spans["RC9"].first_census_year == 2023
    assert code_set("cin", "NoSuchField") == ()
