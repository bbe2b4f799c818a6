"""A study file: every fault at once, no unknown key, and a fingerprint of what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from sos_spark.cli.commands_study import template
from sos_spark.config import fingerprint, load_study
from sos_spark.config.areas import code_faults, names_of_window
from sos_spark.config.load import parse_study
from sos_spark.errors import InputError, StudyError

STUDIES = sorted((Path(__file__).resolve().parents[2] / "conf" / "studies").glob("*.toml"))

MINIMAL = """
schema_version = 1
study_id = "s"
title = "t"
[window]
baseline = ["2014-04-01", "2015-04-01"]
follow_up = ["2015-04-01", "2016-04-01"]
data_ends = "2016-03-31"
[[pilots]]
la_code = "926"
go_live = 2015-04-01
[[outcomes]]
outcome_id = "y"
kind = "icpc"
"""


def faults_of(text: str) -> tuple[str, ...]:
    with pytest.raises(StudyError) as caught:
        parse_study(text)
    return caught.value.faults


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_shipped_studies_are_valid_and_name_real_authorities(path: Path) -> None:
    study = load_study(path)
    assert study.study_id == path.stem
    assert code_faults(study, known=[names_of_window(study.window)]) == []


def test_defaults_are_those_of_the_contract() -> None:
    study = parse_study(MINIMAL)
    assert study.window.period == "quarter"
    assert study.window.transition == "keep"
    assert study.window.max_quarantined == 0.10
    assert (study.population.age_min, study.population.age_max) == (0, 17)
    assert study.population.incomplete_units == "refuse"
    assert study.comparators.kind == "all"
    assert (study.inference.draws, study.inference.permutations) == (99_999, 9_999)
    assert study.inference.weights == "child"
    assert study.covariates.lone_levels == "refuse"
    assert study.disclosure.profile == "dfe-cin"


def test_template_is_a_valid_study_and_names_every_key() -> None:
    text = template()
    parse_study(text)
    for key in (
        "transition",
        "max_quarantined",
        "embeddedness",
        "lone_levels",
        "placebo_pilots",
        "intensity",
        "measure",
        "count_parents",
    ):
        assert key in text


@pytest.mark.parametrize("share", ["-0.01", "1.01", "nan"])
def test_max_quarantined_is_a_share(share: str) -> None:
    (fault,) = faults_of(MINIMAL.replace("[window]", f"[window]\nmax_quarantined = {share}"))
    assert "window.max_quarantined" in fault


def test_every_fault_is_reported_at_once() -> None:
    text = MINIMAL.replace('title = "t"', 'titel = "t"').replace('kind = "icpc"', 'kind = "icpc"\nwithin_month = 6')
    text = text.replace('"2015-04-01"]', '"2015-04-02"]')
    found = "\n".join(faults_of(text))
    assert "titel: unknown key; did you mean title?" in found
    assert "title: required" in found
    assert "outcomes[1].within_month: unknown key; did you mean within_months?" in found
    assert "2015-04-02 is not the start of a quarter" in found


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("go_live = 2015-04-01", 'go_live = "soon"', "pilots[1].go_live"),
        ('"2016-04-01"]', '"2015-04-01"]', "follow_up must end after it starts"),
        ('follow_up = ["2015-04-01"', 'follow_up = ["2015-01-01"', "follow_up must not start before baseline ends"),
        ("schema_version = 1", "schema_version = 2", "schema_version"),
        ('kind = "icpc"', 'kind = "icpc"\nwithin_months = 0', "outcomes[1].within_months"),
        ('kind = "icpc"', 'kind = "magic"', "outcomes[1]"),
        ('study_id = "s"', 'study_id = "../s"', "study_id"),
    ],
)
def test_a_wrong_value_is_named(old: str, new: str, fault: str) -> None:
    assert old in MINIMAL
    assert any(fault in line for line in faults_of(MINIMAL.replace(old, new)))


def test_two_outcomes_of_one_name_are_refused() -> None:
    again = '[[outcomes]]\noutcome_id = "y"\nkind = "icpc"\n'
    assert any("outcome_id given twice: y" in fault for fault in faults_of(MINIMAL + again))


def test_fingerprint_is_of_what_is_said_not_how() -> None:
    said = fingerprint(parse_study(MINIMAL))
    assert fingerprint(parse_study("# a comment\n" + MINIMAL.replace('"2016-03-31"', "2016-03-31"))) == said
    assert fingerprint(parse_study(MINIMAL.replace("926", "935"))) != said


def test_set_overrides_a_key() -> None:
    study = parse_study(MINIMAL, overrides=["inference.draws=999", "window.data_ends=2015-12-31", "title=Another"])
    assert study.inference.draws == 999
    assert study.window.data_ends.isoformat() == "2015-12-31"
    assert study.title == "Another"
    with pytest.raises(StudyError, match="key=value"):
        parse_study(MINIMAL, overrides=["draws"])


def test_a_file_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        load_study(tmp_path / "none.toml")
    (tmp_path / "broken.toml").write_text("a = ")
    with pytest.raises(StudyError, match="not valid TOML"):
        load_study(tmp_path / "broken.toml")


def test_design_has_the_outcome_and_only_then_the_neighbours() -> None:
    study = parse_study(MINIMAL)
    assert study.design("y").outcome_id == "y"
    assert study.design("y").neighbours == {}
    near = parse_study(MINIMAL + '[comparators]\nkind = "neighbours"\n')
    assert len(near.design("y").neighbours["926"]) == 10
