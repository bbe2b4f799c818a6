"""The house style of figures: calm, colour-blind safe, labelled directly; their bytes depend on the data only.

Pilots are blue, solid and round; comparators orange, dashed and square: colour is never the only difference. Figures
are as wide as the text of an A4 page.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

PILOT, COMPARATOR = "#00599c", "#a84300"
INK, QUIET, FAINT, WASH = "#1a1a1a", "#595959", "#c9c9c9", "#eef1f4"
ARM_COLOURS = {"pilot": PILOT, "comparator": COMPARATOR, "unused": QUIET, "all": QUIET}
WIDTH = 7.0
"""Inches."""

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelsize": 8.5,
    "axes.labelcolor": QUIET,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.7,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "text.color": INK,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "svg.hashsalt": "sos_spark",
    "svg.fonttype": "path",
    "figure.dpi": 200,
}


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
class Picture:
    """A figure of the report. `name` is its file's; `alt` says in words what it shows; `table` holds its numbers.

    `size` is its width and height in CSS pixels, 96 an inch.
    """

    name: str
    title: str
    caption: str
    alt: str
    svg: bytes
    png: bytes
    table: DataTable
    size: tuple[int, int]


@contextmanager
def house_style() -> Iterator[None]:
    """Draws in the house style, whatever the caller's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def draw(
    name: str, *, title: str, caption: str, alt: str, table: DataTable, height: float, paint: Callable[[Figure], None]
) -> Picture:
    """Returns a picture, `height` inches high, that `paint` draws on an empty figure."""
    with house_style():
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasAgg(figure)
        paint(figure)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # laid out once, not once a format
        svg, png = io.BytesIO(), io.BytesIO()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        figure.savefig(png, format="png", metadata={"Software": None})
    return Picture(
        name, title, caption, alt, svg.getvalue(), png.getvalue(), table, (round(96 * WIDTH), round(96 * height))
    )


def zero_line(axes: Axes, *, horizontal: bool = True) -> None:
    """Draws the line of no effect."""
    (axes.axhline if horizontal else axes.axvline)(0, color=INK, linewidth=0.9, zorder=1.5)


def bare_rows(axes: Axes, names: list[str]) -> None:
    """Turns the vertical axis into named rows, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def panels(figure: Figure, titles: list[str], *, columns: int = 2) -> list[Axes]:
    """Returns a titled panel each, row by row, so many to a row; places that are left over stay empty."""
    n_rows = -(-len(titles) // columns)
    grid = figure.subplots(n_rows, columns, squeeze=False).ravel()
    for axes in grid[len(titles) :]:
        axes.set_axis_off()
    for axes, title in zip(grid, titles, strict=False):
        axes.set_title(wrapped(title, width=72 // columns))
    return list(grid[: len(titles)])


def wrapped(text: str, *, width: int) -> str:
    """Returns a title broken into lines of about so many characters."""
    return "\n".join(textwrap.wrap(text, width=width, break_long_words=False))


def room_for_zero(low: float, high: float, *, margin: float = 0.08) -> tuple[float, float]:
    """Returns the limits of an axis of changes: all values and zero, with a margin."""
    low, high = min(low, 0.0), max(high, 0.0)
    pad = (high - low) * margin or 1.0
    return low - pad, high + pad
