"""Rules that look at a child's other rows, on whole returns: what DfE's rule of the number says, row by row."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sos_spark.silver.classify import classify_all
from sos_spark.silver.pseudonyms import key_frame
from sos_spark.silver.rule_book import all_rules
from sos_spark.steps.validate import load_rule_data
from tests.silver_rows import (
    Row,
    a_child,
    a_header_row,
    a_plan,
    a_referral,
    all_bronze,
    an_assessment,
    an_enquiry,
    an_episode,
)

PLACE = {"PLACE": "U4", "PLACE_PROVIDER": "PR1", "URN": "SC1"}


def told(spark: SparkSession, rows: dict[str, list[Row]], entity: str, dfe: str) -> list[int]:
    """The record positions of the rows of an entity that break any rule of DfE's number."""
    reference = load_rule_data()
    numbered = {
        module: [row | {"record_position": position} for position, row in enumerate(of_module, start=1)]
        for module, of_module in rows.items()
    }
    classified = classify_all(all_bronze(spark, numbered), key_frame(spark, b"k" * 32), reference).by_entity[entity]
    codes = [rule.code for rule in all_rules(reference)[entity] if rule.dfe == dfe]
    found = F.split(F.concat_ws(" ", "errors", "warnings"), " ")
    broken = classified.where(F.arrays_overlap(found, F.array(*map(F.lit, codes))))
    return sorted(row.record_position for row in broken.select("record_position").collect())


def told_of_episodes(spark: SparkSession, dfe: str, *episodes: Row) -> list[int]:
    children = sorted({episode["CHILD"] for episode in episodes})
    return told(
        spark,
        {"lac_header": [a_header_row(child) for child in children], "lac_episodes": list(episodes)},
        "lac_episodes",
        dfe,
    )


def test_562_tells_of_a_child_who_is_in_no_row_of_last_years_return(spark: SparkSession) -> None:
    assert told_of_episodes(
        spark,
        "562",
        an_episode("there", "01/09/2014", census_year=2015),
        an_episode("there", "01/09/2014"),
        an_episode("new", "01/09/2014"),
        an_episode("new", "01/09/2015", RNE="P"),
    ) == [3]


def test_562_says_nothing_where_the_authority_has_no_return_of_last_year(spark: SparkSession) -> None:
    elsewhere = an_episode("there", "01/09/2014", census_year=2015, la_code="301")
    assert told_of_episodes(spark, "562", elsewhere, an_episode("new", "01/09/2014")) == []


def test_433_tells_where_the_episode_before_has_no_readable_end(spark: SparkSession) -> None:
    assert told_of_episodes(
        spark,
        "433",
        an_episode("never ended", "01/05/2015"),
        an_episode("never ended", "01/09/2015", RNE="P"),
        an_episode("unreadable", "01/05/2015", DEC="31/02/2015", REC="X1"),
        an_episode("unreadable", "01/09/2015", RNE="P"),
        an_episode("sound", "01/05/2015", DEC="01/09/2015", REC="X1"),
        an_episode("sound", "01/09/2015", RNE="P"),
    ) == [2, 4]


def test_502_does_not_take_an_episode_with_an_unreadable_end_for_an_open_one(spark: SparkSession) -> None:
    assert told_of_episodes(
        spark,
        "502",
        an_episode("open", "01/09/2014", census_year=2015),
        an_episode("open", "01/09/2015"),
        an_episode("unreadable", "01/09/2014", DEC="31/02/2015", REC="E8", census_year=2015),
        an_episode("unreadable", "01/09/2015"),
    ) == [2]


def test_502_sees_an_open_episode_that_is_not_the_last(spark: SparkSession) -> None:
    assert told_of_episodes(
        spark,
        "502",
        an_episode("c", "01/05/2014", census_year=2015),
        an_episode("c", "01/09/2014", RNE="P", census_year=2015),
        an_episode("c", "01/09/2014", RNE="P"),
    ) == [3]


def test_431_tells_of_care_that_starts_before_the_episode_before_has_ended(spark: SparkSession) -> None:
    assert told_of_episodes(
        spark,
        "431",
        an_episode("c", "01/05/2015", DEC="01/10/2015", REC="E8"),
        an_episode("c", "01/09/2015"),
    ) == [2]


def test_142_tells_of_an_end_without_a_reason_before_another_episode(spark: SparkSession) -> None:
    assert told_of_episodes(
        spark,
        "142",
        an_episode("c", "01/05/2015", DEC="01/09/2015"),
        an_episode("c", "01/09/2015", RNE="P", DEC="01/10/2015"),
    ) == [1]


