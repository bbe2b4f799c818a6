"""Named rows of estimates with their intervals, the numbers at the right: the form of every comparison of estimates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sos_spark.report.figures.axes import bare_rows, room_for_zero, zero_line
from sos_spark.report.figures.style import COMPARATOR, INK, PALE, PAPER, PILOT
from sos_spark.report.words.numbers import Scale


@dataclass(frozen=True)
class Bar:
    """A row of a forest: an estimate with its interval, in the outcome's own unit; NaN: not known.

    `planted` is the effect that a simulation put in; `inner` a range within the interval, drawn broad and pale.
    """

    name: str
    att: float
    low: float
    high: float
    colour: str = PILOT
    planted: float | None = None
    inner: tuple[float, float] | None = None

    @property
    def known(self) -> bool:
        """Whether the interval is."""
        return not (math.isnan(self.low) or math.isnan(self.high))


def paint_forest(axes: Axes, bars: Sequence[Bar], scale: Scale) -> None:
    """Draws the rows, the first on top. An unknown interval is a hollow point; an endless one runs to the edge."""
    ends = (v for bar in bars for v in (bar.att, bar.low, bar.high, *(bar.inner or ())))
    finite = [v * scale.factor for v in ends if math.isfinite(v)]
    finite += [bar.planted * scale.factor for bar in bars if bar.planted is not None]
    low, high = room_for_zero(min(finite, default=-1.0), max(finite, default=1.0))
    bare_rows(axes, [bar.name for bar in bars])
    axes.set_xlim(low, high)
    zero_line(axes, horizontal=False)
    for place, bar in enumerate(bars):
        if bar.inner is not None and not any(math.isnan(end) for end in bar.inner):
            edges = np.clip([end * scale.factor for end in bar.inner], low, high)
            axes.hlines(place, *edges, color=PALE, linewidth=8, zorder=2)
        if bar.known:
            edges = np.clip([bar.low * scale.factor, bar.high * scale.factor], low, high)
            axes.hlines(place, *edges, color=bar.colour, linewidth=2.2 if bar.inner is None else 1.2, zorder=3)
        if not math.isnan(bar.att):
            axes.plot(
                bar.att * scale.factor, place, "o", color=bar.colour, markersize=5.5, zorder=4,
                mfc=bar.colour if bar.known else PAPER,
            )  # fmt: skip
        if bar.planted is not None:
            axes.plot(
                bar.planted * scale.factor, place, "D", color=COMPARATOR, markersize=6, mfc="none",
                markeredgewidth=1.4, zorder=5,
            )  # fmt: skip
        axes.annotate(
            _numbers(bar, scale), (1.0, place), xycoords=("axes fraction", "data"), xytext=(8, 0),
            textcoords="offset points", va="center", fontsize=8, color=INK, annotation_clip=False,
        )  # fmt: skip
    axes.set_xlabel(scale.axis)


def paint_groups(figure: Figure, groups: Mapping[Scale, Sequence[Bar]]) -> None:
    """Draws a panel of rows for each unit, one below the other."""
    heights = [len(bars) + 1.1 for bars in groups.values()]
    figure.set_layout_engine("constrained", h_pad=0.12)
    panels = figure.subplots(len(groups), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, (scale, bars) in zip(panels, groups.items(), strict=True):
        paint_forest(axes, bars, scale)


def height_of(groups: Mapping[Scale, Sequence[Bar]]) -> float:
    """Returns the height in inches that `paint_groups` needs."""
    return 0.55 + sum(0.33 * len(bars) + 0.75 for bars in groups.values())


def _numbers(bar: Bar, scale: Scale) -> str:
    if math.isnan(bar.att):
        return "not estimable"
    interval = scale.interval(bar.low, bar.high)
    flush = scale.change(bar.att).rjust(6, "\u2007")  # figure spaces: as wide as a digit
    return f"{flush}  ({interval})" if interval else flush


def bar_in_words(bar: Bar, scale: Scale) -> str:
    """Returns a row as a sentence, for the text that stands in for a figure."""
    if math.isnan(bar.att):
        return f"{bar.name}: not estimable."
    interval = scale.interval(bar.low, bar.high)
    return f"{bar.name}: {scale.change(bar.att)} {scale.long_unit}{f', 95% interval {interval}' if interval else ''}."
