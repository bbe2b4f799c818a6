"""The kinds of outcome: each is whole, and what lacks a part or contradicts another is refused when it is declared."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, get_args

import pytest

from sos_spark.cli.commands_study import template
from sos_spark.config.model import Words
from sos_spark.config.outcomes import KINDS, Outcome, declare, switch_in_words
from sos_spark.config.outcomes.assessment_within import AssessmentWithin
from sos_spark.config.outcomes.published import DECLARED_MEASURES, MeasureName
from sos_spark.outcome.published import MEASURES
from sos_spark.outcome.published_bounds import RANGES


@pytest.fixture(autouse=True)
def _only_ours() -> Iterator[None]:
    known = dict(KINDS)
    yield
    KINDS.clear()
    KINDS.update(known)


class Other(AssessmentWithin):
    """A kind that is whole."""

    kind: Literal["other"]  # type: ignore[assignment]


def test_a_whole_kind_is_declared_under_its_name() -> None:
    declare(Other)
    assert KINDS["other"] is Other


def refused(kind: type[Outcome]) -> str:
    with pytest.raises(TypeError) as caught:
        declare(kind)
    return str(caught.value)


def test_a_kind_without_its_words_is_refused_and_told_what_it_lacks() -> None:
    class Bare(Outcome):
        is_binary: ClassVar[bool] = True
        reads: ClassVar[tuple[str, ...]] = ("referrals",)
        kind: Literal["bare"]

    bare: Any = Bare
    assert refused(bare).endswith("it lacks definition, entity, greatest, label, scale, events, switches")


def test_a_key_without_words_is_refused() -> None:
    class More(Other):
        also: bool = False

    assert "words must be those of its keys days, also, not of days" in refused(More)


def test_a_value_without_words_is_refused() -> None:
    class More(Other):
        switches: ClassVar[Mapping[str, Any]] = {
            **AssessmentWithin.switches,
            "also": {"true": Words("Also", "")},
        }
        also: bool = False

    assert "also needs words of false, true" in refused(More)


def test_words_that_contradict_another_kinds_are_refused() -> None:
    class Differs(Other):
        switches: ClassVar[Mapping[str, Any]] = {"days": Words("At most {} days", "")}

    assert "days has other words in another kind" in refused(Differs)


def test_a_name_that_is_taken_is_refused() -> None:
    declare(Other)
    assert "the kind other is declared already" in refused(Other)


def test_an_event_of_an_entity_that_is_not_read_is_refused() -> None:
    class Elsewhere(Other):
        events: ClassVar[Mapping[str, tuple[str, ...]]] = {"cp_plans": ("cpp_start_date",)}

    assert "events of entities that it does not read: cp_plans" in refused(Elsewhere)


def test_the_same_key_is_told_apart_by_its_value() -> None:
    assert switch_in_words("days", "calendar") == Words("Calendar days", "weekends and bank holidays count")
    assert switch_in_words("days", "30") == Words("Within 30 working days", "another limit")
    assert switch_in_words("count_parents", "False") == switch_in_words("count_parents", "false")
    assert switch_in_words("colour", "red") is None


def test_the_template_has_every_kind_with_every_key() -> None:
    text = template()
    shown = {outcome["kind"]: outcome.keys() for outcome in tomllib.loads(text)["outcomes"]}
    inherited = shown["rereferral_nfa"]
    for name, kind in KINDS.items():
        own = set(kind.switches) - (inherited if name == "rereferral_escalated" else set())
        hidden = own - shown.get(name, own - own)
        assert f'kind = "{name}"' in text
        assert all(f"# {key} = " in text for key in hidden), f"{name}: {sorted(hidden)} not in the template"


def test_each_published_measure_has_words_counts_and_ranges() -> None:
    assert set(get_args(MeasureName)) == set(DECLARED_MEASURES) == set(MEASURES) == set(RANGES)


def test_a_key_without_a_description_is_refused() -> None:
    class More(Other):
        switches: ClassVar[Mapping[str, Any]] = {**AssessmentWithin.switches, "also": Words("Also {}", "")}
        also: int = 1

    assert "keys without a description: also" in refused(More)
