"""A study's declared alternatives as outcomes of their own."""

from __future__ import annotations

from typing import Any

import pytest

from sos_spark.config.load import load_study
from sos_spark.config.outcomes import KinshipPlacement, RereferralNfa
from sos_spark.config.shipped import conf_root
from sos_spark.config.variants import variant_id, variants
from sos_spark.errors import StudyError
from tests.builders import a_study

OUTCOMES = [
    {"outcome_id": "r", "kind": "rereferral_nfa", "within_months": 3},
    {"outcome_id": "k", "kind": "kinship_placement"},
]


def study_with(*switches: dict[str, Any]) -> Any:
    return a_study(outcomes=OUTCOMES, sensitivity__outcome_switches=list(switches))


def test_an_alternative_changes_only_what_it_names() -> None:
    found = variants(study_with({"outcome_id": "r", "nfa": "at_referral", "from": "referral"}))
    assert [variant.outcome_id for variant in found] == ["r", "k", "r~from=referral~nfa=at_referral"]
    alternative = found[2].outcome
    assert isinstance(alternative, RereferralNfa)
    assert (alternative.nfa, alternative.from_, alternative.within_months) == ("at_referral", "referral", 3)
    assert (found[2].base_id, found[0].switches) == ("r", {})


def test_an_alternative_given_twice_is_computed_once() -> None:
    switch = {"outcome_id": "k", "count_parents": False}
    found = variants(study_with(switch, switch))
    assert [variant.outcome_id for variant in found] == ["r", "k", "k~count_parents=false"]
    assert isinstance(found[2].outcome, KinshipPlacement)
    assert found[2].outcome.count_parents is False
    assert variant_id("k", {"unit": "stock", "denominator": "foster"}) == "k~denominator=foster~unit=stock"


def test_every_fault_is_told() -> None:
    with pytest.raises(StudyError) as error:
        variants(
            study_with(
                {"outcome_id": "x", "nfa": "either"},
                {"outcome_id": "r", "nfa": "sometimes"},
                {"outcome_id": "r", "unit": "stock"},
                {"outcome_id": "k", "kind": "icpc"},
                {"outcome_id": "k"},
            )
        )
    assert len(error.value.faults) == 5


@pytest.mark.parametrize("path", sorted((conf_root() / "studies").glob("*.toml")), ids=lambda path: path.stem)
def test_the_alternatives_of_every_study_shipped_can_be_computed(path: Any) -> None:
    study = load_study(path)
    found = variants(study)
    assert len(found) == len(study.outcomes) + len(study.sensitivity.outcome_switches)
