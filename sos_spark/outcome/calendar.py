"""Dates as Columns: census years, a study's periods, months and working days. Equal to `config.periods` on each day."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.config.periods import Period

_MONTHS: dict[Period, int] = {"month": 1, "quarter": 3, "year": 12}


def period_start_of(day: Column, period: Period) -> Column:
    """Returns the first day of the period that contains a day."""
    if period == "year":
        return F.add_months(F.trunc(F.add_months(day, -3), "year"), 3)
    return F.trunc(day, period)


def period_end_of(period_start: Column, period: Period) -> Column:
    """Returns the first day after a period."""
    return F.add_months(period_start, _MONTHS[period])


def period_number(period_start: Column, *, first: date, period: Period) -> Column:
    """Returns how many periods lie between the period that starts on `first`, which is 0, and another."""
    months = F.year(period_start) * 12 + F.month(period_start) - (first.year * 12 + first.month)
    return F.floor(months / _MONTHS[period]).cast("int")


def working_day_numbers(first: date, last: date, *, holidays: Collection[date]) -> list[tuple[date, int, bool]]:
    """Returns each day from first to last: the working days up to and including it, and whether it is one.

    A working day is a Monday to Friday that is no bank holiday. Working days after one day up to and including another
    are the difference of their numbers.
    """
    closed = frozenset(holidays)
    rows, number, day = [], 0, first
    while day <= last:
        is_working = day.weekday() < 5 and day not in closed
        number += is_working
        rows.append((day, number, is_working))
        day += timedelta(days=1)
    return rows


WORKING_DAYS_SCHEMA = "day DATE, working_day INT, is_working BOOLEAN"
"""The columns of `working_day_numbers`, as a frame: the working-day calendar."""


def add_working_days_after(calendar: DataFrame, *, count: int) -> DataFrame:
    """Returns a working-day calendar with `counted_day`: the count-th working day after each day.

    Null where the calendar ends before. Grain: a day, in and out.
    """
    counted = calendar.where("is_working").select(
        (F.col("working_day") - count).alias("working_day"), F.col("day").alias("counted_day")
    )
    return calendar.join(F.broadcast(counted), "working_day", "left")
