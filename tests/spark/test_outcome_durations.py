"""Lengths counted by working day: what became of each assessment by the last day that is counted or observed."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from pyspark.sql import SparkSession

from sos_spark.config.variants import variants
from sos_spark.outcome.compute import index_rows
from sos_spark.outcome.durations import day_counts, lengths_in
from sos_spark.tables import OUTCOME_DURATIONS
from tests.builders import a_study, an_assessment, returns
from tests.outcome_world import World, records_of, scope_of

OUTCOMES = [
    {"outcome_id": "days", "kind": "assessment_duration"},
    {"outcome_id": "mean", "kind": "assessment_duration", "mean": "restricted"},
    {"outcome_id": "limit", "kind": "assessment_within"},
]
WORLD = World(
    assessments=[
        an_assessment("2015-04-02", "2015-04-02", child="same day"),
        an_assessment("2015-04-02", "2015-04-07", child="over Easter"),
        an_assessment("2015-06-01", "2016-06-01", child="long"),
        an_assessment("2015-06-01", None, child="open"),
        an_assessment("2015-06-02", None, child="open, too"),
        an_assessment("2014-03-31", "2014-04-02", child="before 2014/15"),
        # The 90th working day after Thursday 21 November 2019 is 31 March 2020; after the Friday it is 1 April.
        an_assessment("2019-11-21", "2019-12-20", child="full"),
        an_assessment("2019-11-22", "2019-12-20", child="concluded, a day short"),
        an_assessment("2019-11-22", None, child="open, a day short"),
    ]
)


def test_each_assessment_counts_on_the_day_it_was_concluded_or_last_seen(spark: SparkSession) -> None:
    study = a_study(outcomes=OUTCOMES)
    lengths = lengths_in(variants(study))
    assert set(lengths) == {"days", "mean"}
    scope, records = scope_of(spark, WORLD, study), records_of(spark, WORLD)
    counted = day_counts(lengths, records, scope)
    assert counted.columns == list(OUTCOME_DURATIONS.column_names)
    rows = counted.collect()
    found = {(r.period_start, r.days, r.is_concluded, r.is_followed): r.n for r in rows if r.outcome_id == "days"}
    spring, autumn = date(2015, 4, 1), date(2019, 10, 1)
    assert found == {
        (spring, 0, True, True): 1,
        (spring, 1, True, True): 1,
        (spring, 90, False, True): 3,
        (autumn, 21, True, True): 1,
        (autumn, 20, True, False): 1,
        (autumn, 89, False, False): 1,
    }
    sums: dict[int, int] = defaultdict(int)
    for row in rows:
        if row.outcome_id == "mean" and row.is_followed:
            sums[row.period] += row.n * row.days
    expected: dict[int, int] = defaultdict(int)
    for index_row in index_rows(lengths["mean"], records, scope, outcome_id="mean").where("y IS NOT NULL").collect():
        expected[index_row.period] += index_row.y
    assert sums == expected


def test_a_year_that_is_missing_ends_what_was_seen(spark: SparkSession) -> None:
    world = World(
        assessments=[an_assessment("2015-03-16", "2015-05-01", child="c")],
        files=[row for row in returns(2013, 2020) if row["census_year"] != 2016],
    )
    study = a_study(outcomes=OUTCOMES[:1])
    (row,) = day_counts(lengths_in(variants(study)), records_of(spark, world), scope_of(spark, world, study)).collect()
    # Eleven working days after Monday 16 March are observed before the year 2015/16, which is not.
    assert (row.days, row.is_concluded, row.is_followed, row.n) == (11, False, False, 1)


def test_what_began_after_the_data_end_was_not_seen(spark: SparkSession) -> None:
    world = World(
        assessments=[
            an_assessment("2020-02-28", None, child="seen for its first day"),
            an_assessment("2020-03-02", None, child="begun later"),
        ]
    )
    study = a_study(outcomes=OUTCOMES[:1], window__data_ends="2020-02-28")
    rows = day_counts(lengths_in(variants(study)), records_of(spark, world), scope_of(spark, world, study)).collect()
    assert [(row.days, row.is_concluded, row.n) for row in rows] == [(0, False, 1)]
