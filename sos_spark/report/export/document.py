"""The report as a sequence of paragraphs, tables and figures, which Markdown and Word then write each in its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from sos_spark.report.blocks import (
    Banner,
    Block,
    Bullets,
    Card,
    Code,
    DataTable,
    Heading,
    Lead,
    Link,
    Mark,
    Markdown,
    Picture,
    Section,
    Strong,
    Table,
    Text,
    Words,
    Work,
)
from sos_spark.report.front.screen import Front

LONGEST_FOLDED = 30
"""Rows of a table that is folded on the page and still stands in a document."""
Look = Literal["plain", "strong", "emphasis", "code"]


@dataclass(frozen=True)
class Run:
    """Words of one look."""

    words: str
    look: Look = "plain"


@dataclass(frozen=True)
class Title:
    """A heading; level 1 is the document's own."""

    words: str
    level: int


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, or an item of a list."""

    runs: tuple[Run, ...]
    item: bool = False


@dataclass(frozen=True)
class Grid:
    """A table under its caption."""

    caption: str
    content: DataTable


Piece = Title | Paragraph | Grid | Picture


def pieces_of(front: Front, mark: str, sections: tuple[Section, ...]) -> Iterator[Piece]:
    """Yields the first screen in words and as a table, then every section, each figure once.

    A long table that the page folds is named, and left to the page. A title that repeats the one above it is left out.
    """
    yield Title(front.headline, 1)
    yield _said(f"{front.title}. {mark}.", "strong")
    yield _said(front.lede)
    yield Grid("What was found", answers_of(front))
    if front.checks:
        yield _said(f"How sure are we? {front.checks_in_words}.", "strong")
        for check in front.checks:
            yield _said(f"{'Holds' if check.holds else 'Caution'}: {check.words}", item=True)
    part = ""
    for section in sections:
        if section.part and section.part != part:
            part = section.part
            yield Title(part, 2)
        if section.title != section.part:
            yield Title(section.title, 3)
        for block in section.blocks:
            if isinstance(block, Picture) and block.title == section.title:
                yield replace(block, title="")
            else:
                yield from _block(block)


def answers_of(front: Front) -> DataTable:
    """Returns the first screen's rows: an outcome, what was before, the change, its interval and the answer."""
    rows = [
        (row.name, row.before.removesuffix(" before"), row.change, row.interval, row.verdict)
        for panel in front.panels
        for row in panel.rows
    ]
    return DataTable(("Outcome", "Before", "Change", "95% interval", "Answer"), tuple(rows), numeric=99)


def _said(words: str, look: Look = "plain", *, item: bool = False) -> Paragraph:
    return Paragraph((Run(words, look),), item)


def _runs(words: Words) -> tuple[Run, ...]:
    return (Run(words),) if isinstance(words, str) else tuple(_run(piece) for piece in words)


def _run(piece: str | Code | Strong | Work | Mark | Link) -> Run:
    match piece:
        case Code(words):
            return Run(words, "code")
        case Strong(words) | Mark(words):
            return Run(words, "strong")
        case Work(words):
            return Run(words, "emphasis")
        case Link(words, _):
            return Run(words)
        case _:
            return Run(piece)


def _block(block: Block) -> Iterator[Piece]:
    match block:
        case Text(words) | Lead(words):
            yield Paragraph(_runs(words))
        case Heading(words):
            yield Title(words, 4)
        case Bullets(items, _, "columns") if all(isinstance(item, str) for item in items):
            yield _said(f"{', '.join(map(str, items))}.")
        case Bullets():
            yield from (Paragraph(_runs(item), item=True) for item in block.items)
        case Banner(title, words):
            yield Paragraph((Run(f"{title}. ", "strong"), Run(words)))
        case Card():
            yield from _card(block)
        case Markdown(text):
            yield from (_said(" ".join(part.split())) for part in text.split("\n\n"))
        case Table(caption, content, folded=True) if len(content.rows) > LONGEST_FOLDED:
            yield _said(f"{caption}: a table of {len(content.rows)} rows, which report.html holds.")
        case Table(caption, content):
            yield Grid(caption, content)
        case Picture():
            yield block


def _card(card: Card) -> Iterator[Paragraph]:
    yield _said(" ".join(filter(None, (card.answer, card.aside, card.mark))), "strong")
    interval = f"({card.interval})" if card.interval else ""
    for words in (" ".join(filter(None, (card.figure, interval))), card.words, card.small_print):
        if words:
            yield _said(words)
