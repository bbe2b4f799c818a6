"""The children of an area: who they are, and when each is first referred."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.simulate.calibration import RUN_UP_YEARS, STOCK_YEARS, Rates
from sos_spark.simulate.days import completed_years, first_day, last_day
from sos_spark.simulate.draws import Draws, Flags, Floats, Ints

ETHNICITIES = (
    "WBRI",
    "WIRI",
    "WIRT",
    "WOTH",
    "WROM",
    "MWBC",
    "MWBA",
    "MWAS",
    "MOTH",
    "AIND",
    "APKN",
    "ABAN",
    "AOTH",
    "BCRB",
    "BAFR",
    "BOTH",
    "CHNE",
    "OOTH",
    "REFU",
    "NOBT",
)
_ETHNIC_WEIGHTS = (71.0, 0.4, 0.3, 4.0, 0.5, 2.6, 1.1, 1.1, 2.0, 1.2, 2.6, 1.6, 1.5, 1.8, 3.6, 1.5, 0.2, 1.6, 0.4, 1.0)
DISABILITIES = ("NONE", "AUT", "LD", "BEH", "MOB", "COMM;LD", "HEAR", "PC", "AUT;BEH")
_DISABILITY_WEIGHTS = (0.885, 0.035, 0.030, 0.012, 0.008, 0.010, 0.005, 0.005, 0.010)

# Ages at first referral: unborn, under 1, 1-4, 5-9, 10-15, 16-17; days from birth.
_AGE_WEIGHTS = (0.018, 0.070, 0.232, 0.285, 0.305, 0.090)
_AGE_FROM = np.array((-150, 0, 365, 1826, 3652, 5844))
_AGE_TO = np.array((0, 365, 1826, 3652, 5844, 6480))
CARE_ENTRY_SHARE = 0.048
"""Entries to care as a share of referrals in the years before the run-up."""


@dataclass(frozen=True)
class Children:
    """One value a child, numbered from 0. Days are whole numbers; codes are positions in the lists above."""

    first_referral: Ints
    birth: Ints
    is_girl: Flags
    ethnicity: Ints
    disability: Ints
    has_upn: Flags
    has_own_care_id: Flags
    place_draw: Floats
    enters_care_at_once: Flags

    def __len__(self) -> int:
        return len(self.birth)

    def age(self, numbers: Ints, days: Ints) -> Ints:
        """Returns completed years on the days; 0 for the unborn."""
        return completed_years(self.birth[numbers], days)


def children_of(draws: Draws, rates: Rates, *, first_year: int, last_year: int) -> Children:
    """Returns the children first referred in the run-up and the census years, and those long in care by then."""
    years = np.arange(first_year - RUN_UP_YEARS - STOCK_YEARS, last_year + 1)
    at = rates.year_index(years)
    is_stock_year = years < first_year - RUN_UP_YEARS
    expected = np.where(is_stock_year, rates.referrals[at] * CARE_ENTRY_SHARE, rates.arrivals[at])
    # Rounded at random per year, so that small scales keep their expectation.
    counts = np.floor(expected + draws.uniform("arrivals", years)).astype(np.int64)
    numbers = np.arange(counts.sum())
    year = np.repeat(years, counts)
    start = np.array([first_day(int(y)) for y in years])
    length = np.array([last_day(int(y)) - first_day(int(y)) + 1 for y in years])
    day = np.repeat(start, counts) + (draws.uniform("arrival_day", numbers) * np.repeat(length, counts)).astype(
        np.int64
    )
    day = _mostly_weekdays(day, draws.uniform("weekday", numbers), np.repeat(start, counts))

    band = draws.choice("age", numbers, _AGE_WEIGHTS)
    age_days = _AGE_FROM[band] + draws.uniform("age_within", numbers) * (_AGE_TO[band] - _AGE_FROM[band])
    enters_care = year < first_year - RUN_UP_YEARS
    # A child long in care was born before it came into care.
    age_days = np.where(enters_care, np.maximum(age_days, 1), age_days)
    return Children(
        first_referral=day,
        birth=day - age_days.astype(np.int64),
        is_girl=draws.below("girl", numbers, 0.47),
        ethnicity=draws.choice("ethnicity", numbers, _ETHNIC_WEIGHTS),
        disability=draws.choice("disability", numbers, _DISABILITY_WEIGHTS),
        has_upn=draws.below("upn", numbers, 0.96),
        has_own_care_id=draws.below("own_care_id", numbers, 0.05),
        place_draw=draws.uniform("place", numbers),
        enters_care_at_once=enters_care,
    )


def _mostly_weekdays(days: Ints, u: Floats, earliest: Ints) -> Ints:
    """Moves most referrals of a weekend to the Friday before, unless that is before the year's first day."""
    weekday = (days + 3) % 7
    moved = days - np.where(u < 0.8, np.maximum(weekday - 4, 0), 0)
    return np.maximum(moved, earliest)
