"""An initial child protection conference after a referral or a section 47 enquiry."""

from __future__ import annotations

from pyspark.sql import SparkSession

from tests.builders import a_referral, a_section47, an_icpc
from tests.outcome_world import World, assert_index_rows

WORLD = World(
    referrals=[
        a_referral("2015-01-10", child="on the day"),
        a_referral("2015-01-10", child="the day before"),
        a_referral("2015-01-10", child="the last day"),
        a_referral("2015-01-10", child="none"),
        a_referral("2019-12-01", child="on the day"),
    ],
    section47=[
        a_section47("2015-02-10", child="on the day", referred="2015-01-10"),
        a_section47("2015-07-11", child="the last day"),
    ],
    icpcs=[
        an_icpc("2015-01-10", child="on the day"),
        an_icpc("2019-12-01", child="on the day"),
        an_icpc("2015-01-09", child="the day before"),
        an_icpc("2015-07-10", child="the last day"),
    ],
)


def test_of_every_referral_from_its_own_day_on(spark: SparkSession) -> None:
    expected = [
        ("on the day", "2015-01-10", 1, None),
        ("on the day", "2019-12-01", None, "not_fully_observed"),
        ("the day before", "2015-01-10", 0, None),
        ("the last day", "2015-01-10", 1, None),
        ("none", "2015-01-10", 0, None),
    ]
    assert_index_rows(spark, WORLD, expected, outcome={"kind": "icpc"})


def test_of_every_enquiry_whichever_referral_it_was_under(spark: SparkSession) -> None:
    expected = [("on the day", "2015-02-10", 0, None), ("the last day", "2015-07-11", 0, None)]
    assert_index_rows(spark, WORLD, expected, outcome={"kind": "icpc", "index": "section47"})
    five_years = [("on the day", "2015-02-10", 1, None), ("the last day", "2015-07-11", None, "not_fully_observed")]
    outcome = {"kind": "icpc", "index": "section47", "within_months": 59}
    assert_index_rows(spark, WORLD, five_years, outcome=outcome)
