"""What figures share on their axes: the line of no effect, named rows, labels."""

from __future__ import annotations

import textwrap

from matplotlib.axes import Axes

from sos_spark.report.figures.style import INK
from sos_spark.report.words.numbers import Scale


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


def wrapped(text: str, *, width: int) -> str:
    """Returns a title broken into lines of about `width` characters."""
    return "\n".join(textwrap.wrap(text, width=width, break_long_words=False))


def label_every(n_periods: int, period: str, *, room: int = 8) -> int:
    """Returns how many periods lie between two of about `room` labels: whole years where there are many."""
    if n_periods <= room:
        return 1
    a_year = {"month": 12, "quarter": 4, "year": 1}[period]
    return a_year * max(1, round(n_periods / a_year / room))


def level_label(scale: Scale) -> str:
    """Returns the label of an axis of levels."""
    return "Per cent" if scale.level_unit == "%" else scale.level_unit.capitalize()
