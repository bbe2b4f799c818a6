"""What all outcomes share: windows, periods, ages, and the first reason that holds."""

from __future__ import annotations

from datetime import date

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sos_spark.outcome.compute import index_rows
from sos_spark.outcome.rows import Verdict, age_band, judge
from sos_spark.tables import OUTCOME_INDEX_ROWS
from tests.builders import a_referral, a_study, returns
from tests.outcome_world import World, all_index_rows, assert_index_rows, records_of, scope_of

NFA = {"kind": "rereferral_nfa"}
GAP = {
    "window__baseline": ["2014-04-01", "2015-04-01"],
    "window__follow_up": ["2016-04-01", "2019-04-01"],
    "window__period": "month",
}


def test_rows_outside_the_windows_have_their_reason_and_no_period(spark: SparkSession) -> None:
    days = [
        "2014-03-31",
        "2014-04-01",
        "2015-03-31",
        "2015-04-01",
        "2016-03-31",
        "2016-04-01",
        "2019-03-31",
        "2019-04-01",
    ]
    world = World(referrals=[a_referral(day, nfa=True, child=day) for day in days])
    rows = all_index_rows(spark, world, a_study(**GAP)).orderBy("index_date").collect()
    outside, between = "outside_window", "between_windows"
    assert [row.reason for row in rows] == [outside, None, None, between, between, None, None, outside]
    assert [row.period for row in rows] == [None, 0, 11, None, None, 24, 59, None]
    assert [row.period_start for row in rows][5:7] == [date(2016, 4, 1), date(2019, 3, 1)]


def test_the_first_reason_in_order_of_precedence_is_given(spark: SparkSession) -> None:
    world = World(
        referrals=[
            a_referral("2012-05-01", nfa=True, age=None, child="window first"),
            a_referral("2013-05-01", nfa=True, age=None, child="then age"),
            a_referral("2013-05-01", nfa=True, age=18, child="too old"),
            a_referral("2013-05-01", nfa=True, child="then the return"),
            a_referral("2019-12-01", nfa=True, la="301", child="then the unit"),
            a_referral("2019-12-01", nfa=True, child="last of all"),
        ],
        files=[*returns(2015, 2020), *returns(2015, 2019, la="301")],
    )
    expected = [
        ("window first", "2012-05-01", None, "outside_window"),
        ("then age", "2013-05-01", None, "age_unknown"),
        ("too old", "2013-05-01", None, "age_out_of_range"),
        ("then the return", "2013-05-01", None, "before_first_return"),
        ("then the unit", "2019-12-01", None, "unit_incomplete"),
        ("last of all", "2019-12-01", None, "not_fully_observed"),
    ]
    assert_index_rows(spark, world, expected, outcome=NFA)


def test_the_unborn_count_as_0_and_the_age_is_that_of_the_decision(spark: SparkSession) -> None:
    world = World(
        referrals=[
            a_referral("2015-05-01", nfa=True, age=-1),
            a_referral("2015-05-01", closed="2015-07-01", because="RC8", age=17, age_at_closure=18, child="b"),
        ]
    )
    rows = {row.child_id: row for row in all_index_rows(spark, world, a_study()).collect()}
    assert (rows["a"].age_years, rows["a"].age_band, rows["a"].reason) == (0, "0", None)
    assert (rows["b"].age_years, rows["b"].age_band, rows["b"].reason) == (18, "18+", "age_out_of_range")


@pytest.mark.parametrize(("transition", "reason"), [("keep", None), ("drop", "transition_dropped")])
def test_only_the_period_with_a_go_live_inside_it_is_dropped(
    spark: SparkSession, transition: str, reason: str | None
) -> None:
    world = World(
        referrals=[
            a_referral("2016-01-01", nfa=True, child="cut"),
            a_referral("2016-04-01", nfa=True, child="after"),
            a_referral("2016-01-01", nfa=True, child="of a comparator", la="302"),
            a_referral("2016-01-01", nfa=True, child="starts with it", la="301"),
        ],
        files=[*returns(2013, 2020), *returns(2013, 2020, la="301"), *returns(2013, 2020, la="302")],
    )
    expected = [
        ("cut", "2016-01-01", None if reason else 0, reason),
        ("after", "2016-04-01", 0, None),
        ("of a comparator", "2016-01-01", 0, None),
        ("starts with it", "2016-01-01", 0, None),
    ]
    pilots = [{"la_code": "926", "go_live": "2016-02-10"}, {"la_code": "301", "go_live": "2016-01-01"}]
    assert_index_rows(spark, world, expected, outcome=NFA, pilots=pilots, window__transition=transition)


def test_bands_hold_every_age(spark: SparkSession) -> None:
    ages = spark.createDataFrame([(age,) for age in [*range(20), None]], "age INT")
    bands = [row[0] for row in ages.select(age_band(F.col("age"))).collect()]
    assert bands == ["0", *["1-4"] * 4, *["5-9"] * 5, *["10-15"] * 6, *["16-17"] * 2, *["18+"] * 2, None]


def test_the_columns_are_the_tables_and_a_reason_needs_a_place(spark: SparkSession) -> None:
    world, study = World(referrals=[a_referral(nfa=True)]), a_study()
    scope, records = scope_of(spark, world, study), records_of(spark, world)
    rows = index_rows(study.outcomes[0], records, scope, outcome_id="another name")
    assert [(f.name, f.dataType) for f in rows.schema] == [(f.name, f.dataType) for f in OUTCOME_INDEX_ROWS.schema()]
    assert rows.select("outcome_id").first() == ("another name",)
    with pytest.raises(ValueError, match="precedence: whim"):
        judge(rows, {"o": Verdict(F.lit(1), {"whim": F.lit(True)}, F.col("index_date"))}, scope)
    published = a_study(outcomes=[{"outcome_id": "p", "kind": "published", "measure": "nfa_share"}]).outcomes[0]
    with pytest.raises(ValueError, match="published is not computed"):
        index_rows(published, records, scope, outcome_id="p")
