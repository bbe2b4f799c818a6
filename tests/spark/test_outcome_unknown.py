"""Unknown is never 'no': LA-years that were returned and not observed, and rows of a child that were quarantined."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.builders import (
    a_file,
    a_link,
    a_referral,
    a_section47,
    a_study,
    an_assessment,
    an_episode,
    quarantined,
    returns,
)
from tests.outcome_world import World, all_index_rows, assert_index_rows

NFA = {"kind": "rereferral_nfa"}
EVERY_KIND = [
    {"outcome_id": "kinship", "kind": "kinship_placement"},
    {"outcome_id": "escalated", "kind": "rereferral_escalated"},
    {"outcome_id": "nfa", "kind": "rereferral_nfa"},
    {"outcome_id": "duration", "kind": "assessment_duration"},
    {"outcome_id": "icpc", "kind": "icpc", "index": "section47"},
]


def test_most_episodes_quarantined_leave_kinship_unknown_and_outcomes_of_the_cin_census_known(
    spark: SparkSession,
) -> None:
    """One authority had all its ended episodes refused for their dates' format: 66 % of them."""
    episodes_of = {"lac_episodes": 100, "lac_header": 80}
    world = World(
        referrals=[a_referral("2015-05-01", nfa=True), a_referral("2014-05-01", nfa=True, child="b")],
        assessments=[an_assessment("2015-05-01", "2015-06-01")],
        section47=[a_section47("2015-05-01")],
        lac_episodes=[an_episode("2015-05-01", "U1"), an_episode("2014-05-01", "U4", child="b")],
        files=[
            *returns(2013, 2020, collections=("cin",)),
            *(a_file(year, collection="ssda903", rows=episodes_of) for year in range(2013, 2021)),
        ],
        quarantined=[quarantined("lac_episodes", 2016, child=None) for _ in range(66)],
    )
    rows = all_index_rows(spark, world, a_study(outcomes=EVERY_KIND)).collect()
    assert {(row.outcome_id, row.index_date.year): row.reason for row in rows} == {
        ("kinship", 2015): "unit_incomplete",
        ("kinship", 2014): None,
        ("escalated", 2015): "unit_incomplete",
        ("escalated", 2014): "not_fully_observed",
        ("nfa", 2015): None,
        ("nfa", 2014): None,
        ("duration", 2015): None,
        ("icpc", 2015): None,
    }


def test_a_window_in_which_a_quarantined_row_of_the_child_could_lie_is_unknown_and_not_no(spark: SparkSession) -> None:
    world = World(
        referrals=[
            a_referral("2014-09-30", nfa=True, child="ends the day before"),
            a_referral("2014-10-01", nfa=True, child="ends on 1 April"),
            a_referral("2016-03-31", nfa=True, child="begins on 31 March"),
            a_referral("2016-04-01", nfa=True, child="begins the day after"),
            a_referral("2015-06-01", nfa=True, child="seen to come back"),
            a_referral("2015-07-01", child="seen to come back"),
            a_referral("2015-06-01", nfa=True, child="of another"),
            a_referral("2015-06-01", nfa=True, child="not read"),
        ],
        quarantined=[
            *(quarantined("referrals", 2016, child=child) for child in
              ("ends the day before", "ends on 1 April", "begins on 31 March", "begins the day after",
               "seen to come back")),
            quarantined("referrals", 2016, child="of another", la="301"),
            quarantined("referrals", 2016, child=None),
            quarantined("lac_episodes", 2016, child="not read"),
        ],
    )  # fmt: skip
    expected = [
        ("ends the day before", "2014-09-30", 0, None),
        ("ends on 1 April", "2014-10-01", None, "quarantined_record"),
        ("begins on 31 March", "2016-03-31", None, "quarantined_record"),
        ("begins the day after", "2016-04-01", 0, None),
        ("seen to come back", "2015-06-01", None, "quarantined_record"),
        ("of another", "2015-06-01", 0, None),
        ("not read", "2015-06-01", 0, None),
    ]
    assert_index_rows(spark, world, expected, outcome=NFA)


def test_a_quarantined_episode_leaves_the_escalation_of_the_linked_child_unknown(spark: SparkSession) -> None:
    world = World(
        referrals=[a_referral("2014-06-01", nfa=True, child=child) for child in ("linked", "itself", "other")],
        child_links=[a_link("its other id", "linked"), a_link("x", None)],
        quarantined=[quarantined("lac_episodes", 2016, child=child) for child in ("its other id", "itself", "x")],
    )
    expected = [
        ("linked", "2014-06-01", None, "quarantined_record"),
        ("itself", "2014-06-01", None, "quarantined_record"),
        ("other", "2014-06-01", 0, None),
    ]
    assert_index_rows(spark, world, expected, outcome={"kind": "rereferral_escalated"})


@pytest.mark.parametrize(
    ("outcome", "entity"),
    [
        ({"kind": "kinship_placement"}, "lac_episodes"),
        ({"kind": "kinship_placement", "unit": "stock"}, "lac_episodes"),
        ({"kind": "assessment_within"}, "assessments"),
        ({"kind": "icpc"}, "section47_enquiries"),
    ],
    ids=str,
)
def test_each_outcome_is_unknown_by_what_it_reads(spark: SparkSession, outcome: dict[str, Any], entity: str) -> None:
    world = World(
        referrals=[a_referral("2015-05-01")],
        assessments=[an_assessment("2015-05-01", "2015-06-01")],
        lac_episodes=[an_episode("2015-05-01", "U1")],
        quarantined=[quarantined(entity, 2016)],
    )
    rows = all_index_rows(spark, world, a_study(outcomes=[{"outcome_id": "o", **outcome}])).collect()
    assert {row.reason for row in rows} == {"quarantined_record"}
