"""A section of the report is one module and one entry of one tuple: contents, body and figures follow from it."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from sos_spark.report import contents
from sos_spark.report import sections as sections_package
from sos_spark.report.blocks import DataTable, Picture, Section, Text, section_of
from sos_spark.report.contents import pictures_of, sections_of
from sos_spark.report.figures.paint import draw_plots
from sos_spark.report.figures.plot import Dot, Plot, value_axis, whole_axis
from sos_spark.report.page import render_page
from sos_spark.report.results import Results
from tests.unit import report_example as example

RESULTS = Results(study=example.a_study(), fingerprint="f", estimates=example.estimates())


def toy_module() -> ModuleType:
    """What a stranger's file sos_spark/report/sections/toy.py would hold."""
    module = ModuleType("sos_spark.report.sections.toy")

    def picture() -> Picture:
        table = DataTable(("What", "How many"), (("toys", "3"),))
        plot = Plot(
            "Toys", whole_axis(0, 3, "Day"), value_axis([1, 3], "Toys"), (Dot(1, 3, "pilot", say="Three toys"),)
        )
        return draw_plots(
            "toys", [plot], title="Toys", caption="Counted by hand.", alt="Three toys.", table=table, height=1.0
        )

    def section(results: Results) -> Section | None:
        return section_of("toy", "A toy", [Text(f"A toy of {results.study.study_id}."), picture()])

    module.section = section  # type: ignore[attr-defined]
    return module


@pytest.fixture
def with_a_toy(monkeypatch: pytest.MonkeyPatch) -> None:
    first, (name, makes), *others = contents.PARTS
    monkeypatch.setattr(contents, "PARTS", (first, (name, (makes[0], toy_module().section, *makes[1:])), *others))


@pytest.mark.usefixtures("with_a_toy")
def test_a_new_section_stands_in_contents_body_and_figures_where_its_entry_does() -> None:
    sections = sections_of(RESULTS)
    html = render_page(RESULTS, sections)

    listed = re.findall(r'<li><a href="#([^"]+)">', html)
    assert listed[:2] == [sections[0].anchor, "toy"]
    assert re.findall(r'<h2 id="([^"]+)">', html) == listed
    assert '<p class="prose">A toy of example.</p>' in html
    assert 'aria-label="Three toys."' in html
    assert "toys" in [picture.name for picture in pictures_of(sections)]


def test_a_section_without_anything_to_show_is_left_out() -> None:
    assert section_of("toy", "A toy", [Text("An introduction to nothing.")]) is None
    assert section_of("toy", "A toy", [Text("Worth saying.")], always=True) is not None


def test_every_module_of_sections_is_in_the_contents_once() -> None:
    stems = {path.stem for path in Path(sections_package.__path__[0]).glob("*.py")} - {"__init__"}
    modules = {stem: import_module(f"{sections_package.__name__}.{stem}") for stem in stems}
    files = {stem for stem, module in modules.items() if hasattr(module, "section") or hasattr(module, "sections")}
    entries = [make.__module__.rpartition(".")[2] for _, makes in contents.PARTS for make in makes]
    assert set(entries) == files
    assert len(entries) == len(files)


def test_each_outcome_is_a_section_of_its_own_under_the_name_of_its_part() -> None:
    parts = {section.anchor: section.part for section in sections_of(RESULTS)}

    own = [anchor for anchor, part in parts.items() if part == "Outcome by outcome"]
    assert own == ["answer", *(f"answer-{outcome.outcome_id}" for outcome in RESULTS.study.outcomes)]
    assert list(dict.fromkeys(parts.values())) == [
        "Outcome by outcome",
        "Across outcomes",
        "The data",
        "How it was done",
    ]
