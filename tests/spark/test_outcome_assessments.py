"""Duration of assessments, and whether they were authorised within so many working days."""

from __future__ import annotations

from pyspark.sql import SparkSession

from tests.builders import an_assessment, returns
from tests.outcome_world import World, assert_index_rows

DURATION = {"kind": "assessment_duration"}


def test_working_days_after_the_start_up_to_the_authorisation(spark: SparkSession) -> None:
    world = World(
        assessments=[
            an_assessment("2015-04-02", "2015-04-02", child="same day"),
            an_assessment("2015-04-02", "2015-04-07", child="over Easter"),
            an_assessment("2015-04-11", "2015-04-12", child="a weekend"),
            an_assessment("2015-06-01", "2016-06-01", child="long"),
            an_assessment("2014-03-31", "2014-04-02", child="before 2014/15"),
            an_assessment("2015-06-01", None, child="open"),
        ]
    )
    expected = [
        ("same day", "2015-04-02", 0, None),
        ("over Easter", "2015-04-02", 1, None),
        ("a weekend", "2015-04-11", 0, None),
        ("long", "2015-06-01", 254, None),
        ("before 2014/15", "2014-03-31", None, "before_single_assessment"),
        ("open", "2015-06-01", None, "open_after_window"),
    ]
    assert_index_rows(spark, world, expected, outcome=DURATION)


def test_a_window_cut_short_is_unknown_even_if_completed(spark: SparkSession) -> None:
    # The 90th working day after Thursday 21 November 2019 is 31 March 2020; after the Friday it is 1 April.
    world = World(
        assessments=[
            an_assessment("2019-11-21", "2019-12-20", child="full"),
            an_assessment("2019-11-22", "2019-12-20", child="a day short"),
            an_assessment("2019-11-22", None, child="open"),
        ]
    )
    expected = [
        ("full", "2019-11-21", 21, None),
        ("a day short", "2019-11-22", None, "not_fully_observed"),
        ("open", "2019-11-22", None, "not_fully_observed"),
    ]
    assert_index_rows(spark, world, expected, outcome=DURATION)
    completed = [
        ("full", "2019-11-21", 21, None),
        ("a day short", "2019-11-22", 20, None),
        ("open", "2019-11-22", None, "open_after_window"),
    ]
    assert_index_rows(spark, world, completed, outcome={**DURATION, "follow_up_days": 0})


def test_the_restricted_mean_counts_what_is_longer_or_open_as_the_window(spark: SparkSession) -> None:
    world = World(
        assessments=[
            an_assessment("2015-06-01", "2015-06-03", child="short"),
            an_assessment("2015-06-01", "2016-06-01", child="long"),
            an_assessment("2015-06-01", None, child="open"),
            an_assessment("2020-03-30", "2020-03-31", child="cut short"),
        ]
    )
    expected = [
        ("short", "2015-06-01", 2, None),
        ("long", "2015-06-01", 90, None),
        ("open", "2015-06-01", 90, None),
        ("cut short", "2020-03-30", None, "not_fully_observed"),
    ]
    assert_index_rows(spark, world, expected, outcome={**DURATION, "mean": "restricted"})


def test_calendar_days_count_every_day_of_the_rows_that_working_days_have(spark: SparkSession) -> None:
    # The 90th working day after Thursday 21 November 2019 is Tuesday 31 March 2020.
    world = World(
        assessments=[
            an_assessment("2015-04-02", "2015-04-07"),
            an_assessment("2019-11-21", "2019-11-25", child="b"),
            an_assessment("2019-11-22", "2019-11-25", child="c"),
        ]
    )
    expected = [
        ("a", "2015-04-02", 5, None),
        ("b", "2019-11-21", 4, None),
        ("c", "2019-11-22", None, "not_fully_observed"),
    ]
    assert_index_rows(spark, world, expected, outcome={**DURATION, "days": "calendar"})


def test_what_happens_after_data_ends_has_not_been_seen(spark: SparkSession) -> None:
    world = World(
        assessments=[an_assessment("2019-01-02", "2019-10-02"), an_assessment("2019-01-02", "2019-09-30", child="b")]
    )
    expected = [("a", "2019-01-02", None, "open_after_window"), ("b", "2019-01-02", 188, None)]
    assert_index_rows(spark, world, expected, outcome=DURATION, window__data_ends="2019-09-30")


def test_within_45_is_known_once_the_45th_working_day_was_observed(spark: SparkSession) -> None:
    # The 45th working day after Tuesday 27 January 2015 is Tuesday 31 March.
    world = World(
        assessments=[
            an_assessment("2015-01-27", "2015-03-31", child="on the 45th"),
            an_assessment("2015-01-26", "2015-03-31", child="on the 46th"),
            an_assessment("2015-01-27", None, child="open"),
            an_assessment("2015-01-28", "2015-02-01", child="a day short"),
        ],
        files=returns(2014, 2015),
    )
    expected = [
        ("on the 45th", "2015-01-27", 1, None),
        ("on the 46th", "2015-01-26", 0, None),
        ("open", "2015-01-27", 0, None),
        ("a day short", "2015-01-28", None, "not_fully_observed"),
    ]
    assert_index_rows(spark, world, expected, outcome={"kind": "assessment_within"})
