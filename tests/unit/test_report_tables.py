"""The report's tables as HTML and LaTeX: nothing of a cell is read as code, and none is lost."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from sos_spark.report.blocks import DataTable, Drawn, Picture, Section, Table, Text
from sos_spark.report.export.tables import LONG, Named, all_in_one, as_html, as_latex, tables_of
from sos_spark.report.front.screen import front_of
from tests.unit import report_example_whole

MARK = "Not cleared & simulated"
NASTY = r"<b>5% & $6 #1 {x}_y^2 ~ \input{/etc/passwd}"
LATEX = (
    r"\textless{}b\textgreater{}5\% \& \$6 \#1 \{x\}\_y\textasciicircum{}2 \textasciitilde{}"
    r" \textbackslash{}input\{/etc/passwd\}"
)
TOYS = Named("toys", NASTY, DataTable((NASTY, "How ma\u00adny"), ((NASTY, "\u22121.5"), ("dolls", "2"))))


class Cells(HTMLParser):
    """The text of each cell, and the tags of the page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.tags: set[str] = set()
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self._open = self._open or tag in ("td", "th")
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._open:
            self.cells[-1] += data


def test_a_page_holds_every_cell_as_text_and_nothing_that_runs_or_is_fetched() -> None:
    page = as_html(TOYS, MARK)

    found = Cells(page)
    assert found.cells == [NASTY, NASTY, "How many", NASTY, "\u22121.5", "dolls", "2", MARK]
    assert not found.tags & {"b", "script", "link", "img"}
    assert "http" not in page


def test_latex_holds_every_cell_as_text_in_letters_that_it_has() -> None:
    text = as_latex(TOYS, MARK)

    assert text.count(LATEX) == 3  # caption, header, cell
    assert rf"{LATEX} & How ma\-ny \\" in text
    assert rf"{LATEX} & $-$1.5 \\" in text
    assert r"Not cleared \& simulated" in text
    assert text.isascii()


@pytest.mark.parametrize(("n_rows", "environment"), [(LONG, "tabular*"), (LONG + 1, "longtable")])
def test_columns_of_latex_fill_the_line_and_long_tables_break(n_rows: int, environment: str) -> None:
    content = DataTable(("Toy", "Note", "n"), (("doll", "of wood, and painted", "1"),) * n_rows, numeric=2)

    text = as_latex(Named("toys", "Toys", content), MARK)

    columns = re.findall(r">\{\\ragged(left|right)\\arraybackslash\}p\{\\dimexpr([\d.]+)\\linewidth", text)
    assert [side for side, _ in columns] == ["right", "right", "left"]
    assert sum(float(share) for _, share in columns) == pytest.approx(1, abs=2e-4)
    assert re.findall(r"\\(begin|end)\{" + re.escape(environment) + r"\}", text) == ["begin", "end"]
    assert text.count("doll &") == n_rows


def test_tables_are_named_after_section_and_figure_and_empty_ones_left_out() -> None:
    full, empty = DataTable(("What", "n"), (("dolls", "2"),)), DataTable(("What", "n"), ())

    def unasked() -> Drawn:
        raise AssertionError("a figure was drawn")

    picture = Picture("trend", "Toys fell", "", "", full, (1, 1), unasked, ())
    blocks = (Text("Words."), Table("First", full), Table("None", empty), Table("Second", full), picture)

    found = list(tables_of(front_of(report_example_whole.results(), ()), [Section("toys", "Toys", blocks)]))

    assert [(one.name, one.caption) for one in found] == [
        ("answer", "What was found"), ("toys", "First"), ("toys-2", "Second"), ("figure-trend", "Toys: Toys fell"),
    ]  # fmt: skip
    assert found[0].content.rows


def test_one_document_reads_every_table() -> None:
    text = all_in_one(["answer", "toys"])

    assert re.findall(r"\\input\{(.*)\}", text) == ["answer", "toys"]
    assert text.index(r"\begin{document}") < text.index(r"\input{answer}") < text.index(r"\end{document}")