def test_354_is_a_start_after_the_return_and_not_an_end(spark: SparkSession) -> None:
    ends_later = an_episode("ends", "01/05/2015", DEC="01/05/2016", REC="E8")
    assert told_of_episodes(spark, "354", ends_later, an_episode("starts", "01/04/2016")) == [2]


@pytest.mark.parametrize("place", ["T0", "T4", "Z1"])
def test_178_tells_of_a_provider_where_there_is_none(spark: SparkSession, place: str) -> None:
    assert told_of_episodes(
        spark,
        "178",
        an_episode("with", PLACE=place),
        an_episode("without", PLACE=place, PLACE_PROVIDER=None),
        an_episode("foster", PLACE="U4"),
    ) == [1]


@pytest.mark.parametrize(
    ("reason", "dfe", "change", "is_told"),
    [
        ("P", "435", {"URN": "SC2"}, False),
        ("P", "435", {"PLACE_PROVIDER": "PR4"}, False),
        ("P", "435", {}, True),
        ("P", "435", {"URN": "SC2", "LS": "V2"}, True),
        ("B", "436", {"URN": "SC2", "LS": "V2"}, False),
        ("B", "436", {"LS": "V2"}, True),
        ("B", "436", {"URN": "SC2"}, True),
        ("L", "434", {"LS": "V2"}, False),
        ("L", "434", {"LS": "V2", "URN": "SC2"}, True),
        ("L", "434", {"LS": "V2", "PLACE_PROVIDER": "PR4"}, True),
    ],
)
def test_434_to_436_look_at_provider_and_urn(
    spark: SparkSession, reason: str, dfe: str, change: Row, is_told: bool
) -> None:
    before = an_episode("c", "01/05/2015", DEC="01/09/2015", REC="X1", **PLACE)
    after = an_episode("c", "01/09/2015", RNE=reason, **(PLACE | change))
    assert told_of_episodes(spark, dfe, before, after) == [2] * is_told


def test_435_says_nothing_of_a_placement_that_is_not_known(spark: SparkSession) -> None:
    before = an_episode("c", "01/05/2015", DEC="01/09/2015", REC="X1")
    assert told_of_episodes(spark, "435", before, an_episode("c", "01/09/2015", RNE="P")) == []


def test_2884_is_about_one_date_at_both_levels(spark: SparkSession) -> None:
    rows = {
        "child_identifiers": [a_child("same"), a_child("other day"), a_child("other referral")],
        "cin_details": [
            a_referral("same", DateOfInitialCPC="2015-05-20"),
            a_referral("other day", DateOfInitialCPC="2015-05-21"),
            a_referral("other referral"),
            a_referral("other referral", "2015-03-01", DateOfInitialCPC="2015-05-20"),
        ],
        "section47": [an_enquiry("same"), an_enquiry("other day"), an_enquiry("other referral")],
    }
    assert told(spark, rows, "section47_enquiries", "2884") == [1, 3]


def test_8940_tells_of_both_plans_that_overlap(spark: SparkSession) -> None:
    rows = {
        "child_identifiers": [a_child()],
        "cin_details": [a_referral()],
        "cp_plans": [
            a_plan(start="2015-05-02", CPPendDate="2015-05-10"),
            a_plan(start="2015-06-01", CPPendDate="2015-08-01"),
            a_plan(start="2015-08-01"),
        ],
    }
    assert told(spark, rows, "cp_plans", "8940") == [2, 3]


def test_8820_and_8863q_tell_of_both_that_overlap(spark: SparkSession) -> None:
    rows = {
        "child_identifiers": [a_child()],
        "cin_details": [a_referral(CINclosureDate="2015-08-01"), a_referral(day="2015-07-31")],
        "assessments": [an_assessment(), an_assessment(start="2015-06-02", AssessmentAuthorisationDate="2015-06-20")],
    }
    assert told(spark, rows, "referrals", "8820") == [1, 2]
    assert told(spark, rows, "assessments", "8863Q") == [1, 2]


@pytest.mark.parametrize("day", [None, "2015-02-31", "2016-04-01"])
def test_8600_is_a_referral_date_that_is_missing_or_after_the_return(spark: SparkSession, day: str | None) -> None:
    rows = {"child_identifiers": [a_child()], "cin_details": [a_referral(day=day)]}
    assert told(spark, rows, "referrals", "8600") == [1]
