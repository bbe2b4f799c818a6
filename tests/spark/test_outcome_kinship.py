"""Kinship placement: starts of periods of care, and children looked after on 31 March."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.builders import an_episode, returns
from tests.outcome_world import World, assert_index_rows

STARTS = {"kind": "kinship_placement"}
STOCK = {**STARTS, "unit": "stock"}


def moved(child: str, *placements: tuple[str, str], rec: str = "X1", rne: str = "P") -> list[dict[str, Any]]:
    """Episodes that follow one another from the given days on, the last one open."""
    ends = [start for start, _ in placements[1:]]
    return [
        an_episode(
            start,
            placement,
            end=ends[number] if number < len(ends) else None,
            rec=rec if number < len(ends) else None,
            rne="S" if number == 0 else rne,
            child=child,
            year=2020 if number == len(ends) else None,
        )
        for number, (start, placement) in enumerate(placements)
    ]


def test_the_first_placement_that_is_not_temporary(spark: SparkSession) -> None:
    world = World(
        lac_episodes=[
            *moved("kinship", ("2015-05-01", "U1")),
            *moved("kinship later", ("2015-05-01", "U4"), ("2015-06-01", "U1")),
            *moved("looking ahead", ("2015-05-01", "T0"), ("2015-05-03", "T3"), ("2015-06-01", "Q1")),
            *moved("only temporary", ("2015-05-01", "T0"), ("2015-06-01", "T4")),
            *moved("a new period", ("2015-05-01", "T0"), ("2015-06-01", "U1"), rec="E4A", rne="L"),
            *moved("with parents", ("2015-05-01", "P1")),
            an_episode("2015-05-01", None, child="placement not known"),
            an_episode("2015-05-01", "U1", status="V3", child="a short break"),
            an_episode("2015-05-01", "U1", rne="L", child="no start"),
        ]
    )
    expected = [
        ("kinship", "2015-05-01", 1, None),
        ("kinship later", "2015-05-01", 0, None),
        ("looking ahead", "2015-05-01", 1, None),
        ("only temporary", "2015-05-01", None, "placement_unknown"),
        ("a new period", "2015-05-01", None, "placement_unknown"),
        ("with parents", "2015-05-01", 0, None),
        ("placement not known", "2015-05-01", None, "placement_unknown"),
    ]
    assert_index_rows(spark, world, expected, outcome=STARTS)


@pytest.mark.parametrize(
    ("switches", "parents", "home"),
    [
        ({"denominator": "foster"}, "not_in_denominator", "not_in_denominator"),
        ({"count_parents": False}, "not_in_denominator", None),
    ],
    ids=str,
)
def test_the_denominator(spark: SparkSession, switches: dict[str, Any], parents: str, home: str | None) -> None:
    world = World(
        lac_episodes=[
            an_episode(placement="Q2", child="foster"),
            an_episode(placement="U3", child="kin"),
            an_episode(placement="P1", child="parents"),
            an_episode(placement="K2", child="home"),
        ]
    )
    expected = [
        ("foster", "2015-05-01", 0, None),
        ("kin", "2015-05-01", 1, None),
        ("parents", "2015-05-01", None, parents),
        ("home", "2015-05-01", None if home else 0, home),
    ]
    assert_index_rows(spark, world, expected, outcome={**STARTS, **switches})


def test_a_placement_found_beyond_what_was_observed(spark: SparkSession) -> None:
    world = World(
        lac_episodes=[
            *moved("beyond the gap", ("2015-03-01", "T0"), ("2016-04-01", "U1")),
            *moved("after data_ends", ("2017-03-01", "T0"), ("2018-02-01", "U1")),
        ],
        files=returns(2014, 2020, missing=(2016,)),
    )
    expected = [
        ("beyond the gap", "2015-03-01", None, "not_fully_observed"),
        ("after data_ends", "2017-03-01", None, "placement_unknown"),
    ]
    assert_index_rows(spark, world, expected, outcome=STARTS, window__data_ends="2018-01-31")


def test_looked_after_on_31_march(spark: SparkSession) -> None:
    world = World(
        lac_episodes=[
            *moved("on two", ("2015-04-01", "U1"), ("2017-03-31", "U4")),
            an_episode("2014-05-01", "U1", end="2016-03-31", rec="E11", child="left that day"),
            *moved("carried back", ("2015-12-01", "U1"), ("2016-03-30", "T2")),
            an_episode("2016-03-31", "T2", child="only temporary"),
            an_episode("2014-05-01", "U1", status="V4", end="2018-01-01", child="a short break"),
            an_episode("2014-05-01", "U1", year=2015, child="not returned again"),
        ]
    )
    for episode in world.lac_episodes:
        if episode["census_year"] == 2020 or episode["child_id"] == "only temporary":
            episode["census_year"] = 2017
    expected = [
        ("on two", "2016-03-31", 1, None),
        ("on two", "2017-03-31", 0, None),
        ("left that day", "2015-03-31", 1, None),
        ("carried back", "2016-03-31", 1, None),
        ("carried back", "2017-03-31", 1, None),
        ("only temporary", "2016-03-31", None, "placement_unknown"),
        ("only temporary", "2017-03-31", None, "placement_unknown"),
        ("not returned again", "2015-03-31", 1, None),
    ]
    assert_index_rows(spark, world, expected, outcome=STOCK)


def test_age_on_31_march_comes_from_the_month_of_birth(spark: SparkSession) -> None:
    world = World(
        lac_episodes=[
            an_episode("2015-05-01", "U1", year=2016, born="1998-03-01", age=17, child="18 in March"),
            an_episode("2015-05-01", "U1", year=2016, born="1998-04-01", age=17, child="18 in April"),
            an_episode("2015-05-01", "U1", year=2016, born=None, age=17, child="not known"),
        ]
    )
    expected = [
        ("18 in March", "2016-03-31", None, "age_out_of_range"),
        ("18 in April", "2016-03-31", 1, None),
        ("not known", "2016-03-31", None, "age_unknown"),
    ]
    assert_index_rows(spark, world, expected, outcome=STOCK)
