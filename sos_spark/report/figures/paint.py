"""Draws plots with matplotlib, for the files of figures."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from sos_spark.report.blocks import DataTable, Picture
from sos_spark.report.figures.plot import Bin, Curve, Dot, Key, Level, Mark, Plot, Shape, Stem, Upright
from sos_spark.report.figures.style import INK, PAPER, TONES, draw

_MARKERS: dict[Shape, str] = {"round": "o", "square": "s", "diamond": "D", "up": "^", "down": "v", "cross": "x"}
_PT = 0.75
"""Points in a CSS pixel."""


def draw_plots(
    name: str,
    plots: Sequence[Plot],
    *,
    title: str,
    caption: str,
    alt: str,
    table: DataTable,
    height: float = 2.1,
    heading: str = "",
) -> Picture:
    """Returns the picture of plots, two beside each other; one alone is as wide as the page.

    `height` is a plot's, in inches; `heading` stands above all of them in files, which no section surrounds.
    """
    columns = min(2, len(plots))
    n_rows = -(-len(plots) // columns)
    return draw(
        name,
        title=title,
        caption=caption,
        alt=alt,
        table=table,
        height=0.35 + height * n_rows,
        paint=partial(_paint, plots=plots, n_rows=n_rows, columns=columns, heading=heading),
        form=tuple(plots),
    )


def _paint(figure: Figure, plots: Sequence[Plot], n_rows: int, columns: int, heading: str) -> None:
    if heading:
        figure.suptitle(heading, x=0.012, ha="left", fontsize=9.5, fontweight="bold")
    grid = figure.subplots(n_rows, columns, squeeze=False).ravel()
    for axes in grid[len(plots) :]:
        axes.set_axis_off()
    for axes, plot in zip(grid, plots, strict=False):
        _one(axes, plot, width=72 // columns)


def _one(axes: Axes, plot: Plot, *, width: int) -> None:
    axes.set_xlim(plot.x.low, plot.x.high)
    axes.set_ylim(plot.y.low, plot.y.high)
    for place, mark in enumerate(plot.marks):
        _draw(axes, mark, order=2 + place / 1000)
    for height, curve in plot.named:
        axes.annotate(
            curve.label, (curve.known[-1][0], height), xytext=(8, 0), textcoords="offset points", va="center",
            color=TONES[curve.tone], fontweight="bold", annotation_clip=False,
        )  # fmt: skip
    axes.set_xticks([at for at, _ in plot.x.ticks], [words for _, words in plot.x.ticks])
    axes.set_yticks([at for at, _ in plot.y.ticks], [words for _, words in plot.y.ticks])
    axes.set_xlabel(textwrap.fill(plot.x.label, width + 20))
    axes.set_ylabel(plot.y.label)
    axes.grid(axis="y")
    axes.set_title(textwrap.fill(plot.title, width), pad=10 + (14 if plot.key else 0))
    if not plot.y.ticks:
        axes.spines["left"].set_visible(False)
    if plot.key:
        legend = axes.legend(
            handles=[_sample(key) for key in plot.key], loc="lower left", bbox_to_anchor=(-0.01, 1.0),
            ncols=len(plot.key), frameon=False, fontsize=7.5, handletextpad=0.1, columnspacing=1.2, borderaxespad=0.2,
        )  # fmt: skip
        legend.set_in_layout(False)  # wider than the axes of few periods: it must not narrow them


def _sample(key: Key) -> Line2D:
    return Line2D([], [], linestyle="", label=key.words, **_point(key.tone, key.shape, key.hollow, 1.0))


def _draw(axes: Axes, mark: Mark, *, order: float) -> None:
    """Adds a mark. Artists are added, not plotted: nothing has to find its limits anew."""
    tone = TONES[mark.tone]
    if isinstance(mark, Curve):
        line: Any = (0, (4, 2)) if mark.dashed else "-"
        look = _point(mark.tone, mark.shape, hollow=False, size=0.75 * mark.size)
        axes.add_line(Line2D(mark.xs, mark.ys, linestyle=line, clip_on=False, zorder=order, **look))
    elif isinstance(mark, Stem):
        dashes: Any = (0, (2, 1.4)) if mark.dashed else "-"
        ends = ([mark.x, mark.x], [mark.low, mark.high])
        axes.add_line(
            Line2D(*ends, color=tone, linewidth=_PT * mark.width, linestyle=dashes, solid_capstyle="butt", zorder=order)
        )
    elif isinstance(mark, Dot):
        axes.add_line(
            Line2D(
                [mark.x], [mark.y], linestyle="", zorder=order, **_point(mark.tone, mark.shape, mark.hollow, mark.size)
            )
        )
    elif isinstance(mark, Bin):
        corner, width = (mark.left, mark.low), mark.right - mark.left
        axes.add_patch(Rectangle(corner, width, mark.high - mark.low, facecolor=tone, edgecolor=PAPER, linewidth=0.3))
    elif isinstance(mark, Level):
        axes.axhline(mark.y, color=tone, linewidth=0.9, linestyle="--" if mark.dashed else "-", zorder=order)
    else:
        _upright(axes, mark, order)


def _upright(axes: Axes, mark: Upright, order: float) -> None:
    axes.axvline(mark.x, color=TONES[mark.tone], linewidth=0.9, linestyle=(0, (3, 3)), zorder=order)
    if mark.label:
        axes.annotate(
            mark.label, (mark.x, 1.0), xycoords=("data", "axes fraction"), xytext=(-4 if mark.left else 4, -1),
            textcoords="offset points", va="top", ha="right" if mark.left else "left", fontsize=8,
            color=INK if mark.tone == "quiet" else TONES[mark.tone],
        )  # fmt: skip


def _point(tone: str, shape: Shape, hollow: bool, size: float) -> dict[str, Any]:
    look: dict[str, Any] = {"marker": _MARKERS[shape], "markersize": 4.8 * size, "color": TONES[tone]}
    return look | ({"mfc": PAPER, "markeredgewidth": 1.4} if hollow else {})
