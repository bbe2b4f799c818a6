"""Named rows of estimates with their intervals, the numbers at the right: the form of every comparison of estimates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sos_spark.report.blocks import DataTable, Picture
from sos_spark.report.figures.axes import bare_rows, wrapped, zero_line
from sos_spark.report.figures.places import Axis as PageAxis
from sos_spark.report.figures.places import RowMarks, RowPanel, axis_of, ticks_of
from sos_spark.report.figures.style import COLOUR_NAMES, COMPARATOR, INK, PALE, PAPER, PILOT, WASH, draw
from sos_spark.report.words.numbers import Scale


@dataclass(frozen=True)
class Bar:
    """A row of a forest: an estimate with its interval, in the outcome's own unit; NaN: not known.

    `planted` is the effect that a simulation put in; `inner` a range within the interval, drawn broad and pale; `main`
    the row that others are compared with.
    """

    name: str
    att: float
    low: float
    high: float
    colour: str = PILOT
    planted: float | None = None
    inner: tuple[float, float] | None = None
    main: bool = False

    @property
    def known(self) -> bool:
        """Whether the interval is."""
        return not (math.isnan(self.low) or math.isnan(self.high))


@dataclass(frozen=True)
class Forest:
    """Rows on one axis, the first on top. `band`: a range that is shaded behind all of them."""

    scale: Scale
    bars: tuple[Bar, ...]
    title: str = ""
    band: tuple[float, float] | None = None

    @property
    def axis(self) -> PageAxis:
        """The axis that holds every finite end of its rows."""
        ends = [v for b in self.bars for v in (b.att, b.low, b.high, *(b.inner or ()), b.planted) if v is not None]
        return axis_of((v for v in ends if math.isfinite(v)), margin=0.08)


def draw_forest(
    name: str, forests: Sequence[Forest], *, title: str, caption: str, alt: str, table: DataTable
) -> Picture:
    """Returns the picture of forests, one below the other: as rows for a page, as a drawing for files."""
    return draw(
        name,
        title=title,
        caption=caption,
        alt=alt,
        table=table,
        height=0.3 + sum(0.24 * len(one.bars) + 0.35 + (0.25 if one.title else 0) for one in forests),
        paint=partial(_paint, forests=forests),
        form=tuple(_panel(one) for one in forests),
    )


def by_scale(groups: Mapping[Scale, Sequence[Bar]]) -> list[Forest]:
    """Returns a forest for each unit."""
    return [Forest(scale, tuple(bars)) for scale, bars in groups.items()]


def _panel(forest: Forest) -> RowPanel:
    axis, scale = forest.axis, forest.scale
    rows = tuple(
        RowMarks(
            name=bar.name,
            value="" if math.isnan(bar.att) else scale.change(bar.att),
            interval=scale.interval(bar.low, bar.high),
            tone=COLOUR_NAMES[bar.colour],
            at=None if math.isnan(bar.att) else axis.at(bar.att),
            line=axis.line(bar.low, bar.high),
            inner=axis.line(*bar.inner) if bar.inner else None,
            planted=None if bar.planted is None else axis.at(bar.planted),
            hollow=not bar.known,
            main=bar.main,
        )
        for bar in forest.bars
    )
    band = axis.line(*forest.band) if forest.band else None
    return RowPanel(forest.title, scale.long_unit, rows, axis.at(0.0), ticks_of(axis, scale), band)


def _paint(figure: Figure, forests: Sequence[Forest]) -> None:
    heights = [len(one.bars) + 1.1 + (1.1 if one.title else 0) for one in forests]
    figure.set_layout_engine("constrained", h_pad=0.1)
    panels = figure.subplots(len(forests), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, forest in zip(panels, forests, strict=True):
        _paint_rows(axes, forest)
        if forest.title:
            axes.set_title(wrapped(forest.title, width=60))


def _paint_rows(axes: Axes, forest: Forest) -> None:
    """Draws the rows. An unknown interval is a hollow point; an endless one runs to the edge."""
    factor = forest.scale.factor
    low, high = forest.axis.low * factor, forest.axis.high * factor
    bare_rows(axes, [bar.name for bar in forest.bars])
    axes.set_xlim(low, high)
    zero_line(axes, horizontal=False)
    if forest.band:
        axes.axvspan(*np.clip([end * factor for end in forest.band], low, high), color=WASH, zorder=0)
    for place, bar in enumerate(forest.bars):
        if bar.main and not forest.band:
            axes.axhspan(place - 0.45, place + 0.45, color=WASH, zorder=0)
            axes.get_yticklabels()[place].set(color=PILOT, fontweight="bold")
        for (start, end), colour, width in _lines(bar):
            ends = np.clip([start * factor, end * factor], low, high).tolist()
            _add(axes, ends, [place] * 2, color=colour, linewidth=width, solid_capstyle="butt", zorder=2)
        if not math.isnan(bar.att):
            _add(
                axes, [bar.att * factor], [place], marker="o", color=bar.colour, markersize=5.5, zorder=4,
                mfc=bar.colour if bar.known else PAPER,
            )  # fmt: skip
        if bar.planted is not None:
            _add(
                axes, [bar.planted * factor], [place], marker="D", color=COMPARATOR, markersize=6, mfc="none",
                markeredgewidth=1.4, zorder=5,
            )  # fmt: skip
        axes.annotate(
            _numbers(bar, forest.scale), (1.0, place), xycoords=("axes fraction", "data"), xytext=(8, 0),
            textcoords="offset points", va="center", fontsize=8, color=INK, annotation_clip=False,
        )  # fmt: skip
    axes.set_xlabel(forest.scale.axis)


def _add(axes: Axes, xs: Sequence[float], ys: Sequence[float], **look: Any) -> None:
    """Adds a line or a point. It is added, not plotted: nothing has to find the axes' limits anew."""
    axes.add_line(Line2D(xs, ys, **look))


def _lines(bar: Bar) -> list[tuple[tuple[float, float], str, float]]:
    """A row's lines, the lower first: ends, colour, width."""
    lines: list[tuple[tuple[float, float], str, float]] = []
    if bar.inner is not None and not any(math.isnan(end) for end in bar.inner):
        lines.append((bar.inner, PALE, 8))
    if bar.known:
        lines.append(((bar.low, bar.high), bar.colour, 2.2 if bar.inner is None else 1.2))
    return lines


def _numbers(bar: Bar, scale: Scale) -> str:
    if math.isnan(bar.att):
        return "" if bar.known else "not estimable"
    interval = scale.interval(bar.low, bar.high)
    flush = scale.change(bar.att).rjust(6, "\u2007")  # figure spaces: as wide as a digit
    return f"{flush}  ({interval})" if interval else flush


def bar_in_words(bar: Bar, scale: Scale) -> str:
    """Returns a row as a sentence, for the text that stands in for a figure."""
    if math.isnan(bar.att):
        return f"{bar.name}: not estimable."
    interval = scale.interval(bar.low, bar.high)
    return f"{bar.name}: {scale.change(bar.att)} {scale.long_unit}{f', 95% interval {interval}' if interval else ''}."
