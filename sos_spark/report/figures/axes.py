"""What figures share on their axes: the line of no effect, named rows, panels, labels of periods, go-live."""

from __future__ import annotations

import textwrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sos_spark.report.figures.style import INK, QUIET


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
    """Returns one titled panel for each title, row by row; places that are left over stay empty."""
    n_rows = -(-len(titles) // columns)
    grid = figure.subplots(n_rows, columns, squeeze=False).ravel()
    for axes in grid[len(titles) :]:
        axes.set_axis_off()
    for axes, title in zip(grid, titles, strict=False):
        axes.set_title(wrapped(title, width=72 // columns))
    return list(grid[: len(titles)])


def wrapped(text: str, *, width: int) -> str:
    """Returns a title broken into lines of about `width` characters."""
    return "\n".join(textwrap.wrap(text, width=width, break_long_words=False))


def room_for_zero(low: float, high: float, *, margin: float = 0.08) -> tuple[float, float]:
    """Returns the limits of an axis of changes: all values and zero, with a margin."""
    low, high = min(low, 0.0), max(high, 0.0)
    pad = (high - low) * margin or 1.0
    return low - pad, high + pad


def label_every(n_periods: int, period: str, *, room: int = 8) -> int:
    """Returns how many periods lie between two of about `room` labels: whole years where there are many."""
    if n_periods <= room:
        return 1
    a_year = {"month": 12, "quarter": 4, "year": 1}[period]
    return a_year * max(1, round(n_periods / a_year / room))


def go_live_line(axes: Axes, at: float, *, label: str = "Go-live") -> None:
    """Marks where a treated period begins; no label: the line alone."""
    axes.axvline(at, color=QUIET, linewidth=0.9, linestyle=(0, (3, 3)), zorder=1)
    if label:
        axes.annotate(
            label, (at, 1.0), xycoords=("data", "axes fraction"), xytext=(4, -1), textcoords="offset points",
            va="top", color=INK, fontsize=8,
        )  # fmt: skip
