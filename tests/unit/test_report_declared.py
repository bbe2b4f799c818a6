"""What the frozen plan lacks is exploratory; without a plan nothing is marked; an unreadable one compares nothing."""

from __future__ import annotations

from typing import Any

import pytest

from sos_spark.config.freeze import FrozenPlan
from sos_spark.config.load import parse_study
from sos_spark.config.study import Study
from sos_spark.report.words.declared import Declared, legend, starred
from tests.unit.report_example import STUDY_TEXT

ALTERNATIVES = '[sensitivity]\ngo_live = ["2014-04-01"]\nplacebo_dates = ["2014-04-01"]\n'
NOW = parse_study(STUDY_TEXT + ALTERNATIVES.replace('["2014-04-01"]', '["2014-04-01", "2014-10-01"]', 1))


def frozen_as(study: Study | dict[str, Any]) -> Declared:
    plan = study if isinstance(study, dict) else study.model_dump(mode="json", by_alias=True)
    return Declared(FrozenPlan("2021-01-01", "f", (), plan), NOW)


@pytest.fixture
def declared() -> Declared:
    return frozen_as(parse_study(STUDY_TEXT + ALTERNATIVES))


def test_what_the_plan_names_is_not_marked(declared: Declared) -> None:
    assert declared.outcome("icpc") == ""
    for name in ("main", "la_equal", "synthetic_did", "go_live=2014-04-01", "placebo_date=2014-04-01"):
        assert declared.specification("icpc", name) == ""


def test_what_the_plan_lacks_is_exploratory(declared: Declared) -> None:
    assert declared.specification("icpc", "go_live=2014-10-01") == "exploratory"
    assert declared.specification("icpc", "nfa=at_referral") == "exploratory"


def test_an_outcome_that_the_plan_lacks_is_exploratory_with_all_its_specifications() -> None:
    declared = frozen_as(parse_study(STUDY_TEXT.replace('outcome_id = "icpc"', 'outcome_id = "other"')))

    assert declared.outcome("icpc") == "exploratory"
    assert declared.specification("icpc", "main") == "exploratory"
    assert declared.secondary("icpc", "ofsted") == "exploratory"


def test_an_outcome_defined_otherwise_is_another_one() -> None:
    declared = frozen_as(parse_study(STUDY_TEXT.replace('kind = "icpc"', 'kind = "icpc"\nwithin_months = 12')))

    assert declared.outcome("icpc") == "exploratory"
    assert declared.outcome("kinship_placement") == ""


def test_another_family_or_smallest_effect_is_the_same_outcome() -> None:
    declared = frozen_as(parse_study(STUDY_TEXT.replace('family = "secondary"', "smallest_effect_of_interest = 0.1")))

    assert declared.outcome("icpc") == ""


@pytest.mark.parametrize(
    ("analysis", "text"),
    [
        ("ofsted", '[[ratings]]\nla_code = "330"\nofsted_before = "good"\n'),
        ("practice_models", '[[practice_models]]\nla_code = "330"\nmodel = "m"\nfrom = 2014-04-01\nintensity = 0.5\n'),
        ("embeddedness", '[[pilots]]\nla_code = "380"\ngo_live = 2015-04-01\nembeddedness = 1.5\n'),
    ],
)
def test_a_secondary_analysis_of_other_characteristics_is_exploratory(analysis: str, text: str) -> None:
    with_traits = parse_study(STUDY_TEXT + text)
    plain = FrozenPlan("2021-01-01", "f", (), parse_study(STUDY_TEXT).model_dump(mode="json", by_alias=True))
    same = FrozenPlan("2021-01-01", "f", (), with_traits.model_dump(mode="json", by_alias=True))

    assert Declared(plain, with_traits).secondary("icpc", analysis) == "exploratory"
    assert Declared(same, with_traits).secondary("icpc", analysis) == ""


def test_a_secondary_analysis_that_the_plan_does_not_look_at_is_exploratory() -> None:
    declared = frozen_as(parse_study(STUDY_TEXT + '[secondary]\nanalyses = ["ofsted"]\n'))

    assert declared.secondary("icpc", "ofsted") == ""
    assert declared.secondary("icpc", "embeddedness") == "exploratory"


def test_without_a_plan_nothing_is_marked() -> None:
    declared = Declared(None, NOW)

    assert not declared.marks
    assert (declared.outcome("icpc"), declared.specification("icpc", "x"), declared.secondary("icpc", "x")) == ("",) * 3


def test_a_plan_that_is_read_no_more_compares_nothing() -> None:
    declared = frozen_as({"schema_version": 1, "study_id": "old", "gone": True})

    assert declared.marks
    assert not declared.comparable
    marks = (declared.outcome("icpc"), declared.specification("icpc", "main"), declared.secondary("icpc", "ofsted"))
    assert marks == ("cannot be compared",) * 3


def test_a_figure_marks_with_an_asterisk_and_says_what_it_means() -> None:
    assert (starred("A", "exploratory"), starred("A", ""), starred("A", "cannot be compared")) == ("A *", "A", "A")
    assert "not in the frozen plan" in legend(["", "exploratory"])
    assert "cannot be compared" in legend(["cannot be compared"])
    assert legend([""]) == ""
