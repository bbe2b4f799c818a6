"""The picture of the first screen: every outcome's change with its interval, on one axis for each unit.

Places are per cent of the width, so that the page draws them at any size, beside text that stays text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sos_spark.fit.thresholds import ALPHA
from sos_spark.fit.verdict import CANNOT_TELL, CHANGE, NO_CHANGE_THAT_MATTERS, NO_ESTIMATE
from sos_spark.report.results import Results
from sos_spark.report.words.cut import interval_of
from sos_spark.report.words.natural import change, digits, direction, level, span, unit_in_words
from sos_spark.report.words.numbers import Scale
from sos_spark.report.words.possible import possible_of
from sos_spark.report.words.verdicts import finding_of, known, quoted_interval

Look = Literal["changed", "same", "edge", "unclear", "none"]
EDGE = 2 * ALPHA
"""Below it a p-value of a change that is no evidence is told apart as at the edge of chance."""
_SAID: dict[Look, str] = {
    "changed": "changed",
    "same": "too small to matter",
    "edge": "edge of chance",
    "unclear": "cannot tell",
    "none": "no estimate",
}
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
class Row:
    """An outcome: its words, and where its marks stand; a mark that is not known is None."""

    anchor: str
    name: str
    before: str
    change: str
    interval: str
    verdict: str
    look: Look
    at: float | None
    line: Line | None
    matters: Line | None
    seen: Line | None
    planted: float | None


@dataclass(frozen=True)
class Tick:
    """A label on the axis."""

    at: float
    words: str


@dataclass(frozen=True)
class Panel:
    """The outcomes of one unit, with their axis. `zero` is where no change stands."""

    unit: str
    rows: tuple[Row, ...]
    zero: float
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float

    def at(self, value: float) -> float:
        """The place of a value, in per cent; one beyond an end stands at that end."""
        inside = min(max(value, self.low), self.high)
        return round(100 * (inside - self.low) / (self.high - self.low), 2)

    def line(self, low: float | None, high: float | None) -> Line | None:
        if low is None or high is None or math.isnan(low) or math.isnan(high):
            return None
        return Line(self.at(low), self.at(high))


def panels_of(results: Results) -> tuple[Panel, ...]:
    """Returns a panel for each unit, the one with most outcomes first; outcomes in the study's order."""
    groups: dict[Scale, list[str]] = {}
    for key, scale in results.scales.items():
        groups.setdefault(scale, []).append(key)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    return tuple(_panel(results, scale, keys) for scale, keys in ordered)


def look_of(results: Results, outcome_id: str) -> Look:
    """Returns how an outcome's answer looks: a change, none that matters, at the edge of chance, or unclear."""
    row = results.main_row(outcome_id) or {}
    finding = finding_of(row) if known(row, "att") is not None else NO_ESTIMATE
    if finding == CANNOT_TELL:
        p = [value for name in ("p_wcr", "p_cr2", "p_ri") if (value := known(row, name)) is not None]
        return "edge" if p and min(p) < EDGE else "unclear"
    looks: dict[str, Look] = {CHANGE: "changed", NO_CHANGE_THAT_MATTERS: "same"}
    return looks.get(finding, "none")


def seen_of(results: Results, outcome_id: str) -> float | None:
    """Returns the smallest change that would probably have been found; None where it is larger than any can be."""
    row = results.main_row(outcome_id) or {}
    mde = known(row, "mde")
    possible = possible_of(results.study.outcome(outcome_id))
    if mde is None or not possible.holds_change(mde, baseline=known(row, "baseline_mean")):
        return None
    return mde


def _panel(results: Results, scale: Scale, keys: list[str]) -> Panel:
    axis = _axis(value for key in keys for value in _reach(results, key))
    rows = tuple(_row(results, key, scale, axis) for key in keys)
    return Panel(unit_in_words(scale), rows, axis.at(0.0), _ticks(axis, scale))


def _ends(results: Results, outcome_id: str) -> tuple[float, float]:
    return interval_of(results, outcome_id, *quoted_interval(results.main_row(outcome_id) or {}))


def _reach(results: Results, outcome_id: str) -> Iterable[float]:
    """Every value of an outcome that the axis should hold."""
    row, wanted = results.main_row(outcome_id) or {}, results.study.outcome(outcome_id).smallest_effect_of_interest
    seen = seen_of(results, outcome_id)
    values = [known(row, "att"), *_ends(results, outcome_id), results.planted(outcome_id)]
    values += [sign * size for size in (wanted, seen) if size is not None for sign in (-1, 1)]
    return (value for value in values if value is not None and math.isfinite(value))


def _axis(values: Iterable[float]) -> _Axis:
    held = [0.0, *values]
    low, high = min(held), max(held)
    pad = 0.04 * (high - low) or 1.0
    return _Axis(low - pad, high + pad)


def _row(results: Results, outcome_id: str, scale: Scale, axis: _Axis) -> Row:
    row: Any = results.main_row(outcome_id) or {}
    look = look_of(results, outcome_id)
    att, baseline = known(row, "att"), known(row, "baseline_mean")
    low, high = _ends(results, outcome_id)
    wanted, seen = results.study.outcome(outcome_id).smallest_effect_of_interest, seen_of(results, outcome_id)
    planted = results.planted(outcome_id)
    has = look != "none" and att is not None
    return Row(
        anchor=f"answer-{outcome_id}",
        name=results.labels[outcome_id],
        before="" if baseline is None else f"{level(scale, baseline)} before",
        change=change(scale, att) if has and att is not None else "",
        interval=span(scale, low, high) if has else "",
        verdict=f"placebo: {_SAID[look]}" if outcome_id in results.placebo_outcomes else _SAID[look],
        look=look,
        at=axis.at(att) if has and att is not None else None,
        line=axis.line(low, high) if has else None,
        matters=None if wanted is None else axis.line(-wanted, wanted),
        seen=None if seen is None else axis.line(-seen, seen),
        planted=None if planted is None else axis.at(planted),
    )


def _ticks(axis: _Axis, scale: Scale) -> tuple[Tick, ...]:
    """Round values with their direction, with room for their words between them and at the ends."""
    power = 10.0 ** (math.floor(math.log10((axis.high - axis.low) * scale.factor)) - 1)
    for step in (power * m / scale.factor for m in (1, 2, 4, 5, 10, 20, 40, 50)):
        shown = [n for n in range(math.ceil(axis.low / step), math.floor(axis.high / step) + 1)
                 if n == 0 or _MARGIN < axis.at(n * step) < 100 - _MARGIN]  # fmt: skip
        if axis.at(step) - axis.at(0.0) >= _ROOM or axis.at(0.0) - axis.at(-step) >= _ROOM:
            return tuple(Tick(axis.at(n * step), _tick_in_words(scale, n * step)) for n in shown)
    return (Tick(axis.at(0.0), _tick_in_words(scale, 0.0)),)


def _tick_in_words(scale: Scale, value: float) -> str:
    return "no change" if value == 0 else f"{digits(scale, value).removesuffix('.0')} {direction(scale, value)}"
