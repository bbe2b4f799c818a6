"""What an unknown published count can have been: the least and the most that everything else published allows.

Grain: in, published values of LAs and regions; out, a unit and year with rows that no cell counts. Nothing is assumed
of a suppressed count but that it is no less than 0: it is 1 to 5 only where it is not suppressed for another's sake,
which the tables do not say (in the tables of 2018-2022, some suppressed counts are 0). What narrows it:

- A region's total, which is rounded to 10 and holds every authority's count, and sometimes an estimate for one that is
  unavailable. So a suppressed count is no more than the total less the known ones, give or take 5, and no less if it is
  the only one of the region that is not known.
- rereferral_12m: a re-referred child was re-referred at least once, and every other child was referred at least once:
  between the re-referred children and referrals less the other children.
- nfa_share: no more than referrals less those that ended as 'not in need' after an assessment.
- assessed_within_45: between the known early bands and completed less the known late ones, the suppressed bands within
  their own ranges.
- special_guardianship_share: reasons for leaving care add up to all who left, so between that total less the most and
  less the least that all other reasons can be.
- Every share: 0 to n. A ratio that can pass 1 has no upper bound unless a region's total gives one.

Where a denominator is not known there is no bound, and n says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sos_spark.bronze.read.published import EARLY_BANDS, LATE_BANDS, OTHER_REASON, REGION, PublishedValue
from sos_spark.config.outcomes.published import DECLARED_MEASURES, MeasureName
from sos_spark.config.reference import Authority
from sos_spark.config.study import Window
from sos_spark.outcome.published import MEASURES, Component, codes_of, published_cells

ROUNDING = 5
"""Regions' counts are rounded to 10."""
_COUNTED = ("known", "not_applicable")


@dataclass(frozen=True)
class Range:
    """Whole numbers from `low` to `high`, which may be infinite."""

    low: int
    high: float

    def __add__(self, other: Range) -> Range:
        """Returns the range of the sum."""
        return Range(self.low + other.low, self.high + other.high)

    def within(self, low: float, high: float) -> Range:
        """Returns the part of it from low to high; all of it where there is none, the counts contradicting a total."""
        narrower = Range(int(max(self.low, low)), min(self.high, high))
        return narrower if narrower.low <= narrower.high else self


ANYTHING = Range(0, math.inf)
NOBODY = Range(0, 0)


@dataclass(frozen=True)
class PublishedBound:
    """Rows of a unit and year that no cell of a measure counts, and what the sum of their y can be.

    `n` and the ends are None where nothing published bounds them. `reason`: suppressed or unavailable.
    """

    unit_id: str
    census_year: int
    n: int | None
    y_low: int | None
    y_high: int | None
    reason: str


class _Place:
    """The published counts of one LA and year."""

    def __init__(self, ranges: Mapping[str, Range]) -> None:
        self._ranges = ranges

    def range(self, quantity: str) -> Range:
        return self._ranges.get(quantity, ANYTHING)

    def total(self, quantities: Iterable[str]) -> Range:
        return sum((self.range(name) for name in quantities), start=NOBODY)

    def value(self, quantity: str) -> int | None:
        found = self.range(quantity)
        return found.low if found.low == found.high else None

    def guardianship(self) -> Range:
        whole = "ceased_guardianship"
        parts = ("ceased_guardianship_carers", "ceased_guardianship_others")
        return self.range(whole) if whole in self._ranges else self.total(parts)

    def other_reasons(self) -> Range:
        named = [name for name in self._ranges if name.startswith(OTHER_REASON)]
        return self.total(named) if named else ANYTHING


def _rereferrals(place: _Place, n: int) -> Range:
    again, children = place.range("rereferred_children"), place.range("referred_children")
    return place.range("rereferrals").within(again.low, n - max(0, children.low - again.high))


def _nfa(place: _Place, n: int) -> Range:
    return place.range("nfa").within(0, n - place.range("not_in_need").low)


def _within_45(place: _Place, n: int) -> Range:
    return place.total(EARLY_BANDS).within(0, n - place.total(LATE_BANDS).low)


def _guardianship(place: _Place, n: int) -> Range:
    others = place.other_reasons()
    return place.guardianship().within(n - others.high, n - others.low)


