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
from sos_spark.report.figures.places import Axis, Line, Tick, axis_of, ticks_of
from sos_spark.report.results import Results
from sos_spark.report.words.cut import interval_of
from sos_spark.report.words.natural import change, level, span, unit_in_words
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
class Panel:
    """The outcomes of one unit, with their axis. `zero` is where no change stands."""

    unit: str
    rows: tuple[Row, ...]
    zero: float
    ticks: tuple[Tick, ...]


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
    axis = axis_of(value for key in keys for value in _reach(results, key))
    rows = tuple(_row(results, key, scale, axis) for key in keys)
    return Panel(unit_in_words(scale), rows, axis.at(0.0), ticks_of(axis, scale))


def _ends(results: Results, outcome_id: str) -> tuple[float, float]:
    return interval_of(results, outcome_id, *quoted_interval(results.main_row(outcome_id) or {}))


def _reach(results: Results, outcome_id: str) -> Iterable[float]:
    """Every value of an outcome that the axis should hold."""
    row, wanted = results.main_row(outcome_id) or {}, results.study.outcome(outcome_id).smallest_effect_of_interest
    seen = seen_of(results, outcome_id)
    values = [known(row, "att"), *_ends(results, outcome_id), results.planted(outcome_id)]
    values += [sign * size for size in (wanted, seen) if size is not None for sign in (-1, 1)]
    return (value for value in values if value is not None and math.isfinite(value))


def _row(results: Results, outcome_id: str, scale: Scale, axis: Axis) -> Row:
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
