"""The headline rule: evidence only where WCR and CR2 agree; few pilots rest on randomisation inference."""

import math
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from sos_spark.report.results import PlantedEffect, Results
from sos_spark.report.sections.planted import recovered
from sos_spark.report.sections.power import detectable
from sos_spark.report.words.verdicts import is_significant, verdicts
from tests.unit.report_example import a_study, estimates


def results_with(*, truth: tuple[PlantedEffect, ...] | None = None, **changes: Any) -> Results:
    """The example's results, the kinship row changed."""
    frame = estimates()
    for column, value in changes.items():
        frame.loc[(frame["outcome_id"] == "kinship_placement") & (frame["specification"] == "main"), column] = value
    return Results(study=a_study(), fingerprint="f", estimates=frame, truth=truth)


def kinship(results: Results) -> Any:
    return next(verdict for verdict in verdicts(results) if verdict.outcome_id == "kinship_placement")


@pytest.mark.parametrize(
    ("p_wcr", "p_cr2", "p_ri", "expected"),
    [
        (0.01, 0.02, 0.9, True),
        (0.01, 0.06, 0.01, False),
        (0.06, 0.01, 0.01, False),
        (0.05, 0.01, 0.01, False),
        (math.nan, 0.01, 0.03, True),
        (math.nan, 0.01, 0.2, False),
        (math.nan, 0.01, math.nan, None),
    ],
)
def test_the_headline_rule(p_wcr: float, p_cr2: float, p_ri: float, expected: bool | None) -> None:
    assert is_significant({"p_wcr": p_wcr, "p_cr2": p_cr2, "p_ri": p_ri}) is expected


@pytest.mark.parametrize(
    ("headline", "expected"), [("p_wcr", True), ("p_ri", False), ("p_cr2", True), ("", True), (math.nan, True)]
)
def test_a_row_is_judged_by_the_headline_that_it_names(headline: str, expected: bool) -> None:
    """A difference between subgroups has all three p-values, and p_ri as its headline: it was judged by the others."""
    assert is_significant({"p_wcr": 0.03, "p_cr2": 0.04, "p_ri": 0.2, "headline": headline}) is expected


def test_a_covariate_s_slope_on_few_comparators_is_judged_by_cr2() -> None:
    row = {"p_wcr": math.nan, "p_cr2": 0.01, "p_ri": math.nan, "headline": "p_cr2"}
    assert is_significant(row) is True


def test_a_significant_fall_is_evidence_of_a_decrease() -> None:
    verdict = kinship(results_with())

    assert verdict.answer == "Evidence of a decrease"
    assert verdict.estimate == "-6.2 percentage points"
    assert verdict.interval == "-10.3 to -2.1"
    assert "a fall of 2.1 to 10.3 percentage points" in " ".join(verdict.sentences)


def test_methods_that_disagree_are_no_evidence_and_the_page_says_why() -> None:
    verdict = kinship(results_with(p_cr2=0.07))

    assert verdict.finding == "cannot tell"
    assert "do not agree" in " ".join(verdict.sentences)


def test_a_finding_that_falls_to_multiplicity_is_none_and_the_page_says_why() -> None:
    falls, stands = (kinship(results_with(p_adjusted=p)) for p in (0.2, 0.02))
    assert (falls.finding, stands.finding) == ("cannot tell", "a change")
    assert "does not stand once the number of outcomes" in " ".join(falls.sentences)
    assert "does not stand" not in " ".join(stands.sentences)


@pytest.mark.parametrize(("p_joint", "p_slope", "warned"), [(0.01, 0.4, True), (0.4, 0.01, True), (0.4, 0.4, False)])
def test_a_finding_on_groups_that_were_drifting_apart_carries_a_caution(
    p_joint: float, p_slope: float, warned: bool
) -> None:
    drift = pd.DataFrame(
        [{"outcome_id": "kinship_placement", "specification": "main", "p_joint": p_joint, "p_cr2": p_slope}]
    )
    results = replace(results_with(), pretrend=drift)

    assert ("moving apart before go-live" in " ".join(kinship(results).sentences)) is warned


def test_few_pilots_have_no_interval_and_rest_on_randomisation() -> None:
    verdict = kinship(results_with(p_wcr=math.nan, ci_low_wcr=math.nan, ci_high_wcr=math.nan, p_ri=0.3))

    assert (verdict.finding, verdict.interval) == ("cannot tell", "")
    assert "randomisation inference alone" in " ".join(verdict.sentences)


def test_an_outcome_without_numbers_shows_its_note() -> None:
    icpc = verdicts(results_with())[-1]

    assert icpc.finding == ""
    assert "no period before go-live" in icpc.note


def test_an_outcome_that_the_run_does_not_have_is_still_named() -> None:
    frame = estimates()
    results = Results(study=a_study(), fingerprint="f", estimates=frame[frame["outcome_id"] != "rereferral_nfa_6m"])

    assert verdicts(results)[1].finding == ""


