"""Calendar periods."""

from __future__ import annotations

from datetime import date

import pytest

from sos_spark.config.periods import add_periods, is_period_start, label, period_start, periods_between


@pytest.mark.parametrize(
    ("day", "period", "start", "name"),
    [
        (date(2015, 3, 31), "quarter", date(2015, 1, 1), "2015 Q1"),
        (date(2015, 4, 1), "quarter", date(2015, 4, 1), "2015 Q2"),
        (date(2015, 12, 31), "quarter", date(2015, 10, 1), "2015 Q4"),
        (date(2016, 2, 29), "month", date(2016, 2, 1), "2016-02"),
        (date(2015, 3, 31), "year", date(2014, 4, 1), "2015"),
        (date(2015, 4, 1), "year", date(2015, 4, 1), "2016"),
    ],
)
def test_a_day_lies_in_its_period(day: date, period: str, start: date, name: str) -> None:
    assert period_start(day, period) == start  # type: ignore[arg-type]
    assert label(start, period) == name  # type: ignore[arg-type]
    assert is_period_start(start, period)  # type: ignore[arg-type]


@pytest.mark.parametrize(("period", "a_year"), [("month", 12), ("quarter", 4), ("year", 1)])
def test_periods_are_counted_and_added(period: str, a_year: int) -> None:
    start = date(2013, 4, 1)
    assert periods_between(start, date(2015, 4, 1), period) == 2 * a_year  # type: ignore[arg-type]
    assert add_periods(start, 2 * a_year, period) == date(2015, 4, 1)  # type: ignore[arg-type]
    assert add_periods(date(2015, 4, 1), -2 * a_year, period) == start  # type: ignore[arg-type]