RANGES: dict[MeasureName, Callable[[_Place, int], Range]] = {
    "rereferral_12m": _rereferrals,
    "nfa_share": _nfa,
    "icpc_per_section47": lambda place, _: place.range("icpc"),
    "icpc_per_referral": lambda place, _: place.range("icpc"),
    "assessed_within_45": _within_45,
    "looked_after_rate": lambda place, _: place.range("looked_after"),
    "special_guardianship_share": _guardianship,
}
"""How each measure's unknown numerator is bounded in one LA and year."""


def published_bounds(
    values: Sequence[PublishedValue],
    *,
    measure: MeasureName,
    units: Mapping[str, Sequence[Component]],
    window: Window,
    authorities: Mapping[str, Authority],
) -> list[PublishedBound]:
    """Returns what is not known of a measure, in order of unit and year.

    Args:
        values: Of LAs and regions, one an LA, year and quantity.
        measure: A key of `MEASURES`.
        units: The LA codes of each unit.
        window: The study's.
        authorities: Which LAs a region had in a year.
    """
    counted = MEASURES[measure]
    places = _places(values, authorities)
    bounds = []
    for cell in published_cells(values, measure=counted, units=units, window=window):
        if cell.reason not in ("suppressed", "unavailable"):
            continue
        parts = [
            places.get((code, cell.census_year), _Place({})) for code in codes_of(units[cell.unit_id], cell.census_year)
        ]
        sizes = [counted.denominator(part.value) for part in parts]
        known = [n for n in sizes if n is not None]
        if len(known) < len(sizes):
            bounds.append(PublishedBound(cell.unit_id, cell.census_year, None, None, None, cell.reason))
            continue
        y = NOBODY
        for part, n in zip(parts, known, strict=True):
            own = counted.numerator(part.value)
            found = Range(own, own) if own is not None else RANGES[measure](part, n)
            y += found.within(0, n) if DECLARED_MEASURES[measure].is_share else found
        high = None if math.isinf(y.high) else int(y.high)
        bounds.append(PublishedBound(cell.unit_id, cell.census_year, sum(known), y.low, high, cell.reason))
    return bounds


def _places(values: Iterable[PublishedValue], authorities: Mapping[str, Authority]) -> dict[tuple[str, int], _Place]:
    """The counts of each LA and year, the suppressed ones as narrow as their region's total makes them."""
    by_count: dict[tuple[int, str], dict[str, PublishedValue]] = {}
    for value in values:
        by_count.setdefault((value.census_year, value.quantity), {})[value.la_code] = value
    ranges: dict[tuple[str, int], dict[str, Range]] = {}
    for (year, quantity), found in by_count.items():
        narrowed = _of_suppressed(year, found, authorities)
        for code, value in found.items():
            own = narrowed.get(code, ANYTHING) if value.value is None else Range(value.value, value.value)
            if value.status == "not_applicable" and quantity.startswith(OTHER_REASON):
                own = NOBODY
            ranges.setdefault((code, year), {})[quantity] = own
    return {place: _Place(counts) for place, counts in ranges.items()}


def _of_suppressed(
    year: int, found: Mapping[str, PublishedValue], authorities: Mapping[str, Authority]
) -> dict[str, Range]:
    """The ranges of one quantity's suppressed counts in one year, where their region's total says something."""
    regions: dict[str, list[str]] = {}
    for code, authority in authorities.items():
        if authority.existed_in(year):
            regions.setdefault(REGION + authority.region.casefold(), []).append(code)
    ranges: dict[str, Range] = {}
    for region, codes in regions.items():
        total = found[region].value if region in found else None
        suppressed = [code for code in codes if code in found and found[code].status == "suppressed"]
        known = [found[code].value or 0 for code in codes if code in found and found[code].status in _COUNTED]
        left = -1 if total is None else total - sum(known) + ROUNDING
        if left >= 0:
            is_the_only_one = len(known) + 1 == len(codes)
            low = max(0, left - 2 * ROUNDING) if is_the_only_one else 0
            ranges |= dict.fromkeys(suppressed, Range(low, left))
    return ranges
