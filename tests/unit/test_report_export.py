"""The report as Markdown and as a Word file: the page's words, tables and figures, each once and in order."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from docx import Document
from docx.shared import Mm
from matplotlib.figure import Figure

from sos_spark.report.blocks import (
    Bullets,
    Card,
    Code,
    DataTable,
    Drawn,
    Heading,
    Markdown,
    Picture,
    Section,
    Strong,
    Table,
    Text,
)
from sos_spark.report.export.document import Piece, pieces_of
from sos_spark.report.export.markdown import as_markdown
from sos_spark.report.export.word import as_word, column_widths
from sos_spark.report.figures.style import drawn
from sos_spark.report.front.screen import front_of
from tests.unit import report_example_whole

MARK = "Not cleared for release - simulated data"
TABLE = DataTable(("What", "How ma\u00adny", "Note"), (("toys | dolls", "3", "all of them"),), words=1)


def a_drawing() -> Drawn:
    def paint(figure: Figure) -> None:
        figure.subplots().set_title("Toys")

    return drawn(paint, 1.0)


SECTIONS = (
    Section(
        "toys",
        "Toys_and *dolls*",
        (
            Text(("Counted in ", Code("toys.csv"), ", ", Strong("twice"))),
            Card("Three of them", figure="3", words="They were <counted>."),
            Heading("How"),
            Bullets(("by hand", "by eye"), folded="Ways"),
            Table("A table of toys", TABLE, folded=True),
            Picture("toys", "All toys", "A caption.", "Three toys.", TABLE, (672, 96), a_drawing, ()),
            Markdown("Words of\nthe authors."),
        ),
        part="Outcome by outcome",
    ),
    Section(
        "last",
        "The last",
        (
            Bullets(("Brent", "Norfolk"), look="columns"),
            Table("A long table", replace(TABLE, rows=TABLE.rows * 31), folded=True),
            Picture("dolls", "The last", "", "Two dolls.", TABLE, (672, 96), a_drawing, ()),
        ),
        part="The last",
    ),
)


@pytest.fixture(scope="module")
def pieces() -> tuple[Piece, ...]:
    return tuple(pieces_of(front_of(report_example_whole.results(), ()), MARK, SECTIONS))


@pytest.fixture(scope="module")
def word(pieces: tuple[Piece, ...]) -> bytes:
    return as_word(pieces, title="Toys", mark=MARK)


@pytest.fixture(scope="module")
def document(word: bytes) -> Any:
    return Document(io.BytesIO(word))


def test_markdown_holds_everything_in_order(pieces: tuple[Piece, ...]) -> None:
    text = as_markdown(pieces)

    said = [
        "# ", f"{MARK}.**", "| Outcome | Before | Change |", "How sure are we?", "## Outcome by outcome",
        "### Toys\\_and \\*dolls\\*", "Counted in `toys.csv`, **twice**", "**Three of them**",
        "They were \\<counted\\>.", "#### How", "- by hand\n- by eye\n",
        "| What | How many | Note |\n| --- | ---: | --- |\n| toys \\| dolls | 3 |",
        "![Three toys.](figures/toys.png)", "A caption.", "Words of the authors.", "## The last\n\nBrent, Norfolk.\n",
        "A long table: a table of 31 rows, which report.html holds.\n\n![Two dolls.]",
    ]  # fmt: skip
    places = [text.index(one) for one in said]
    assert places == sorted(places)


def test_word_holds_everything_in_order(document: Any) -> None:
    paragraphs = [paragraph.text for paragraph in document.paragraphs if paragraph.text]

    said = ["Outcome by outcome", "Toys_and *dolls*", "Counted in toys.csv, twice", "Three of them", "3",
            "They were <counted>.", "How", "by hand", "by eye", "A table of toys", "All toys", "A caption.",
            "Words of the authors.", "The last", "Brent, Norfolk.",
            "A long table: a table of 31 rows, which report.html holds."]  # fmt: skip
    assert paragraphs[-len(said) :] == said
    assert [cell.text for row in document.tables[-1].rows for cell in row.cells] == [
        "What", "How many", "Note", "toys | dolls", "3", "all of them",
    ]  # fmt: skip


def test_every_page_of_the_word_file_carries_title_mark_and_number(document: Any) -> None:
    section = document.sections[0]

    assert section.header.paragraphs[0].text == f"Toys\t\t{MARK}"
    assert "PAGE" in section.footer.paragraphs[0]._p.xml


def test_a_figure_in_the_word_file_says_what_it_shows(word: bytes, document: Any) -> None:
    assert len(document.inline_shapes) == 2
    assert document.inline_shapes[0]._inline.docPr.get("descr") == "Three toys."
    with zipfile.ZipFile(io.BytesIO(word)) as archive:
        assert any(re.fullmatch(r"word/media/.*\.png", name) for name in archive.namelist())


def test_a_column_is_as_wide_as_what_must_not_break_and_words_get_the_rest() -> None:
    words = "A sentence of some length that may be broken where it likes to be"
    note, number, interval = column_widths(["Note", "n", "95% interval"], [[words, "7", "-12.4 to 1.3"]] * 3)
    assert note > 3 * number
    assert note > interval > number
    assert note + number + interval == pytest.approx(Mm(170), rel=1e-4)


def test_equal_results_give_equal_bytes(word: bytes, pieces: tuple[Piece, ...]) -> None:
    assert as_word(pieces, title="Toys", mark=MARK) == word
