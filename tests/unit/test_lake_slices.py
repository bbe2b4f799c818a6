"""Slices as SQL: what a replace replaces, and that no text in it is read as SQL."""

from __future__ import annotations

from datetime import date

import pytest

from sos_spark.lake.faults import SchemaMismatchError
from sos_spark.lake.slices import predicate
from sos_spark.tables import Column, Table

THINGS = Table(
    "silver.things",
    "a thing",
    (Column("la_code", "STRING"), Column("census_year", "INT"), Column("seen_on", "DATE"), Column("is_new", "BOOLEAN")),
)


def test_many_la_years_become_one_list_a_year() -> None:
    slices = [{"la_code": la, "census_year": year} for year in (2014, 2015) for la in ("926", "330", "211")]
    assert predicate(THINGS, slices) == (
        "(`census_year` = 2014 AND `la_code` IN ('926', '330', '211'))"
        " OR (`census_year` = 2015 AND `la_code` IN ('926', '330', '211'))"
    )


def test_no_slices_are_no_rows() -> None:
    assert predicate(THINGS, []) == "false"


def test_null_is_a_value_of_its_own() -> None:
    assert predicate(THINGS, [{"la_code": None}]) == "(`la_code` IS NULL)"
    assert predicate(THINGS, [{"la_code": None}, {"la_code": "926"}]) == "((`la_code` IS NULL OR `la_code` = '926'))"


def test_literals_of_every_kind() -> None:
    assert predicate(THINGS, [{"seen_on": date(2015, 4, 1), "is_new": True}]) in (
        "(`is_new` = true AND `seen_on` = DATE'2015-04-01')",
        "(`seen_on` = DATE'2015-04-01' AND `is_new` = true)",
    )


def test_quotes_and_backslashes_stay_text() -> None:
    assert predicate(THINGS, [{"la_code": "x' OR '1'='1\\"}]) == r"(`la_code` = 'x\' OR \'1\'=\'1\\')"


@pytest.mark.parametrize("slices", [[{"nowhere": 1}], [{"la_code": "926"}, {"census_year": 2015}], [{}]])
def test_slices_must_name_the_same_columns_of_the_table(slices: list[dict[str, object]]) -> None:
    with pytest.raises(SchemaMismatchError):
        predicate(THINGS, slices)


def test_what_has_no_literal_is_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        predicate(THINGS, [{"census_year": 2015.5}])
