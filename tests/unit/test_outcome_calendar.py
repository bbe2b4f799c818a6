"""The working-day calendar, and the reasons' order."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sos_spark.config.reference import bank_holidays
from sos_spark.outcome.calendar import working_day_numbers
from sos_spark.outcome.reasons import PRECEDENCE, REASONS


def numbers_of(first: date, last: date) -> dict[date, int]:
    return {day: number for day, number, _ in working_day_numbers(first, last, holidays=bank_holidays())}


def test_easter_2015_has_no_working_day_from_friday_to_monday() -> None:
    numbers = numbers_of(date(2015, 4, 1), date(2015, 4, 8))
    assert [numbers[date(2015, 4, day)] for day in range(1, 9)] == [1, 2, 2, 2, 2, 2, 3, 4]


@given(start=st.dates(date(2014, 4, 1), date(2019, 1, 1)), length=st.integers(0, 400))
def test_the_difference_of_two_numbers_counts_the_working_days_between(start: date, length: int) -> None:
    end = start + timedelta(days=length)
    numbers = numbers_of(start, end)
    after = [start + timedelta(days=n) for n in range(1, length + 1)]
    assert numbers[end] - numbers[start] == sum(d.weekday() < 5 and d not in bank_holidays() for d in after)


def test_reasons_stand_in_the_order_of_the_flow() -> None:
    stages = [reason.stage for reason in REASONS]
    order = ["window", "population", "follow_up", "outcome", "covariates"]
    assert stages == sorted(stages, key=order.index)
    assert len(set(PRECEDENCE)) == len(PRECEDENCE)
