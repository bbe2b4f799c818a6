"""The report as a Word file, written with python-docx: headings, tables and figures with their alternative texts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Length, Mm, Pt

from sos_spark.report.blocks import DataTable, Picture
from sos_spark.report.export.document import Grid, Paragraph, Piece, Title

_THEN = datetime(1980, 1, 1)
"""The day of every file and part: equal results give equal bytes."""
_WIDTH = Mm(170)
_LETTERS, _LONG_CELL, _OF_WORDS, _SHORT_CELL, _MANY_COLUMNS = 105, 60, 24, 14, 7
"""Letters of 8 points in a line of the page, the most that a cell asks room for, what one of several words is sure of,
those of one that is not broken, and the columns beyond which type is smaller."""


def as_word(pieces: Iterable[Piece], *, title: str, mark: str) -> bytes:
    """Returns a document as a Word file of A4; `title` and `mark` stand at the top of every page, its number below."""
    document = Document()
    _page(document, title, mark)
    for piece in pieces:
        match piece:
            case Title(words, level):
                document.add_heading(words, level=level - 1)
            case Paragraph():
                _paragraph(document, piece)
            case Grid(caption, content):
                _caption(document, caption)
                _table(document, content)
            case Picture():
                _picture(document, piece)
    kept = io.BytesIO()
    document.save(kept)
    return _dated(kept)


def _page(document: Any, title: str, mark: str) -> None:
    properties, style, section = document.core_properties, document.styles["Normal"], document.sections[0]
    properties.title, properties.author, properties.comments = title, "", mark
    properties.created = properties.modified = properties.last_printed = _THEN
    style.font.name, style.font.size = "Calibri", Pt(10)
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(20)
    section.header.paragraphs[0].text = f"{title}\t\t{mark}"
    number = section.footer.paragraphs[0]
    number.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for kind, words in (("begin", ""), ("", "PAGE"), ("end", "")):
        run = number.add_run()
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        else:
            part.text = words
        run._r.append(part)


def _paragraph(document: Any, piece: Paragraph) -> None:
    written = document.add_paragraph(style="List Bullet" if piece.item else None)
    for run in piece.runs:
        added = written.add_run(run.words)
        added.bold, added.italic = run.look == "strong" or None, run.look == "emphasis" or None
        if run.look == "code":
            added.font.name = "Consolas"


def _caption(document: Any, words: str) -> None:
    caption = document.add_paragraph(words, style="Caption")
    caption.paragraph_format.keep_with_next = True


def _table(document: Any, content: DataTable) -> None:
    header = [name.replace("\u00ad", "") for name in content.header]
    lines, width = (header, *content.rows), len(header)
    table = document.add_table(rows=len(lines), cols=width, style="Light Shading")
    table.autofit = False
    _narrow_margins(table)
    table._tbl.tblPr.find(qn("w:tblLook")).set(qn("w:val"), "06A0")  # rules above and below, no grey bands
    size = Pt(8 if width <= _MANY_COLUMNS else 7)
    widths = column_widths(header, content.rows)
    for column, wide in zip(table.columns, widths, strict=True):
        column._gridCol.w = wide
    cells = table._cells  # all at once: asked for row by row, each row counts every cell again
    for place, words in enumerate(words for line in lines for words in line):
        paragraph, column = cells[place].paragraphs[0], place % width
        cells[place]._tc.width = widths[column]
        added = paragraph.add_run(words)
        added.font.size, added.bold = size, place < width
        if content.numeric <= column < width - content.words:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for line in table._tbl.tr_lst:
        line.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    table._tbl.tr_lst[0].get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    document.add_paragraph()


def _narrow_margins(table: Any) -> None:
    """A millimetre left and right of a cell's words, half of what the style has."""
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), "57")
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    table._tbl.tblPr.find(qn("w:tblLook")).addprevious(margins)


def column_widths(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Length]:
    """Returns widths that fill the page: room for what must not break first, the rest by what a column's cells hold."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    whole = [min(max(map(len, column), default=0) + 3, _LONG_CELL) for column in columns]
    named = [max(map(len, name.split()), default=0) + 4 for name in header]
    unbroken = [max(map(_unbroken, column), default=0) + 3 for column in columns]
    least = list(map(max, named, unbroken, (min(full, _OF_WORDS) for full in whole)))
    room = max(_LETTERS - sum(least), 0)
    wanted = [max(full - short, 0) for full, short in zip(whole, least, strict=True)]
    given = [short + room * more / max(sum(wanted), 1) for short, more in zip(least, wanted, strict=True)]
    return [Length(int(_WIDTH * letters / sum(given))) for letters in given]


def _unbroken(cell: str) -> int:
    """Letters of a cell that stay on one line: a short one, such as an interval, or else its longest word."""
    return len(cell) if len(cell) <= _SHORT_CELL else max(map(len, cell.split()))


def _picture(document: Any, picture: Picture) -> None:
    if picture.title:
        _caption(document, picture.title)
    said = document.add_picture(io.BytesIO(picture.drawn.png), width=_WIDTH)._inline.docPr
    said.set("descr", picture.alt)
    said.set("name", picture.name)
    if picture.caption:
        document.add_paragraph(picture.caption)


def _dated(kept: io.BytesIO) -> bytes:
    """The same archive, every part of which carries the same day."""
    again = io.BytesIO()
    with zipfile.ZipFile(kept) as source, zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            packed = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            target.writestr(zipfile.ZipInfo(name, _THEN.timetuple()[:6]), source.read(name), packed)
    return again.getvalue()
