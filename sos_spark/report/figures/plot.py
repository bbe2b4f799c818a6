"""What a plot shows, said once: a page draws it at any width, matplotlib the same for files.

Values are as they are shown (per cent, points, days); an unknown one is NaN, and not drawn. `tone` is the page's name
of a colour; `say` is what a reader is told of a mark.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from matplotlib.ticker import MaxNLocator

from sos_spark.report.words.numbers import number

_ROOM = 44
"""Letters that fit side by side on a phone."""
Shape = Literal["round", "square", "diamond", "up", "down", "cross"]


@dataclass(frozen=True)
class PlotAxis:
    """The ends of an axis, its labels by their places, and what it measures."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    label: str = ""

    @property
    def crowded(self) -> bool:
        """Whether a phone has room for every other label only."""
        return sum(len(words) + 2 for _, words in self.ticks) > _ROOM

    def at(self, value: float) -> float:
        """Returns a value's place in per cent from the low end; one beyond an end stands at that end."""
        inside = min(max(value, self.low), self.high)
        return round(100 * (inside - self.low) / (self.high - self.low), 1)

    def held(self, low: float, high: float) -> tuple[float, float]:
        """Returns two values as far as the axis reaches: an interval without an end runs to its edge."""
        return max(low, self.low), min(high, self.high)

    def down(self, value: float) -> float:
        """Returns a value's place in per cent from the high end: a page counts from its top."""
        return round(100 - self.at(value), 1)


@dataclass(frozen=True)
class Curve:
    """Points joined by a line, which breaks where a value is unknown; `label` names it at its right end."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    tone: str
    shape: Shape = "round"
    dashed: bool = False
    label: str = ""
    says: tuple[str, ...] = ()
    size: float = 1.0

    @property
    def known(self) -> tuple[tuple[float, float, str], ...]:
        """Its points that are known, each with what is said of it."""
        says = self.says or ("",) * len(self.xs)
        return tuple((x, y, say) for x, y, say in zip(self.xs, self.ys, says, strict=True) if not math.isnan(y))

    def path(self, x: PlotAxis, y: PlotAxis) -> str:
        """Returns its line as an SVG path in per cent of the plot."""
        steps, pen = [], "M"
        for at, value in zip(self.xs, self.ys, strict=True):
            if math.isnan(value):
                pen = "M"
                continue
            steps.append(f"{pen}{x.at(at):g} {y.down(value):g}")
            pen = "L"
        return "".join(steps)


@dataclass(frozen=True)
class Stem:
    """An upright line between two values: an interval. `width` is in CSS pixels."""

    x: float
    low: float
    high: float
    tone: str
    width: float = 2.0
    dashed: bool = False
    say: str = ""


@dataclass(frozen=True)
class Dot:
    """A point."""

    x: float
    y: float
    tone: str
    shape: Shape = "round"
    hollow: bool = False
    say: str = ""
    size: float = 1.0


@dataclass(frozen=True)
class Bin:
    """A filled rectangle."""

    left: float
    right: float
    low: float
    high: float
    tone: str
    say: str = ""


@dataclass(frozen=True)
class Upright:
    """A dashed line across all heights, with its name at the top."""

    x: float
    label: str = ""
    tone: str = "quiet"
    left: bool = False


@dataclass(frozen=True)
class Level:
    """A line across all widths."""

    y: float
    tone: str = "ink"
    dashed: bool = False


Mark = Curve | Stem | Dot | Bin | Upright | Level


@dataclass(frozen=True)
class Key:
    """What a mark means, beside a sample of it."""

    words: str
    tone: str
    shape: Shape = "round"
    hollow: bool = False


@dataclass(frozen=True)
class Plot:
    """Marks between two axes, the first lowest."""

    title: str
    x: PlotAxis
    y: PlotAxis
    marks: tuple[Mark, ...]
    key: tuple[Key, ...] = ()

    @property
    def named(self) -> tuple[tuple[float, Curve], ...]:
        """The curves that carry a name, each with the height of its name; two that would overlap part."""
        curves = [mark for mark in self.marks if isinstance(mark, Curve) and mark.label and mark.known]
        ends = sorted(((curve.known[-1][1], curve) for curve in curves), key=lambda end: end[0])
        room = 0.1 * (self.y.high - self.y.low)
        if len(ends) == 2 and ends[1][0] - ends[0][0] < room:
            middle = (ends[0][0] + ends[1][0]) / 2
            return ((middle - room / 2, ends[0][1]), (middle + room / 2, ends[1][1]))
        return tuple(ends)


def value_axis(
    values: Iterable[float], label: str, *, zero: bool = True, margin: float = 0.08,
    least: float = -math.inf, most: float = math.inf, n_ticks: int = 6,
) -> PlotAxis:  # fmt: skip
    """Returns an axis that holds all finite values, with a margin that ends where values can go no further.

    `zero`: it holds zero, too.
    """
    held = [value for value in values if math.isfinite(value)] + ([0.0] if zero else [])
    low, high = min(held, default=0.0), max(held, default=1.0)
    pad = (high - low) * margin or 1.0
    low, high = max(low - pad, least), min(high + pad, most)
    return PlotAxis(low, high, _round_ticks(low, high, n_ticks), label)


def whole_axis(low: float, high: float, label: str, *, n_ticks: int = 14) -> PlotAxis:
    """Returns an axis of whole numbers between two ends."""
    return PlotAxis(low, high, _round_ticks(low, high, n_ticks, whole=True), label)


def named_axis(names: Sequence[str], places: Sequence[float], every: int, label: str = "") -> PlotAxis:
    """Returns an axis of named places, of which every so many carries its name."""
    ends = (min(places), max(places))
    pad = 0.02 * (ends[1] - ends[0]) or 0.5
    ticks = tuple(zip(places[::every], names[::every], strict=True))
    return PlotAxis(ends[0] - pad, ends[1] + pad, ticks, label)


def _round_ticks(low: float, high: float, n: int, *, whole: bool = False) -> tuple[tuple[float, str], ...]:
    places = MaxNLocator(nbins=n, integer=whole, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    step = round(float(places[1] - places[0]), 9) if len(places) > 1 else 1.0
    decimals = max(0, -int(Decimal(str(step)).normalize().as_tuple().exponent))
    slack = 1e-9 * (high - low)
    return tuple(
        (float(value), number(float(value), decimals)) for value in places if low - slack <= value <= high + slack
    )
