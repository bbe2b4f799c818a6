"""Each pilot by itself, and how far the design can be relied on, in figures and words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sos_spark.report.blocks import Bullets, Code, Table, Text
from sos_spark.report.results import Results
from sos_spark.report.sections import each_pilot, reliability
from tests.unit import report_example as example
from tests.unit import report_example_analyses as analyses

RESULTS = Results(
    study=example.a_study(),
    fingerprint="f",
    estimates=example.estimates(),
    arms=example.arms(),
    **analyses.frames(),
)


def test_every_pilot_is_a_row_and_the_mean_stands_above() -> None:
    picture = each_pilot.pilots_picture(RESULTS, "rereferral_nfa_6m")
    assert picture is not None
    assert len(picture.table.rows) == 3
    assert "each of 3 pilots" in picture.alt


def test_what_the_pilots_have_in_common_is_said_with_what_a_next_one_may_expect() -> None:
    said = each_pilot.in_words(RESULTS, "rereferral_nfa_6m")
    assert "The pilots' mean is -1.2 percentage points (95% interval -4.3 to 1.9)" in said
    assert "is not ruled out; true effects could differ" in said
    assert "Another authority like these could expect -10.5 to 8.1 percentage points." in said


def test_pilots_that_differ_are_said_to() -> None:
    differ = replace(RESULTS, pilots_pooled=RESULTS.pilots_pooled.assign(sd_low=0.01))
    assert "do not all have the same effect" in each_pilot.in_words(differ, "rereferral_nfa_6m")


def test_the_design_s_reliability_is_said_in_words() -> None:
    said = reliability.in_words(RESULTS, "rereferral_nfa_6m")
    assert said == (
        "where the programme did nothing, a change was reported in 4.6% of 500 studies (meant to be 5% at most)."
        " The 95% interval held the truth in 95.3%. A change of 2.0 percentage points was found in 38.0%."
    )


@pytest.mark.parametrize(("share", "words"), [(0.12, "less to be relied on"), (0.01, "more cautious")])
def test_a_rate_that_does_not_hold_is_said_to(share: float, words: str) -> None:
    frame = RESULTS.calibration.copy()
    mine = frame["measure"] == "size"
    frame.loc[mine, "share"] = share
    frame["holds"] = frame["holds"].astype(object).where(~mine, "False")
    assert words in reliability.in_words(replace(RESULTS, calibration=frame), "rereferral_nfa_6m")


def test_what_each_way_of_doing_the_sums_would_have_found_is_said_in_words() -> None:
    assert reliability.by_way_in_words(RESULTS, "kinship_placement") == (
        f"{RESULTS.labels['kinship_placement']}, by each of 2 ways of doing the sums: the smallest change found four"
        " times in five is 4.0 to 5.0 percentage points. Had it fallen by 13.0 percentage points, a change would have"
        " been reported in 96.0% to 97.0% of 300 invented studies. Had nothing changed, one would have been reported in"
        " 3.0% to 4.0%."
    )
    assert ", by the study's own way of doing the sums: " in reliability.by_way_in_words(RESULTS, "rereferral_nfa_6m")
    nothing = replace(RESULTS, calibration_switches=RESULTS.calibration_switches.iloc[:0])
    assert reliability.by_way_in_words(nothing, "rereferral_nfa_6m") == ""


def test_each_way_is_a_row_with_its_conditions_and_one_that_cannot_be_worked_says_why() -> None:
    section = reliability.section(RESULTS)
    assert section is not None
    *_, table = (block for block in section.blocks if isinstance(block, Table))
    label = RESULTS.labels["kinship_placement"]
    ways = [row[1:] for row in table.content.rows if row[0] == label]
    assert ways[0] == ("Main", "4.0 points", "-13.0 points", "96.0%", "3.0%", "9 of 70", "300")
    assert ways[2][:2] == ("Go-live 1 April 2011", "not to be worked")
    *_, notes = (block for block in section.blocks if isinstance(block, Bullets))
    assert f"{label}, Go-live 1 April 2011: no period before it." in notes.items


def test_a_run_without_simulated_studies_says_what_each_way_could_find_and_how_the_rest_is_told() -> None:
    nothing = RESULTS.calibration.iloc[:0]
    section = reliability.section(replace(RESULTS, calibration=nothing, calibration_switches=nothing))
    assert section is not None
    first, table = section.blocks
    assert isinstance(first, Text)
    assert Code("sos-spark calibrate") in first.words
    assert isinstance(table, Table)
    assert {row[0] for row in table.content.rows} == {RESULTS.labels[key] for key in analyses.EFFECTS}


def test_without_the_files_there_are_no_sections() -> None:
    nothing = RESULTS.pilots.iloc[:0]
    assert each_pilot.pilots_picture(replace(RESULTS, pilots=nothing), "rereferral_nfa_6m") is None
    assert (
        reliability.section(replace(RESULTS, calibration=nothing, calibration_switches=nothing, estimates=nothing))
        is None
    )
