"""The report as a Word file, written with python-docx: headings, tables and figures with their alternative texts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from sos_spark.report.blocks import DataTable, Picture
from sos_spark.report.export.document import Grid, Paragraph, Piece, Title

_THEN = datetime(1980, 1, 1)
"""The day of every file and part: equal results give equal bytes."""
_WIDTH = Mm(170)


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
    lines = ([name.replace("\u00ad", "") for name in content.header], *content.rows)
    width = len(content.header)
    table = document.add_table(rows=len(lines), cols=width, style="Light List")
    cells = table._cells  # all at once: asked for row by row, each row counts every cell again
    for place, words in enumerate(words for line in lines for words in line):
        paragraph, column = cells[place].paragraphs[0], place % width
        added = paragraph.add_run(words)
        added.font.size = Pt(8)
        if place < width:
            added.bold = True
        if content.numeric <= column < width - content.words:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    document.add_paragraph()


def _picture(document: Any, picture: Picture) -> None:
    _caption(document, picture.title)
    document.add_picture(io.BytesIO(picture.drawn.png), width=_WIDTH)
    said = document.inline_shapes[-1]._inline.docPr
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
