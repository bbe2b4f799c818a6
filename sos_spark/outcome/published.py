"""Published measures: a numerator and a denominator an LA and year become the cell of a unit and year.

Grain: in, a published value (LA, census year, quantity); out, a unit and year, known or not. A unit's value is known
only where that of every authority it is made of is; suppressed and unavailable are never zero. What an unknown value
can have been: `published_bounds`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sos_spark.bronze.read.published import EARLY_BANDS, LATE_BANDS, PublishedValue
from sos_spark.config.outcomes.published import MeasureName
from sos_spark.config.study import Window

Lookup = Callable[[str], int | None]
"""A quantity's value in one LA and year; None where it is not known."""


@dataclass(frozen=True)
class Component:
    """An LA code of a unit and the census years in which it was valid."""

    la_code: str
    first_census_year: int
    last_census_year: int


@dataclass(frozen=True)
class PublishedCell:
    """A unit and year of a measure. `n` and `y_sum` are None where `reason` says why the cell is unknown."""

    unit_id: str
    census_year: int
    n: int | None
    y_sum: int | None
    reason: str | None


@dataclass(frozen=True)
class Measure:
    """How a measure is counted. `first_census_year`: the first in which the count means what it does now."""

    numerator: Callable[[Lookup], int | None]
    denominator: Callable[[Lookup], int | None]
    first_census_year: int = 0


def _quantity(name: str) -> Callable[[Lookup], int | None]:
    return lambda value: value(name)


def _total(value: Lookup, names: Sequence[str]) -> int | None:
    return _sum(value(name) for name in names)


def _within_45(value: Lookup) -> int | None:
    """Completed less the three late bands where all are known, else the six early ones.

    In a few LA-years the nine bands hold fewer than were completed: those of no known duration count as within.
    """
    completed, late = value("assessments"), _total(value, LATE_BANDS)
    return completed - late if completed is not None and late is not None else _total(value, EARLY_BANDS)


def _guardianship(value: Lookup) -> int | None:
    """One count from 2018; before, two: to carers who fostered the child, and to others."""
    whole = value("ceased_guardianship")
    return whole if whole is not None else _total(value, ("ceased_guardianship_carers", "ceased_guardianship_others"))


MEASURES: dict[MeasureName, Measure] = {
    "rereferral_12m": Measure(_quantity("rereferrals"), _quantity("referrals")),
    "nfa_share": Measure(_quantity("nfa"), _quantity("referrals")),
    "icpc_per_section47": Measure(_quantity("icpc"), _quantity("section47")),
    "icpc_per_referral": Measure(_quantity("icpc"), _quantity("referrals")),
    # Before 2014/15 LAs could return initial and core assessments.
    "assessed_within_45": Measure(_within_45, _quantity("assessments"), first_census_year=2015),
    "looked_after_rate": Measure(_quantity("looked_after"), _quantity("population_0_17")),
    "special_guardianship_share": Measure(_guardianship, _quantity("ceased")),
}


def published_cells(
    values: Iterable[PublishedValue], *, measure: Measure, units: Mapping[str, Sequence[Component]], window: Window
) -> list[PublishedCell]:
    """Returns a cell a unit and census year of the window, in order.

    The reason of an unknown cell is before_measure, no_authority (none of the unit's codes was valid that year),
    unavailable (a count does not exist), suppressed (all exist, one is withheld) or none_counted (nobody to count).
    """
    known = {(v.la_code, v.census_year, v.quantity): v for v in values}
    cells = []
    for unit_id in sorted(units):
        for year in census_years(window):
            counts = [_counts(measure, known, code, year) for code in codes_of(units[unit_id], year)]
            n, y_sum = _sum(count.n for count in counts), _sum(count.y_sum for count in counts)
            reason: str | None
            if year < measure.first_census_year:
                reason = "before_measure"
            elif not counts:
                reason = "no_authority"
            elif n is None or y_sum is None:
                reason = "unavailable" if any(count.is_unavailable for count in counts) else "suppressed"
            else:
                reason = None if n else "none_counted"
            cells.append(PublishedCell(unit_id, year, None if reason else n, None if reason else y_sum, reason))
    return cells


@dataclass(frozen=True)
class _Counts:
    """A measure's two counts in one LA and year, and whether one of them is unknown because it does not exist."""

    n: int | None
    y_sum: int | None
    is_unavailable: bool


def _sum(parts: Iterable[int | None]) -> int | None:
    """The sum, None where a part is not known."""
    total = 0
    for part in parts:
        if part is None:
            return None
        total += part
    return total


def _counts(measure: Measure, known: Mapping[tuple[str, int, str], PublishedValue], code: str, year: int) -> _Counts:
    withheld: set[str] = set()

    def value(quantity: str) -> int | None:
        found = known.get((code, year, quantity))
        if found is not None and found.value is None:
            withheld.add(found.status)
        return found.value if found else None

    n, y_sum = measure.denominator(value), measure.numerator(value)
    return _Counts(n, y_sum, None in (n, y_sum) and withheld != {"suppressed"})


def codes_of(components: Sequence[Component], census_year: int) -> list[str]:
    """Returns a unit's LA codes that were valid in a census year."""
    return [c.la_code for c in components if c.first_census_year <= census_year <= c.last_census_year]


def census_years(window: Window) -> list[int]:
    """Returns the years, named by the one they end in, that lie in the study's two spans and end before its data do."""
    years = range(window.baseline[0].year + 1, window.follow_up[1].year + 1)
    spans = (window.baseline, window.follow_up)
    return [
        year
        for year in years
        if any(start <= date(year - 1, 4, 1) < end for start, end in spans) and date(year, 3, 31) <= window.data_ends
    ]
