"""Days as whole numbers since 1970-01-01: census years, calendar months, working days. NEVER stands for no date."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from sos_spark.config.reference import bank_holidays
from sos_spark.simulate.draws import Ints

NEVER = 200_000
"""Later than any day: what has not happened, and never will."""


def day_number(day: date) -> int:
    """Returns the number of a day."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def first_day(census_year: int) -> int:
    """Returns 1 April of the year before."""
    return day_number(date(census_year - 1, 4, 1))


def last_day(census_year: int) -> int:
    """Returns 31 March, the reference date."""
    return day_number(date(census_year, 3, 31))


def census_year_of(days: Ints) -> Ints:
    """Returns the census year each day falls in: the year in which the next 31 March lies."""
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    years: Ints = (months - 3) // 12 + 1971
    return years


def add_months(days: Ints, months: int) -> Ints:
    """Returns the same day of a later month; where that month is too short, its last day."""
    dates = days.astype("datetime64[D]")
    own_month = dates.astype("datetime64[M]")
    day_of_month = (dates - own_month).astype(np.int64)
    later = own_month + months
    length = ((later + 1).astype("datetime64[D]") - later.astype("datetime64[D]")).astype(np.int64)
    result: Ints = later.astype("datetime64[D]").astype(np.int64) + np.minimum(day_of_month, length - 1)
    return result


def _holidays() -> NDArray[np.datetime64]:
    return np.array(bank_holidays(), dtype="datetime64[D]")


def add_working_days(days: Ints, working_days: Ints) -> Ints:
    """Returns the n-th working day after each day (England and Wales); the day itself where n is 0."""
    later = np.busday_offset(days.astype("datetime64[D]"), working_days, roll="backward", holidays=_holidays())
    return np.where(working_days == 0, days, later.astype(np.int64))


def completed_years(birth: Ints, days: Ints) -> Ints:
    """Returns ages on the days; 0 for a child not yet born."""
    born = birth.astype("datetime64[D]").astype("datetime64[M]")
    now = days.astype("datetime64[D]").astype("datetime64[M]")
    months = (now - born).astype(np.int64)
    day_born = birth - born.astype("datetime64[D]").astype(np.int64)
    day_now = days - now.astype("datetime64[D]").astype(np.int64)
    ages: Ints = np.maximum((months - (day_now < day_born)) // 12, 0)
    return ages
