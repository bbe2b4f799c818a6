"""Re-referral after no further action, and its escalation."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from tests.builders import a_link, a_plan, a_referral, an_episode, returns
from tests.outcome_world import World, assert_index_rows

NFA = {"kind": "rereferral_nfa"}
ESCALATED = {"kind": "rereferral_escalated"}


def test_a_later_referral_within_six_months_the_last_day_included(spark: SparkSession) -> None:
    world = World(
        referrals=[
            a_referral("2014-08-31", nfa=True, child="on the last day"),
            a_referral("2015-02-28", child="on the last day"),
            a_referral("2014-08-31", nfa=True, child="too late"),
            a_referral("2015-03-01", child="too late"),
            a_referral("2015-08-31", nfa=True, child="a leap year"),
            a_referral("2016-02-29", child="a leap year"),
            a_referral("2014-08-31", nfa=True, child="of another authority"),
            a_referral("2014-09-30", child="of another authority", la="301"),
        ]
    )
    expected = [
        ("on the last day", "2014-08-31", 1, None),
        ("too late", "2014-08-31", 0, None),
        ("a leap year", "2015-08-31", 1, None),
        ("of another authority", "2014-08-31", 0, None),
    ]
    assert_index_rows(spark, world, expected, outcome=NFA)


def test_after_an_assessment_the_months_begin_with_the_closure(spark: SparkSession) -> None:
    world = World(
        referrals=[
            a_referral("2015-01-10", closed="2015-03-20", because="RC8", child="while open"),
            a_referral("2015-02-10", child="while open"),
            a_referral("2015-01-10", closed="2015-03-20", because="RC8", child="the same day"),
            a_referral("2015-03-20", child="the same day"),
            a_referral("2015-03-20", nfa=True, closed="2015-05-20", because="RC8", child="at referral"),
            a_referral("2015-09-25", child="at referral"),
            a_referral("2015-01-10", closed="2015-03-20", because="RC1", child="another reason"),
            a_referral("2015-01-10", closed="2015-03-20", because="RC9", child="too soon for RC9"),
            a_referral("2015-01-10", closed="2015-03-20", because="RC9", year=2023, child="RC9"),
        ]
    )
    expected = [
        ("while open", "2015-03-20", 0, None),
        ("the same day", "2015-03-20", 1, None),
        ("at referral", "2015-03-20", 0, None),
        ("RC9", "2015-03-20", 0, None),
    ]
    assert_index_rows(spark, world, expected, outcome=NFA)


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({"nfa": "at_referral"}, [("a", "2015-01-10", 0, None)]),
        ({"nfa": "after_assessment"}, [("b", "2015-03-20", 1, None)]),
        ({"within_months": 5}, [("a", "2015-01-10", 0, None), ("b", "2015-03-20", 0, None)]),
        ({"from": "referral"}, [("a", "2015-01-10", 0, None), ("b", "2015-03-20", 0, None)]),
        ({"from": "referral", "within_months": 9}, [("a", "2015-01-10", 0, None), ("b", "2015-03-20", 1, None)]),
    ],
    ids=str,
)
def test_each_switch(spark: SparkSession, switches: dict[str, object], expected: list[object]) -> None:
    world = World(
        referrals=[
            a_referral("2015-01-10", nfa=True),
            a_referral("2015-01-10", closed="2015-03-20", because="RC8", child="b"),
            a_referral("2015-09-20", child="b"),
        ]
    )
    assert_index_rows(spark, world, expected, outcome={**NFA, **switches})  # type: ignore[arg-type]


def test_unknown_unless_every_day_of_the_window_was_observed(spark: SparkSession) -> None:
    world = World(
        referrals=[
            a_referral("2019-09-30", nfa=True, child="ends 30 March"),
            a_referral("2019-10-01", nfa=True, child="ends 1 April"),
            a_referral("2019-10-02", child="ends 1 April"),
            a_referral("2014-10-01", nfa=True, child="before the gap"),
            a_referral("2014-10-02", child="before the gap"),
            a_referral("2015-09-01", nfa=True, child="in the gap"),
        ],
        files=returns(2014, 2020, missing=(2016,)),
    )
    expected = [
        ("ends 30 March", "2019-09-30", 0, None),
        ("ends 1 April", "2019-10-01", None, "not_fully_observed"),
        ("before the gap", "2014-10-01", None, "not_fully_observed"),
        ("in the gap", "2015-09-01", None, "unit_incomplete"),
    ]
    assert_index_rows(spark, world, expected, outcome=NFA)


@pytest.mark.parametrize("outcome", [NFA, ESCALATED])
def test_months_from_the_referral_begin_with_it(spark: SparkSession, outcome: dict[str, object]) -> None:
    world = World(
        referrals=[
            a_referral("2013-03-31", closed="2013-04-02", because="RC8", child="before the first return"),
            a_referral("2013-04-01", closed="2013-04-02", because="RC8", child="on the first day"),
            a_referral("2017-03-31", closed="2017-04-02", because="RC8", child="in the gap"),
            a_referral("2017-04-01", closed="2017-04-02", because="RC8", child="after the gap"),
        ],
        files=returns(2014, 2020, missing=(2017,)),
    )
    expected = [
        ("before the first return", "2013-04-02", None, "not_fully_observed"),
        ("on the first day", "2013-04-02", 0, None),
        ("in the gap", "2017-04-02", None, "not_fully_observed"),
        ("after the gap", "2017-04-02", 0, None),
    ]
    assert_index_rows(spark, world, expected, outcome={**outcome, "from": "referral"})
    assert_index_rows(spark, world, [(child, on, 0, None) for child, on, _, _ in expected], outcome=outcome)


def test_a_predecessor_is_observed_until_its_last_return(spark: SparkSession) -> None:
    merged = [*returns(2013, 2019, la="835"), *returns(2013, 2019, la="836"), *returns(2013, 2019, la="837")]
    world = World(
        referrals=[
            a_referral("2018-09-01", nfa=True, la="836", child="in time"),
            a_referral("2018-11-01", nfa=True, la="836", child="into the merger"),
        ],
        files=[*merged, *returns(2020, 2020, la="838"), *returns(2020, 2020, la="839"), *returns(2013, 2020)],
    )
    expected = [("in time", "2018-09-01", 0, None), ("into the merger", "2018-11-01", None, "not_fully_observed")]
    assert_index_rows(spark, world, expected, outcome=NFA)


def test_a_plan_or_care_within_six_months_of_any_re_referral(spark: SparkSession) -> None:
    def nfa_then(*days: str, child: str) -> list[dict[str, object]]:
        return [a_referral("2015-01-10", nfa=True, child=child), *(a_referral(day, child=child) for day in days)]

    world = World(
        referrals=[
            *nfa_then("2015-03-01", "2015-07-10", child="the second escalates"),
            *nfa_then("2015-03-01", child="a day too late"),
            *nfa_then("2015-03-01", child="planned before"),
            *nfa_then("2015-03-01", child="into care"),
            *nfa_then("2015-03-01", child="a short break"),
            *nfa_then(child="not re-referred"),
        ],
        cp_plans=[
            a_plan("2016-01-10", child="the second escalates"),
            a_plan("2015-09-02", child="a day too late"),
            a_plan("2015-02-28", child="planned before"),
            a_plan("2015-02-01", child="not re-referred"),
        ],
        lac_episodes=[
            an_episode("2015-03-01", child="its other id"),
            an_episode("2015-03-01", status="V4", child="a short break"),
        ],
        child_links=[a_link("its other id", "into care"), a_link("a short break", "a short break")],
    )
    expected = [
        ("the second escalates", "2015-01-10", 1, None),
        ("a day too late", "2015-01-10", 0, None),
        ("planned before", "2015-01-10", 0, None),
        ("into care", "2015-01-10", 1, None),
        ("a short break", "2015-01-10", 0, None),
        ("not re-referred", "2015-01-10", 0, None),
    ]
    first = {"window__baseline": ["2013-04-01", "2014-04-01"], "window__follow_up": ["2014-04-01", "2020-04-01"]}
    assert_index_rows(spark, world, expected, outcome=ESCALATED, **first)


@pytest.mark.parametrize(
    ("switches", "early", "late"),
    [
        ({}, (0, None), (None, "not_fully_observed")),
        ({"escalate_within_months": 1}, (0, None), (0, None)),
        ({"estimand": "conditional"}, (None, "not_rereferred"), (None, "not_fully_observed")),
    ],
    ids=str,
)
def test_every_row_needs_the_months_of_both_in_both_collections(
    spark: SparkSession,
    switches: dict[str, object],
    early: tuple[int | None, str | None],
    late: tuple[int | None, str | None],
) -> None:
    world = World(
        referrals=[a_referral("2017-03-31", nfa=True), a_referral("2017-04-02", nfa=True, child="b")],
        files=[*returns(2013, 2020, collections=("cin",)), *returns(2013, 2018, collections=("ssda903",))],
    )
    expected = [("a", "2017-03-31", *early), ("b", "2017-04-02", *late)]
    assert_index_rows(spark, world, expected, outcome={**ESCALATED, **switches})