def test_the_cards_give_three_answers() -> None:
    frame = estimates()
    frame.loc[frame["outcome_id"] == "rereferral_nfa_6m", "p_equivalence"] = 0.01
    found = verdicts(Results(study=a_study(), fingerprint="f", estimates=frame))

    assert [(verdict.finding, verdict.answer) for verdict in found] == [
        ("cannot tell", "The data cannot tell"),
        ("no change of a size that matters", "No change of a size that matters"),
        ("a change", "Evidence of a decrease"),
        ("", "No estimate could be made"),
    ]


def test_a_change_smaller_than_what_matters_is_a_change_and_the_card_says_how_small() -> None:
    verdict = kinship(results_with(p_equivalence=0.01))

    assert verdict.finding == "a change"
    assert "It is smaller than the smallest change of interest (p = 0.01" in " ".join(verdict.sentences)


def test_an_interval_beyond_what_a_share_can_be_is_cut_and_says_so() -> None:
    """'A rise of 283 percentage points' of a share of 14 %."""
    verdict = kinship(results_with(p_wcr=0.5, ci_low_wcr=-2.1, ci_high_wcr=2.83))

    said = " ".join(verdict.sentences)
    assert verdict.interval == "-14.1 to 85.9"
    assert "anything from a fall of 14.1 to a rise of 85.9 percentage points" in said
    assert "The interval as computed, -210.0 to 283.0, reaches further" in said
    assert "between 0.0% and 100.0%; it is cut there" in said
    assert "cut there" not in " ".join(kinship(results_with()).sentences)


def test_a_detectable_change_that_cannot_be_is_not_printed_as_a_number() -> None:
    rows = {row[0]: row for row in detectable(results_with(mde=2.83))}

    assert rows["Entrants to care placed with family or friends"][1] == "none: larger than any change that can be"


def test_what_can_be_detected_is_set_against_what_matters() -> None:
    rows = {row[0]: row for row in detectable(results_with())}

    assert rows["Re-referral within 6 months of no further action"][1:] == (
        "4.3 points",
        "2.0 points",
        "changes of interest could be missed",
    )
    assert rows["Entrants to care placed with family or friends"][2:] == (
        "",
        "no smallest change of interest was named",
    )


def test_an_effect_of_interest_that_equivalence_rules_out_is_said_to_be() -> None:
    frame = estimates()
    frame.loc[frame["outcome_id"] == "rereferral_nfa_6m", "p_equivalence"] = 0.01
    results = Results(study=a_study(), fingerprint="f", estimates=frame)

    rows = {row[0]: row for row in detectable(results)}

    assert rows["Re-referral within 6 months of no further action"][3] == "a change of that size is ruled out"
    assert "ruled out, either way (p = 0.01" in " ".join(verdicts(results)[1].sentences)
    assert "ruled out" not in " ".join(verdicts(results)[0].sentences)


def test_a_placebo_outcome_is_known_as_one() -> None:
    study = a_study()
    sensitivity = study.sensitivity.model_copy(update={"placebo_outcomes": ("icpc",)})
    results = Results(
        study=study.model_copy(update={"sensitivity": sensitivity}), fingerprint="f", estimates=estimates()
    )

    found = verdicts(results)

    assert [verdict.outcome_id for verdict in found if verdict.placebo] == ["icpc"]


def test_planted_effects_are_averaged_over_treated_rows() -> None:
    truth = (PlantedEffect("kinship_placement", -0.069, 300), PlantedEffect("kinship_placement", -0.049, 100))

    assert recovered(results_with(truth=truth)) == [
        ("Entrants to care placed with family or friends", "percentage points", "-6.4", "-6.2", "-10.3 to -2.1", "yes")
    ]


def test_an_interval_that_misses_the_planted_effect_says_no() -> None:
    truth = (PlantedEffect("kinship_placement", 0.01, 300),)

    assert recovered(results_with(truth=truth))[0][-1] == "no"


def test_without_a_truth_nothing_is_said_to_be_planted() -> None:
    assert recovered(results_with()) == []


def test_estimates_of_another_study_file_are_not_shown() -> None:
    frame = pd.concat([estimates(), estimates().assign(outcome_id="foreign")])
    results = Results(study=a_study(), fingerprint="f", estimates=frame)

    assert "foreign" not in {verdict.outcome_id for verdict in verdicts(results)}


def test_a_length_gets_shorter_and_not_lower() -> None:
    verdict = next(one for one in verdicts(results_with()) if one.outcome_id == "assessment_duration")
    said = " ".join(verdict.sentences)

    assert "shorter" in said or "longer" in said
    assert not any(word in said for word in ("lower", "higher", "a fall", "a rise"))
