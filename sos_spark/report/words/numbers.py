"""How numbers are written, the same on every figure and in every sentence.

Shares are shown in per cent and their changes in percentage points, one decimal; lengths in days, one decimal, and
their changes two; rates per 10,000 children, one decimal. Negative numbers carry a plain hyphen, intervals 'to'.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from sos_spark.config.outcomes.base import ScaleName
from sos_spark.config.units import UNITS


@dataclass(frozen=True)
class Scale:
    """How an outcome's own unit is shown: multiplied by `factor`, with decimals for levels and for changes."""

    name: ScaleName
    level_unit: str
    change_unit: str
    level_decimals: int = 1
    change_decimals: int = 1

    @property
    def factor(self) -> float:
        """What the outcome's own unit is multiplied by."""
        return UNITS[self.name].factor

    @property
    def axis(self) -> str:
        """The label of an axis of changes."""
        return f"Change in {self.change_unit}" if self.change_unit != "points" else "Change in percentage points"

    @property
    def long_unit(self) -> str:
        """The unit of a change, spelled out for a sentence."""
        return UNITS[self.name].of_change

    def level(self, value: float) -> str:
        """Writes a level: 21.3% or 31.4 working days."""
        gap = "" if self.level_unit == "%" else " "
        return f"{number(value * self.factor, self.level_decimals)}{gap}{self.level_unit}"

    def change(self, value: float) -> str:
        """Writes a change without its unit."""
        return number(value * self.factor, self.change_decimals)

    def slope(self, value: float) -> str:
        """Writes a change per period, with one more decimal and without its unit."""
        return number(value * self.factor, self.change_decimals + 1)

    def interval(self, low: float, high: float) -> str:
        """Writes an interval of changes without its unit; blank where it is not known."""
        if math.isnan(low) or math.isnan(high):
            return ""
        return f"{self.change(low)} to {self.change(high)}"


POINTS = Scale("points", "%", "points")
WORKING_DAYS = Scale("working_days", "working days", "working days", change_decimals=2)
CALENDAR_DAYS = Scale("calendar_days", "days", "days", change_decimals=2)
PER_10_000 = Scale("per_10_000", "per 10,000 children", "children per 10,000")
SCALES: dict[ScaleName, Scale] = {
    "points": POINTS,
    "working_days": WORKING_DAYS,
    "calendar_days": CALENDAR_DAYS,
    "per_10_000": PER_10_000,
}
"""By the name that an outcome declares."""


def number(value: float, decimals: int) -> str:
    """Writes a number with so many decimals and thousands separators; never '-0.0'. Not known: blank."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def count(value: float) -> str:
    """Writes a count with thousands separators. Not known: blank."""
    return "" if math.isnan(value) else f"{int(value):,}"


def p_value(value: float) -> str:
    """Writes a p-value: two decimals, three below 0.01 and about 0.05, '<0.001' below that. Not known: blank."""
    if math.isnan(value):
        return ""
    if value < 0.001:
        return "<0.001"
    return f"{value:.3f}" if value < 0.0095 or 0.045 <= value < 0.055 else f"{value:.2f}"


def p_phrase(value: float) -> str:
    """Writes 'p = 0.03' or 'p < 0.001'."""
    text = p_value(value)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def percent(part: float, whole: float) -> str:
    """Writes a share in per cent, one decimal; blank where there is no whole."""
    return f"{number(100 * part / whole, 1)}%" if whole else ""


def listed(names: list[str]) -> str:
    """Writes 'a, b and c'."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def day_in_words(text: str) -> str:
    """Writes an ISO day as '1 April 2014'; what is no such day stays as it is."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"
