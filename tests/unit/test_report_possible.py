"""Intervals in sentences are cut at what an outcome can be."""

from __future__ import annotations

import math

import pytest

from sos_spark.config.outcomes import AssessmentDuration, Icpc, Outcome, Published
from sos_spark.report.words.numbers import PER_10_000, POINTS, WORKING_DAYS
from sos_spark.report.words.possible import Possible, possible_of

SHARE, LENGTH = Possible(0.0, 1.0), Possible(0.0, math.inf)


def published(measure: str) -> Published:
    return Published.model_validate({"outcome_id": "o", "kind": "published", "measure": measure})


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Icpc(outcome_id="o", kind="icpc"), SHARE),
        (AssessmentDuration(outcome_id="o", kind="assessment_duration"), LENGTH),
        (AssessmentDuration(outcome_id="o", kind="assessment_duration", mean="restricted"), Possible(0.0, 90.0)),
        (published("rereferral_12m"), SHARE),
        (published("looked_after_rate"), SHARE),
        (published("icpc_per_section47"), LENGTH),
    ],
    ids=["share", "length", "restricted mean", "published share", "rate", "ratio that can pass 1"],
)
def test_what_an_outcome_can_be(outcome: Outcome, expected: Possible) -> None:
    assert possible_of(outcome) == expected


@pytest.mark.parametrize(
    ("possible", "low", "high", "baseline", "expected"),
    [
        (SHARE, -0.1, 0.2, 0.36, (-0.1, 0.2)),
        (SHARE, -2.1, 2.83, 0.36, (-0.36, 0.64)),
        (SHARE, 0.1, 2.83, 0.36, (0.1, 0.64)),
        (SHARE, -9.0, -0.9, 0.36, (-0.36, -0.36)),
        (SHARE, -math.inf, math.inf, 0.36, (-0.36, 0.64)),
        (LENGTH, -40.0, 400.0, 31.0, (-31.0, 400.0)),
        (SHARE, -2.1, 0.83, None, (-1.0, 0.83)),
        (SHARE, -2.1, 2.83, math.nan, (-1.0, 1.0)),
        (LENGTH, -400.0, math.inf, None, (-400.0, math.inf)),
    ],
)
def test_an_interval_of_changes_is_cut_where_the_outcome_ends(
    possible: Possible, low: float, high: float, baseline: float | None, expected: tuple[float, float]
) -> None:
    assert possible.change(low, high, baseline=baseline) == pytest.approx(expected)


def test_the_limits_in_words() -> None:
    assert SHARE.in_words(POINTS) == "between 0.0% and 100.0%"
    assert LENGTH.in_words(WORKING_DAYS) == "not below 0.0 working days"
    assert SHARE.in_words(PER_10_000) == "between 0.0 per 10,000 children and 10,000.0 per 10,000 children"


@pytest.mark.parametrize(("size", "can_be"), [(0.5, True), (0.64, True), (0.7, False)])
def test_a_change_that_cannot_be_is_known_as_such(size: float, can_be: bool) -> None:
    assert SHARE.holds_change(size, baseline=0.36) is can_be
    assert SHARE.holds_change(size, baseline=None)
