"""Calendar periods of a study: quarter (from 1 January, April, July, October), month, or year (from 1 April)."""

from __future__ import annotations

from datetime import date
from typing import Literal

Period = Literal["quarter", "month", "year"]

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def period_start(day: date, period: Period) -> date:
    """Returns the first day of the period that contains the day."""
    if period == "year":
        return date(day.year if day.month >= 4 else day.year - 1, 4, 1)
    first_month = day.month if period == "month" else day.month - (day.month - 1) % 3
    return date(day.year, first_month, 1)


def is_period_start(day: date, period: Period) -> bool:
    """Returns whether a period starts on the day."""
    return period_start(day, period) == day


def periods_between(start: date, end: date, period: Period) -> int:
    """Returns how many periods lie from one period start to another."""
    months = (end.year - start.year) * 12 + end.month - start.month
    return months // _MONTHS[period]


def add_periods(start: date, count: int, period: Period) -> date:
    """Returns the period start `count` periods after another."""
    months = start.year * 12 + start.month - 1 + count * _MONTHS[period]
    return date(months // 12, months % 12 + 1, 1)


def label(start: date, period: Period) -> str:
    """Returns a short name: 2015 Q2, 2015-04, or 2016 for the year that ends on 31 March 2016."""
    if period == "year":
        return str(start.year + 1)
    if period == "month":
        return f"{start:%Y-%m}"
    return f"{start.year} Q{(start.month + 2) // 3}"
