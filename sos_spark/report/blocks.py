"""What a section is made of: words, tables and figures in the order in which they are read. Nothing here is HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sos_spark.report.figures.places import RowPanel
from sos_spark.report.figures.plot import Plot


@dataclass(frozen=True)
class Code:
    """The name of a file, or what a machine made, within a sentence."""

    words: str


@dataclass(frozen=True)
class Strong:
    """What must not be missed within a sentence."""

    words: str


@dataclass(frozen=True)
class Work:
    """The title of a published work within a sentence."""

    words: str


@dataclass(frozen=True)
class Mark:
    """What was not declared in the plan, said as the page marks it."""

    words: str


@dataclass(frozen=True)
class Link:
    """Words that lead to another section, by its anchor."""

    words: str
    anchor: str


Words = str | tuple[str | Code | Strong | Work | Mark | Link, ...]
"""A sentence: plain, or in pieces of which some are set apart."""


@dataclass(frozen=True)
class DataTable:
    """Numbers as text, set flush right from column `numeric` on; the last `words` columns are words again."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: int = 1
    words: int = 0

    def trimmed(self) -> DataTable:
        """Returns the table without those last columns of words that say nothing in any row."""
        words = self.words
        while words and all(not row[len(self.header) - self.words + words - 1] for row in self.rows):
            words -= 1
        kept = len(self.header) - self.words + words
        return DataTable(self.header[:kept], tuple(row[:kept] for row in self.rows), self.numeric, words)


@dataclass(frozen=True)
class Drawn:
    """A figure's two files."""

    svg: bytes
    png: bytes


@dataclass(frozen=True)
class Boxes:
    """How many are left at each stage, by arm, and how many were lost on the way to it: a line for each outcome."""

    stages: tuple[str, ...]
    lines: tuple[BoxLine, ...]


@dataclass(frozen=True)
class BoxLine:
    """An outcome's boxes; each holds a count and a loss for each arm, blank where it was not counted."""

    name: str
    arms: tuple[tuple[str, str], ...]
    counts: tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True)
class Shaded:
    """A table whose cells are shaded by size: `shares` of the largest value, None where there is no value."""

    header: tuple[str, ...]
    names: tuple[tuple[str, str], ...]
    cells: tuple[tuple[str, ...], ...]
    shares: tuple[tuple[float | None, ...], ...]


Form = tuple[RowPanel, ...] | tuple[Plot, ...] | Boxes | Shaded


@dataclass(frozen=True)
class View:
    """What a page shows in a figure's place on request: of one authority, say. `alt` and `table` as a picture's."""

    name: str
    alt: str
    plots: tuple[Plot, ...]
    table: DataTable


@dataclass(frozen=True)
class Picture:
    """A figure of the report. `name` is its file's; `alt` says in words what it shows; `table` holds its numbers.

    `form` is what it shows as data, which a page draws itself, at any width. `size` is
    the width and height of its files in CSS pixels, 96 to an inch; they are drawn when first asked for. A page lets
    its reader choose between it, by the name of `first`, and its `views`, which files do not have.
    """

    name: str
    title: str
    caption: str
    alt: str
    table: DataTable
    size: tuple[int, int]
    draw: Callable[[], Drawn]
    form: Form
    first: str = ""
    views: tuple[View, ...] = ()

    @cached_property
    def drawn(self) -> Drawn:
        """The figure's files."""
        return self.draw()

    def keep(self, drawn: Drawn) -> None:
        """Takes the figure's files as drawn, by another process say."""
        self.__dict__["drawn"] = drawn


@dataclass(frozen=True)
class Text:
    """A paragraph; quiet: smaller and grey."""

    words: Words
    quiet: bool = False


@dataclass(frozen=True)
class Lead:
    """The paragraph that a hurried reader stops at."""

    words: str


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    words: str


@dataclass(frozen=True)
class Bullets:
    """A list; quiet as a paragraph's. An empty one is left out; `folded`: shown on request, under these words."""

    items: Sequence[Words]
    quiet: bool = False
    look: Literal["prose", "columns", "references"] = "prose"
    folded: str = ""


@dataclass(frozen=True)
class Markdown:
    """Words of the study file as its authors formatted them."""

    words: str


@dataclass(frozen=True)
class Banner:
    """What a reader must not miss about the blocks below it."""

    title: str
    words: str


@dataclass(frozen=True)
class Card:
    """One answer, framed: `aside` and `mark` stand behind it, `figure` and `interval` large below it.

    `stands_out`: the frame is coloured. Blank parts are left out.
    """

    answer: str
    aside: str = ""
    mark: str = ""
    figure: str = ""
    interval: str = ""
    words: str = ""
    small_print: str = ""
    stands_out: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its caption; folded: shown on request, under `summary` or else its caption and number of rows."""

    caption: str
    content: DataTable
    folded: bool = False
    summary: str = ""


@dataclass(frozen=True)
class Shade:
    """A cell of a heat table: its words, and how deep its colour is, from 0 (none) to 4; None: there is nothing.

    `mark` stands behind the words: letters that the table's caption explains.
    """

    words: str
    depth: int | None = 0
    mark: str = ""


@dataclass(frozen=True)
class HeatTable:
    """A table whose cells are coloured by how much there is of something; every cell says it in words, too.

    A row is its words, the first of which name it, and the shades that follow; the header has a name for each.
    `key` says what colours and marks mean.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], tuple[Shade, ...]], ...]
    key: str = ""


Block = Text | Lead | Heading | Bullets | Markdown | Banner | Card | Table | HeatTable | Picture


@dataclass(frozen=True)
class Section:
    """A section: `anchor` is the id of its heading, which the contents lead to, under the name of its `part`."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]
    part: str = ""

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The figures among its blocks."""
        return tuple(block for block in self.blocks if isinstance(block, Picture))


def section_of(anchor: str, title: str, blocks: Sequence[Block | None], *, always: bool = False) -> Section | None:
    """Returns a section of the blocks that are there; None where nothing but words of introduction is.

    `always`: the words alone are worth a section.
    """
    kept = tuple(
        block for block in blocks if block is not None and not (isinstance(block, Bullets) and not block.items)
    )
    there = always or any(not isinstance(block, Text | Heading) for block in kept)
    return Section(anchor, title, kept) if there else None
