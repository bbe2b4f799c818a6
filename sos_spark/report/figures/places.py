"""Where the marks of rows stand on their axis, in per cent of its width: a page draws them at any size."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sos_spark.report.words.natural import digits, direction
from sos_spark.report.words.numbers import Scale

_ROOM, _MARGIN = 22, 6
"""What the words of a tick need, and half of it that may stand out at an end, in per cent of the width."""


@dataclass(frozen=True)
class Line:
    """Two ends on the axis, in per cent of its width."""

    start: float
    end: float

    @property
    def width(self) -> float:
        """How long it is."""
        return round(self.end - self.start, 2)


@dataclass(frozen=True)
class Tick:
    """A label on the axis."""

    at: float
    words: str


@dataclass(frozen=True)
class Axis:
    """The values between which an axis lies."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Returns the place of a value, in per cent; one beyond an end stands at that end."""
        inside = min(max(value, self.low), self.high)
        return round(100 * (inside - self.low) / (self.high - self.low), 2)

    def line(self, low: float | None, high: float | None) -> Line | None:
        """Returns the places of two values; None where one is not known."""
        if low is None or high is None or math.isnan(low) or math.isnan(high):
            return None
        return Line(self.at(low), self.at(high))


def axis_of(values: Iterable[float], *, margin: float = 0.04) -> Axis:
    """Returns an axis that holds all values and zero, with a margin."""
    held = [0.0, *values]
    low, high = min(held), max(held)
    pad = margin * (high - low) or 1.0
    return Axis(low - pad, high + pad)


def ticks_of(axis: Axis, scale: Scale) -> tuple[Tick, ...]:
    """Returns labels at round values with their direction, with room for their words between them and at the ends."""
    power = 10.0 ** (math.floor(math.log10((axis.high - axis.low) * scale.factor)) - 1)
    for step in (power * m / scale.factor for m in (1, 2, 4, 5, 10, 20, 40, 50)):
        shown = [n for n in range(math.ceil(axis.low / step), math.floor(axis.high / step) + 1)
                 if n == 0 or _MARGIN < axis.at(n * step) < 100 - _MARGIN]  # fmt: skip
        if axis.at(step) - axis.at(0.0) >= _ROOM or axis.at(0.0) - axis.at(-step) >= _ROOM:
            return tuple(Tick(axis.at(n * step), _in_words(scale, n * step)) for n in shown)
    return (Tick(axis.at(0.0), _in_words(scale, 0.0)),)


def _in_words(scale: Scale, value: float) -> str:
    return "no change" if value == 0 else f"{digits(scale, value).removesuffix('.0')} {direction(scale, value)}"


@dataclass(frozen=True)
class RowMarks:
    """A row of a figure: its words, and where its marks stand; a mark that is not known is None.

    `tone` is the page's name of its colour. `other` is a second point, to be told from the first;
    `hollow`: the point has no interval; `main`: the row to compare with.
    """

    name: str
    value: str
    interval: str
    tone: str
    at: float | None
    line: Line | None
    inner: Line | None = None
    planted: float | None = None
    other: float | None = None
    hollow: bool = False
    main: bool = False


@dataclass(frozen=True)
class RowPanel:
    """Rows on one axis, whose numbers are in `unit`.

    `zero` is where no change stands; `band` is shaded behind all rows; `key` is what the second number of a row is.
    """

    title: str
    unit: str
    rows: tuple[RowMarks, ...]
    zero: float
    ticks: tuple[Tick, ...]
    band: Line | None = None
    key: str = "95% interval"
