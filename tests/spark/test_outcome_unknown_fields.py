"""A field that could not be used leaves its row in silver, and only the outcomes that read the field are unknown."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.builders import a_link, a_referral, a_section47, a_study, an_assessment, an_episode, returns
from tests.outcome_world import World, all_index_rows


def found(spark: SparkSession, kind: str, **world: Any) -> dict[tuple[str, str], tuple[int | None, str | None]]:
    """(y, reason) by child and index date."""
    outcome = {"outcome_id": "o", "kind": kind, **world.pop("switches", {})}
    rows = all_index_rows(spark, World(files=returns(2013, 2020), **world), a_study(outcomes=[outcome])).collect()
    return {(row.child_id, row.index_date.isoformat()): (row.y, row.reason) for row in rows}


def test_a_rereferral_whose_closure_could_not_be_read_is_still_a_rereferral(spark: SparkSession) -> None:
    back = a_referral("2015-07-01", unknown_fields="closure_date")

    rows = found(spark, "rereferral_nfa", referrals=[a_referral("2015-05-01", nfa=True), back])

    assert rows == {("a", "2015-05-01"): (1, None)}


@pytest.mark.parametrize("within", [False, True], ids=["duration", "within 45 days"])
def test_an_authorisation_that_could_not_be_read_is_neither_open_nor_late(spark: SparkSession, within: bool) -> None:
    kind = "assessment_within" if within else "assessment_duration"
    unread = an_assessment("2015-05-01") | {"unknown_fields": "assessment_authorised_date"}

    rows = found(spark, kind, assessments=[unread, an_assessment("2015-06-01")])

    assert rows["a", "2015-05-01"] == (None, "field_unreadable")
    assert rows["a", "2015-06-01"] == ((0, None) if within else (None, "open_after_window"))


@pytest.mark.parametrize("kind", ["rereferral_nfa", "rereferral_escalated"])
def test_a_decision_whose_day_or_flag_could_not_be_read_is_unknown_and_not_left_out(
    spark: SparkSession, kind: str
) -> None:
    referrals = [
        a_referral("2015-05-01", because="RC8", child="no day", unknown_fields="closure_date"),
        a_referral("2015-05-02", nfa=None, child="no flag", unknown_fields="is_nfa_at_referral"),  # type: ignore[arg-type]
        a_referral("2015-05-03", child="open", unknown_fields="icpc_date"),
    ]

    rows = found(spark, kind, referrals=referrals)

    assert rows == {
        ("no day", "2015-05-01"): (None, "field_unreadable"),
        ("no flag", "2015-05-02"): (None, "field_unreadable"),
    }


def test_a_flag_that_could_not_be_read_is_not_read_by_decisions_after_assessment(spark: SparkSession) -> None:
    flag = a_referral("2015-05-02", nfa=None, unknown_fields="is_nfa_at_referral")  # type: ignore[arg-type]

    assert found(spark, "rereferral_nfa", referrals=[flag], switches={"nfa": "after_assessment"}) == {}


@pytest.mark.parametrize("at", ["referrals", "section47"])
def test_a_conference_whose_day_could_not_be_read_could_lie_anywhere_in_its_return_s_year(
    spark: SparkSession, at: str
) -> None:
    referrals = [a_referral("2015-05-01"), a_referral("2017-05-01")]
    if at == "referrals":
        referrals[0] |= {"unknown_fields": "icpc_date"}
    enquiries = [a_section47("2015-05-02") | {"unknown_fields": "icpc_date" if at == "section47" else None}]

    rows = found(spark, "icpc", referrals=referrals, section47=enquiries)

    assert rows == {("a", "2015-05-01"): (None, "quarantined_record"), ("a", "2017-05-01"): (0, None)}


def test_a_legal_status_that_could_not_be_read_leaves_open_whether_care_began(spark: SparkSession) -> None:
    episodes = [an_episode("2015-06-01", child="l") | {"unknown_fields": "legal_status"}]
    referrals = [a_referral("2015-05-01", nfa=True), a_referral("2015-05-10")]

    rows = found(
        spark, "rereferral_escalated", referrals=referrals, lac_episodes=episodes, child_links=[a_link("l", "a")]
    )

    assert rows == {("a", "2015-05-01"): (None, "quarantined_record")}


@pytest.mark.parametrize(("unit", "expected"), [("starts", (1, None)), ("stock", (None, "field_unreadable"))])
def test_an_end_that_could_not_be_read_is_read_by_the_stock_only(
    spark: SparkSession, unit: str, expected: tuple[int | None, str | None]
) -> None:
    episode = an_episode("2015-06-01", "U1") | {"unknown_fields": "care_episode_end_date"}

    rows = found(spark, "kinship_placement", lac_episodes=[episode], switches={"unit": unit})

    assert set(rows.values()) == {expected}
