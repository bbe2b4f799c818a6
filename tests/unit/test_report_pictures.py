"""What is drawn of few pilots, of intervals without an end, and in which colours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sos_spark.report.contents import sections_of
from sos_spark.report.figures import style
from sos_spark.report.page import render_page
from sos_spark.report.results import Results
from sos_spark.report.sections.event_study import event_study_picture
from sos_spark.report.sections.outcomes import forest_picture
from tests.unit import report_example as example
from tests.unit.strict_page import Page

RESULTS = Results(study=example.a_study(), fingerprint="f", estimates=example.estimates())


def test_few_pilots_are_drawn_without_intervals() -> None:
    frame = example.estimates()
    frame[["p_wcr", "ci_low_wcr", "ci_high_wcr", "p_adjusted"]] = float("nan")
    results = replace(RESULTS, estimates=frame.assign(headline="p_ri"))

    forest = forest_picture(results)

    assert forest is not None
    assert "95% interval" not in forest.alt
    assert "randomisation inference alone" in Page(render_page(results, sections_of(results))).words


def test_few_pilots_are_drawn_with_the_interval_of_the_randomisation_test() -> None:
    frame = example.estimates()
    frame[["p_wcr", "ci_low_wcr", "ci_high_wcr", "p_adjusted"]] = float("nan")
    frame = frame.assign(headline="p_ri", ci_low_ri=frame["att"] - 0.01, ci_high_ri=frame["att"] + 0.01)
    results = replace(RESULTS, estimates=frame)

    forest = forest_picture(results)

    assert forest is not None
    assert "95% interval" in forest.alt
    words = Page(render_page(results, sections_of(results))).words
    assert "The data are compatible with" in words
    assert "no interval is quoted" not in words


def test_an_interval_without_an_end_can_be_drawn() -> None:
    frame = example.estimates().assign(ci_low_wcr=float("-inf"), ci_high_wcr=float("inf"))

    forest = forest_picture(replace(RESULTS, estimates=frame))

    assert forest is not None
    assert "Length of assessments: -0.85 working days, 95% interval -31.40 to infinity" in forest.alt
    assert "-14.1 to 85.9" in forest.alt


def test_an_event_study_with_endless_intervals_can_be_drawn() -> None:
    frame = example.event_study()
    late = frame["event_time"] == 5
    frame.loc[late, ["ci_low", "band_low"]] = float("-inf")
    frame.loc[late, ["ci_high", "band_high"]] = float("inf")

    picture = event_study_picture(replace(RESULTS, event_study=frame), "kinship_placement")

    assert picture is not None
    assert any("-100.0 to 100.0" in row for row in picture.table.rows)


@pytest.mark.parametrize("colour", [style.INK, style.QUIET, style.PILOT, style.COMPARATOR])
def test_text_on_white_has_contrast_enough_for_everyone(colour: str) -> None:
    def channel(text: str) -> float:
        value = int(text, 16) / 255
        return value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (channel(colour[place : place + 2]) for place in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue

    assert 1.05 / (luminance + 0.05) >= 4.5
