"""Measures of silver: events by the year of their day, and children whose person is another child too."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pyspark.sql import SparkSession

from sos_spark.silver.measures import EVENTS, NEEDED, count_events, count_people
from sos_spark.tables import TABLES

Row = dict[str, Any]


def measured(spark: SparkSession, **rows: list[Row]) -> dict[tuple[str, int, str], int]:
    """The measures that are not 0 of silver tables, by LA, year and measure; rows name only what they are about."""
    frames = {}
    for name in NEEDED:
        table = TABLES[f"silver.{name}"]
        given = [tuple(({"la_code": "926"} | row).get(c) for c in table.column_names) for row in rows.get(name, [])]
        frames[name] = spark.createDataFrame(given, table.schema(), verifySchema=False)
    events, people = count_events(frames).collect(), count_people(frames).collect()
    assert {m["measure"] for m in events} <= set(EVENTS)
    assert not {m["measure"] for m in people} & set(EVENTS)
    return {(m["la_code"], m["census_year"], m["measure"]): m["n"] for m in (*events, *people) if m["n"]}


def test_events_count_in_the_year_of_their_day(spark: SparkSession) -> None:
    day, later = date(2016, 3, 31), date(2016, 4, 1)
    found = measured(
        spark,
        referrals=[
            {"referral_date": day, "is_nfa_at_referral": True, "census_year": 2019},
            {"referral_date": later, "is_nfa_at_referral": False, "primary_need": "N0"},
            {"referral_date": later, "is_nfa_at_referral": False, "primary_need": "N1"},
        ],
        assessments=[{"assessment_authorised_date": None}, {"assessment_authorised_date": later}],
        lac_episodes=[
            {"care_episode_start_date": day, "reason_new_episode": "S", "legal_status": status, "placement_code": "U1"}
            for status in ("C2", "V3", None)
        ],
    )
    assert found == {
        ("926", 2016, "referrals"): 1,
        ("926", 2016, "nfa"): 1,
        ("926", 2017, "referrals"): 2,
        ("926", 2017, "no_primary_need"): 1,
        ("926", 2017, "assessments"): 1,
        ("926", 2016, "care_starts"): 1,
        ("926", 2016, "kinship_starts"): 1,
    }


@pytest.mark.parametrize(
    ("other", "measure"),
    [
        ({"la_code": "926", "census_year": 2015}, "cin_children_renamed"),
        ({"la_code": "301", "census_year": 2016}, "cin_children_elsewhere"),
        ({"la_code": "301", "census_year": 2015}, None),
        ({"la_code": "926", "census_year": 2015, "person_key": None}, None),
    ],
    ids=["an earlier id", "another authority that year", "moved", "not known"],
)
def test_a_person_who_is_another_child_too(spark: SparkSession, other: Row, measure: str | None) -> None:
    rows = [{"person_key": "p", "census_year": 2016}, {"person_key": "p"} | other, {"person_key": "q"} | other]
    found = measured(spark, cin_children=[{"child_id": str(i)} | row for i, row in enumerate(rows)])
    kinds = ("cin_children_renamed", "cin_children_elsewhere")
    assert {name: n for (la, year, name), n in found.items() if name in kinds and (la, year) == ("926", 2016)} == (
        {measure: 1} if measure else {}
    )
