"""The report as Markdown, its figures those of the folder beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sos_spark.report.blocks import DataTable, Picture
from sos_spark.report.export.document import Grid, Look, Paragraph, Piece, Title

_MARKS: dict[Look, str] = {"plain": "", "strong": "**", "emphasis": "*", "code": "`"}
_SPECIAL = re.compile(r"([\\`*_<>\[\]|])")


def as_markdown(pieces: Iterable[Piece], *, figures: str = "figures") -> str:
    """Returns a document as Markdown; a figure is named by its file in the folder `figures`."""
    lines: list[str] = []
    listed = False
    for piece in pieces:
        item = isinstance(piece, Paragraph) and piece.item
        if lines and not (item and listed):
            lines.append("")
        listed = item
        lines.append(_piece(piece, figures))
    return "\n".join(lines) + "\n"


def pipe_table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool]) -> str:
    """Returns a table as Markdown; `right`: which columns are set flush right."""
    lines = [header, ["---:" if flush else "---" for flush in right], *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _piece(piece: Piece, figures: str) -> str:
    match piece:
        case Title(words, level):
            return f"{'#' * level} {_escaped(words)}"
        case Paragraph(runs, item):
            said = "".join(f"{_MARKS[run.look]}{_words(run.words, run.look)}{_MARKS[run.look]}" for run in runs)
            return f"- {said}" if item else said
        case Grid(caption, content):
            return f"**{_escaped(caption)}**\n\n{_table(content)}"
        case Picture():
            below = f"\n\n{_escaped(piece.caption)}" if piece.caption else ""
            above = f"**{_escaped(piece.title)}**\n\n" if piece.title else ""
            return f"{above}![{_escaped(piece.alt)}]({figures}/{piece.name}.png){below}"


def _words(words: str, look: Look) -> str:
    return words if look == "code" else _escaped(words)


def _table(content: DataTable) -> str:
    last = len(content.header) - content.words
    right = [content.numeric <= place < last for place in range(len(content.header))]
    header = [name.replace("\u00ad", "") for name in content.header]
    return pipe_table(header, content.rows, right)


def _escaped(words: str) -> str:
    return _SPECIAL.sub(r"\\\1", re.sub(r"\s+", " ", words))
