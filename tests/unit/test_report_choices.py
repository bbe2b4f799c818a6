"""The report says what was fitted, not what was asked for."""

from __future__ import annotations

from sos_spark.config.load import parse_study
from sos_spark.report.results import Results
from sos_spark.report.sections.plan import adjusted_for_in_words, choices
from tests.unit.report_example import STUDY_TEXT, estimates


def results_of(*, declared: str, **adjusted_for: str) -> Results:
    """The example's results, with covariates in the study file, and what some outcomes' rows adjusted for."""
    frame = estimates()
    for outcome_id, names in adjusted_for.items():
        frame.loc[frame["outcome_id"] == outcome_id, "adjusted_for"] = names
    study = parse_study(STUDY_TEXT + f"[covariates]\ncategorical = [{declared}]\n")
    return Results(study=study, fingerprint="f", estimates=frame)


EVERY = ("assessment_duration", "rereferral_nfa_6m", "kinship_placement")


def test_covariates_that_were_fitted_are_named() -> None:
    results = results_of(declared='"age_band", "sex"', **dict.fromkeys(EVERY, "age_band, sex"))
    assert ("Adjusted for", "age band and sex") in choices(results)


def test_covariates_that_the_headline_estimator_ignores_are_not_said_to_be_adjusted_for() -> None:
    """Every study with several go-lives printed 'Adjusted for: sex' beside an estimate without covariates."""
    assert adjusted_for_in_words(results_of(declared='"sex"')) == (
        "nothing beyond authority and period; the study file names sex, which the estimate does not use"
    )


def test_outcomes_that_adjust_for_different_covariates_are_named() -> None:
    said = adjusted_for_in_words(results_of(declared='"sex"', kinship_placement="sex"))
    assert said.endswith("Entrants to care placed with family or friends: sex")
    assert said.startswith("Length of assessments and Re-referral within 6 months")


def test_a_study_without_covariates_adjusts_for_nothing_more() -> None:
    assert adjusted_for_in_words(results_of(declared="")) == "nothing beyond authority and period"
