"""Ratings in a study file: the one before go-live, and every later one refused with its reason."""

from __future__ import annotations

import pytest

from sos_spark.config.load import parse_study
from sos_spark.config.ratings import OFSTED_RATINGS, RATINGS_MOVE
from sos_spark.config.study import Study
from sos_spark.errors import StudyError

STUDY = """
schema_version = 1
study_id = "s"
title = "t"
[window]
baseline = ["2014-04-01", "2015-04-01"]
follow_up = ["2015-04-01", "2016-04-01"]
data_ends = "2016-03-31"
[[outcomes]]
outcome_id = "y"
kind = "icpc"
[[pilots]]
la_code = "926"
go_live = 2015-04-01
"""
COMPARATOR = '[[ratings]]\nla_code = "330"\nofsted_before = "good"\n'


def faults_of(text: str) -> tuple[str, ...]:
    with pytest.raises(StudyError) as caught:
        parse_study(text)
    return caught.value.faults


def read(text: str) -> Study:
    return parse_study(STUDY + text)


@pytest.mark.parametrize("rating", OFSTED_RATINGS)
def test_the_rating_before_go_live_is_read(rating: str) -> None:
    study = read(f'ofsted_before = "{rating}"\nofsted_inspected = 2015-03-31\n')
    assert study.pilots[0].ofsted_before == rating


@pytest.mark.parametrize("key", ["ofsted", "ofsted_after", "ofsted_2018", "rating", "ofsted_rating"])
def test_any_other_rating_is_refused_with_the_reason(key: str) -> None:
    assert f"pilots[1].{key}: {RATINGS_MOVE}" in faults_of(STUDY + f'{key} = "good"\n')
    assert f"ratings[1].{key}: {RATINGS_MOVE}" in faults_of(STUDY + COMPARATOR + f'{key} = "good"\n')


def test_the_reason_stands_beside_the_block_s_other_faults() -> None:
    found = faults_of(STUDY.replace("go_live = 2015-04-01", 'go_live = "soon"\nofsted = "good"\nembededness = 1'))
    assert f"pilots[1].ofsted: {RATINGS_MOVE}" in found
    assert "pilots[1].embededness: unknown key; did you mean embeddedness?" in found
    assert any(fault.startswith("pilots[1].go_live") for fault in found)


@pytest.mark.parametrize("day", ["2015-04-01", "2018-01-01"])
def test_an_inspection_on_or_after_go_live_is_refused(day: str) -> None:
    inspected = f"ofsted_inspected = {day}\n"
    (fault, *_) = faults_of(STUDY + f'ofsted_before = "good"\n{inspected}')
    assert fault.startswith(f"pilots[1]: ofsted_inspected {day} is not before go_live 2015-04-01")
    assert fault.endswith(RATINGS_MOVE)
    (fault,) = faults_of(STUDY + COMPARATOR + inspected)
    assert fault.startswith(f"ratings[1]: ofsted_inspected {day} is not before go_live 2015-04-01")


def test_an_inspection_needs_its_rating() -> None:
    assert "pilots[1]: ofsted_inspected goes with ofsted_before" in faults_of(STUDY + "ofsted_inspected = 2014-04-01\n")


def test_comparators_ratings_are_of_others_and_once_each() -> None:
    assert read(COMPARATOR).ratings[0].la_code == "330"
    assert any("926 is a pilot" in fault for fault in faults_of(STUDY + COMPARATOR.replace("330", "926")))
    assert any("rating given twice: 330" in fault for fault in faults_of(STUDY + COMPARATOR * 2))


@pytest.mark.parametrize("named", ["[]", '["outstanding", "good", "requires_improvement", "inadequate"]'])
def test_ratings_are_coded_in_two_groups(named: str) -> None:
    assert read('[secondary]\nofsted_better = ["good"]\n').secondary.ofsted_better == ("good",)
    assert any(
        "two" in fault or "second group" in fault
        for fault in faults_of(STUDY + f"[secondary]\nofsted_better = {named}\n")
    )


def test_every_analysis_is_declared_by_default_and_may_be_left_out() -> None:
    assert read("").secondary.analyses == ("ofsted", "embeddedness", "practice_models")
    assert read('[secondary]\nanalyses = ["embeddedness"]\n').secondary.analyses == ("embeddedness",)
    assert any("secondary.analyses" in fault for fault in faults_of(STUDY + '[secondary]\nanalyses = ["magic"]\n'))
