"""The report's tables one by one, as HTML and as LaTeX for a paper, by great-tables: the extra `tables`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from sos_spark.report.blocks import DataTable, Picture, Section, Table
from sos_spark.report.export.document import answers_of
from sos_spark.report.export.word import column_widths
from sos_spark.report.front.screen import Front

if TYPE_CHECKING:
    from great_tables import GT

LONG = 30
"""Rows beyond which a table breaks over pages."""
PACKAGES = "array,booktabs,caption,longtable"
PREAMBLE = rf"""\documentclass[a4paper]{{article}}
\usepackage[T1]{{fontenc}}
\usepackage[margin=20mm]{{geometry}}
\usepackage{{{PACKAGES}}}
"""
_NOT_IN_TEXT = {
    "\u00ad": r"\-", "\u00a0": "~", "\u2007": "~", "\u2009": r"\,", "\u2011": "-", "\u2212": r"$-$",
    "\u2264": r"$\leq$", "\u2265": r"$\geq$", "\u2248": r"$\approx$", "\u2192": r"$\rightarrow$", "\u2260": r"$\neq$",
}  # fmt: skip
"""What pdfLaTeX has no letter for, and what stands in its place."""


@dataclass(frozen=True)
class Named:
    """A table with the name of its files and its caption."""

    name: str
    caption: str
    content: DataTable


def tables_of(front: Front, sections: Iterable[Section]) -> Iterator[Named]:
    """Yields what was found, then every table and every figure's numbers in the order of the page; none is empty.

    A table is named after its section, the second of one `-2`; a figure's after the figure.
    """
    yield Named("answer", "What was found", answers_of(front))
    used = Counter({"answer": 1})
    for section in sections:
        for block in section.blocks:
            match block:
                case Table(caption, content) if content.rows:
                    name = section.anchor
                case Picture(picture, title, _, _, content) if content.rows:
                    name, caption = f"figure-{picture}", _figure_caption(section.title, title)
                case _:
                    continue
            used[name] += 1
            yield Named(name if used[name] == 1 else f"{name}-{used[name]}", caption, content)


def _figure_caption(section: str, title: str) -> str:
    return title if section in ("", title) else f"{section}: {title}" if title else section


def as_html(table: Named, mark: str) -> str:
    """Returns a table as a page of its own, under which `mark` stands: no script, nothing fetched, all escaped."""
    header = tuple(name.replace("\u00ad", "") for name in table.content.header)
    return _drawn(table, header, mark).as_raw_html(make_page=True) + "\n"


def as_latex(table: Named, mark: str) -> str:
    """Returns a table, under which `mark` stands, as LaTeX for a document that has the packages of `PREAMBLE`.

    Columns are as wide as in the Word file, and fill the line. A table of more than `LONG` rows breaks over pages.
    """
    content, long = table.content, len(table.content.rows) > LONG
    right = _flush_right(content)
    letters = "".join("r" if flush else "l" for flush in right)
    columns = "".join(_column(share, flush) for share, flush in zip(_shares(content), right, strict=True))
    opened = r"\begin{longtable}{" if long else r"{@{\extracolsep{\fill}}"
    drawn = _drawn(table, content.header, mark).as_latex(use_longtable=long)
    text = drawn.replace(f"{opened}{letters}}}", f"{opened}{columns}}}", 1).strip()
    for one, instead in _NOT_IN_TEXT.items():
        text = text.replace(one, instead)
    return f"% \\usepackage{{{PACKAGES}}}\n{text}\n"


def all_in_one(names: Sequence[str]) -> str:
    """Returns a LaTeX document that shows the tables of these names, which lie beside it."""
    shown = "".join(f"\\input{{{name}}}\n\\clearpage\n" for name in names)
    return f"{PREAMBLE}\\begin{{document}}\n{shown}\\end{{document}}\n"


def _drawn(table: Named, header: Sequence[str], mark: str) -> GT:
    from great_tables import GT

    content = table.content
    columns = [f"c{place}" for place in range(len(header))]
    flush = [name for name, right in zip(columns, _flush_right(content), strict=True) if right]
    drawn = GT(pd.DataFrame(list(content.rows), columns=columns, dtype=str), id=table.name)
    drawn = drawn.tab_header(title=table.caption).cols_label(dict(zip(columns, header, strict=True)))
    drawn = drawn.cols_align("left").cols_align("right", columns=flush).tab_source_note(mark)
    return drawn.tab_options(table_font_size="8pt")


def _flush_right(content: DataTable) -> list[bool]:
    last = len(content.header) - content.words
    return [content.numeric <= place < last for place in range(len(content.header))]


def _shares(content: DataTable) -> list[float]:
    """The share of the line that each column takes."""
    widths = column_widths([name.replace("\u00ad", "") for name in content.header], content.rows)
    return [width / sum(widths) for width in widths]


def _column(share: float, flush: bool) -> str:
    side = "left" if flush else "right"
    return rf">{{\ragged{side}\arraybackslash}}p{{\dimexpr{share:.4f}\linewidth-2\tabcolsep\relax}}"
