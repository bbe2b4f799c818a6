"""Specifications as a reader sees them: every name a study can give has words, and none is jargon alone."""

from __future__ import annotations

import pytest

from sos_spark.analysis.declared import declared_specifications
from sos_spark.config.load import parse_study
from sos_spark.report.words.specifications import meaning, spoken
from tests.unit.report_example import STUDY_TEXT


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("main", "Main"),
        ("la_equal", "Every authority counts the same"),
        ("unadjusted", "Without adjustment"),
        ("twfe", "Two-way fixed effects"),
        ("imputation", "Imputation"),
        ("sun_abraham", "Sun-Abraham"),
        ("cs_not_yet", "Callaway-Sant'Anna, also not-yet-pilots"),
        ("go_live=2014-04-01", "Go-live 1 April 2014"),
        ("comparators=all", "Compared with every other authority"),
        ("nfa=at_referral", "No further action: at referral"),
        ("unit=stock", "Children in care on 31 March"),
        ("denominator=foster", "Of foster placements only"),
        ("within_months=12", "Within 12 months"),
        ("days=calendar", "Calendar days"),
        ("days=30", "Within 30 working days"),
        ("missing=indicator", "Missing details kept as a group"),
        ("placebo_date=2014-04-01", "Pretend go-live 1 April 2014"),
        ("synthetic_did", "Synthetic comparators"),
        ("denominator=foster~unit=stock", "Of foster placements only; Children in care on 31 March"),
        ("something_new", "Something new"),
        ("something_new=a_value", "Something new: a value"),
        ("go_live=soon", "Go-live soon"),
    ],
)
def test_a_specification_has_a_name_in_words(name: str, said: str) -> None:
    assert spoken(name) == said


def test_everything_that_a_study_can_declare_is_explained() -> None:
    study = parse_study(
        STUDY_TEXT.replace('la_code = "304"\ngo_live = 2015-04-01', 'la_code = "304"\ngo_live = 2016-04-01')
        + '[covariates]\ncategorical = ["sex"]\n'
        + '[sensitivity]\ngo_live = ["2014-04-01"]\ncomparators = ["all", "matched"]\nplacebo_dates = ["2014-04-01"]\n'
        + "outcome_switches = [\n"
        + '{ outcome_id = "rereferral_nfa_6m", nfa = "at_referral", from = "referral", within_months = 12 },\n'
        + '{ outcome_id = "kinship_placement", unit = "stock", count_parents = false },\n'
        + '{ outcome_id = "assessment_duration", days = "calendar", follow_up_days = 60 },\n'
        + '{ outcome_id = "icpc", index = "section47" },\n]\n'
    )

    names = {name for declared in declared_specifications(study).values() for name in declared}

    assert len(names) >= 15
    for name in names:
        assert meaning(name), name
        assert "_" not in spoken(name) + meaning(name)
        assert "=" not in spoken(name)
