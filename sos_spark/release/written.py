"""Cleared tables for people: Markdown and Word."""

from __future__ import annotations

import io
import zipfile
from xml.sax.saxutils import escape

from sos_spark.release.cleared import ClearedTable

_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>'
    "</Relationships>"
)
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_THEN = (1980, 1, 1, 0, 0, 0)
"""The day of every part of a Word file: equal tables give equal bytes."""


def as_markdown(table: ClearedTable) -> str:
    """Returns a cleared table as Markdown, its title above it."""
    header = list(table.text.columns)
    numeric = [table.columns[name] != "label" for name in header]
    lines = [header, ["---:" if right else "---" for right in numeric], *table.text.to_numpy().tolist()]
    rows = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines]
    return f"## {table.title}\n\n" + "\n".join(rows) + "\n"


def as_word(tables: list[ClearedTable]) -> bytes:
    """Returns cleared tables as one Word file, each under its title."""
    body = "".join(_heading(table.title) + _word_table(table) for table in tables)
    page = '<w:sectPr><w:pgSz w:w="16838" w:h="11906" w:orient="landscape"/></w:sectPr>'
    document = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f'<w:document xmlns:w="{_WORD}"><w:body>{body}{page}</w:body></w:document>'
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            ("[Content_Types].xml", _TYPES),
            ("_rels/.rels", _RELATIONS),
            ("word/document.xml", document),
        ):
            archive.writestr(zipfile.ZipInfo(name, _THEN), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _heading(words: str) -> str:
    return f'<w:p><w:r><w:rPr><w:b/><w:sz w:val="26"/></w:rPr><w:t>{escape(words)}</w:t></w:r></w:p>'


def _word_table(table: ClearedTable) -> str:
    edges = "".join(f'<w:{side} w:val="single" w:sz="4" w:color="BFBFBF"/>' for side in ("top", "bottom", "insideH"))
    lines = [list(table.text.columns), *table.text.to_numpy().tolist()]
    right = [table.columns[name] != "label" for name in table.text.columns]
    rows = "".join(_word_row(line, right, bold=not place) for place, line in enumerate(lines))
    return f"<w:tbl><w:tblPr><w:tblBorders>{edges}</w:tblBorders></w:tblPr>{rows}</w:tbl><w:p/>"


def _word_row(line: list[str], right: list[bool], *, bold: bool) -> str:
    cells = []
    for cell, flush in zip(line, right, strict=True):
        place = '<w:pPr><w:jc w:val="right"/></w:pPr>' if flush else ""
        weight = "<w:b/>" if bold else ""
        run = f'<w:r><w:rPr>{weight}<w:sz w:val="15"/></w:rPr><w:t xml:space="preserve">{escape(str(cell))}</w:t></w:r>'
        cells.append(f"<w:tc><w:p>{place}{run}</w:p></w:tc>")
    return f"<w:tr>{'<w:trPr><w:tblHeader/></w:trPr>' if bold else ''}{''.join(cells)}</w:tr>"
