"""[publication]: the authors' own words, made safe, where a reader expects them, and no part of the plan."""

from __future__ import annotations

import re

import pytest

from sos_spark.config.load import fingerprint
from sos_spark.config.publication import Publication
from sos_spark.report.contents import sections_of
from sos_spark.report.markdown import html_of
from sos_spark.report.page import render_page
from sos_spark.report.results import Results
from sos_spark.steps.fitted_study import with_words_of
from tests.builders import a_study
from tests.unit import report_example as example

SAID = Publication.model_validate(
    {
        "programme": "Social workers map *strengths* and dangers with families.",
        "authors": "A. Writer (University of Somewhere)",
        "protocol": "https://example.org/protocol",
        "conclusions": "We cannot tell.",
        "recommendations": "1. Ask again in two years.",
        "evidence_rating": {"rating": "2", "legend": "0 to 4, of the scale's own guide."},
    }
)


def results_with(publication: Publication) -> Results:
    study = example.a_study().model_copy(update={"publication": publication})
    return Results(study=study, fingerprint="f", estimates=example.estimates())


def test_words_stand_where_a_reader_expects_them() -> None:
    results = results_with(SAID)
    sections = sections_of(results)
    page = render_page(results, sections)

    anchors = [section.anchor for section in sections]
    assert anchors[:3] == ["conclusions", "programme", "answer"]
    assert "about" in anchors[-2:]
    assert "map <em>strengths</em> and dangers" in page
    assert '<a href="https://example.org/protocol" rel="noopener noreferrer">' in page
    assert "<strong>2</strong>, given by the authors and not computed here." in page
    assert "<p>0 to 4, of the scale's own guide.</p>" in page


def test_a_study_that_says_nothing_has_no_such_section() -> None:
    anchors = {section.anchor for section in sections_of(results_with(Publication()))}
    assert anchors.isdisjoint({"conclusions", "programme", "about"})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;"),
        ("<img src=x onerror=alert(1)>", "&lt;img"),
        ("[a](javascript:alert(1))", "[a](javascript:alert(1))"),
        ("[a](data:text/html;base64,PHNjcmlwdD4=)", "[a](data:"),
        ("![b](https://example.org/b.png)", "<p></p>"),
        ("# Big", "<h3>Big</h3>"),
        ("| a |\n|---|\n| b |", "<td>b</td>"),
    ],
)
def test_markdown_brings_no_html_script_or_image(text: str, shown: str) -> None:
    html = html_of(text)
    assert shown in html
    assert not re.search(r"<(script|img|h1)|href=\"(javascript|data)", html)


def test_words_are_no_part_of_the_plan() -> None:
    study = a_study()
    told = study.model_copy(update={"publication": SAID})

    assert fingerprint(told) == fingerprint(study)
    assert with_words_of(study, told).publication == SAID
    assert with_words_of(told, study) == told
