"""Sections of the page that topics make themselves: a heading and blocks, rendered by one template."""

from __future__ import annotations

from dataclasses import dataclass

from sos_spark.report.figures.style import DataTable, Picture


@dataclass(frozen=True)
class Text:
    """A paragraph; quiet: smaller and grey."""

    words: str
    quiet: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    words: str


@dataclass(frozen=True)
class Bullets:
    """A list; quiet as a paragraph's. An empty one is left out."""

    items: tuple[str, ...]
    quiet: bool = False


@dataclass(frozen=True)
class Banner:
    """What a reader must not miss about the blocks below it."""

    title: str
    words: str


@dataclass(frozen=True)
class Table:
    """A table with its caption; folded: shown on request."""

    caption: str
    content: DataTable
    folded: bool = False


Block = Text | Heading | Bullets | Banner | Table | Picture


@dataclass(frozen=True)
class Section:
    """A section: `anchor` is the id of its heading, which the contents list leads to."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The figures among its blocks."""
        return tuple(block for block in self.blocks if isinstance(block, Picture))


def section(anchor: str, title: str, blocks: list[Block | None]) -> Section | None:
    """Returns a section of the blocks that are there; None where nothing but words of introduction is."""
    kept = tuple(
        block for block in blocks if block is not None and not (isinstance(block, Bullets) and not block.items)
    )
    return Section(anchor, title, kept) if any(not isinstance(block, Text | Heading) for block in kept) else None
