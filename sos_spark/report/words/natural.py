"""Changes as a reader says them: '12 fewer in 100', '1.4 working days shorter', with few digits.

Tables and cards keep `Scale`'s digits; these words are for headlines and the first screen.
"""

from __future__ import annotations

import math

from sos_spark.report.words.numbers import CALENDAR_DAYS, PER_10_000, WORKING_DAYS, Scale, number

_COUNTED = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_UNIT = {"points": "in 100", PER_10_000.name: "per 10,000 children"}


def counted(n: int) -> str:
    """Writes a count as a word up to twelve, as digits beyond."""
    return _COUNTED[n] if 0 <= n < len(_COUNTED) else f"{n:,}"


def is_length(scale: Scale) -> bool:
    """Returns whether an outcome is a length of time, which gets shorter and not fewer."""
    return scale in (WORKING_DAYS, CALENDAR_DAYS)


def unit_in_words(scale: Scale) -> str:
    """Returns the unit of a change: 'in 100', 'working days'."""
    return _UNIT.get(scale.name, scale.change_unit)


def direction(scale: Scale, value: float) -> str:
    """Returns 'more' or 'fewer'; of a length 'longer' or 'shorter'."""
    if is_length(scale):
        return "longer" if value > 0 else "shorter"
    return "more" if value > 0 else "fewer"


def digits(scale: Scale, value: float) -> str:
    """Writes a size without sign or unit: one decimal below 10, none from 10 on; infinite as 'any number'."""
    size = abs(value) * scale.factor
    return "any number" if math.isinf(size) else number(size, 0 if size >= 9.95 else 1)


def size(scale: Scale, value: float) -> str:
    """Writes a size: '12 in 100', '1.4 working days'."""
    return f"{digits(scale, value)} {unit_in_words(scale)}"


def change(scale: Scale, value: float) -> str:
    """Writes a change: '12 fewer in 100', '1.4 working days shorter', 'no difference' where it rounds to nothing."""
    if float(number(abs(value) * scale.factor, 1).replace(",", "").replace("infinity", "inf")) == 0:
        return "no difference"
    if is_length(scale):
        return f"{size(scale, value)} {direction(scale, value)}"
    return f"{digits(scale, value)} {direction(scale, value)} {unit_in_words(scale)}"


def span(scale: Scale, low: float, high: float) -> str:
    """Writes an interval: '23 fewer to 1.3 more', '2.0 to 5.1 fewer'; blank where it is not known."""
    if math.isnan(low) or math.isnan(high):
        return ""
    if low < 0 < high:
        return f"{digits(scale, low)} {direction(scale, low)} to {digits(scale, high)} {direction(scale, high)}"
    near, far = sorted((low, high), key=abs)
    return f"{digits(scale, near)} to {digits(scale, far)} {direction(scale, far)}"


def whole_span(scale: Scale, low: float, high: float) -> str:
    """Writes an interval with its unit: '2.1 to 10 fewer in 100', '0.2 to 4.5 working days shorter'."""
    said = span(scale, low, high)
    if said and is_length(scale) and not low < 0 < high:
        sizes, _, way = said.rpartition(" ")
        return f"{sizes} {unit_in_words(scale)} {way}"
    return f"{said} {unit_in_words(scale)}" if said else ""


def level(scale: Scale, value: float) -> str:
    """Writes a level: '16 in 100', '34 working days'."""
    return size(scale, value)
