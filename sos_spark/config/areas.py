"""Which harmonised unit of a study's window an LA's DfE code names.

Codes change: mergers and splits are in conf/reference/authority_changes.csv. Codes that changed inside a window are one
unit. A code from outside it names what stands there in the window: a later code the unit that holds the authorities it
came from, an earlier code the unit that holds those that came of it. Everything that a study file says of authorities
(pilots, comparators, practice models, ratings) and the lists of statistical neighbours are read through `UnitNames`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from sos_spark.config.reference import Authority, AuthorityChange, authorities, authority_changes
from sos_spark.config.study import Design, Study, Window
from sos_spark.errors import InputError


def census_year(day: date) -> int:
    """Returns the census year of a day: the year in which the 12 months from 1 April end."""
    return day.year + (day.month >= 4)


def census_years(window: Window) -> range:
    """Returns the census years that a study's window touches, from baseline start to follow_up end."""
    return range(census_year(window.baseline[0]), census_year(window.follow_up[1] - timedelta(days=1)) + 1)


def harmonise(
    years: range, *, authorities: Mapping[str, Authority], changes: Iterable[AuthorityChange]
) -> dict[str, tuple[str, ...]]:
    """Returns, for each LA code valid in some of the census years, the codes of its unit, sorted.

    A unit is a connected component of the changes that took effect after the first of the years: before, the new codes
    alone are returned. Areas are never cut: an LA that gave part of its area to another is in one unit with it.
    """
    listed = sorted(code for code, authority in authorities.items() if any(authority.existed_in(y) for y in years))
    members = {code: {code} for code in listed}
    for change in changes:
        inside = years[0] < change.first_census_year <= years[-1]
        if inside and change.from_la_code in members and change.to_la_code in members:
            merged = members[change.from_la_code] | members[change.to_la_code]
            for code in merged:
                members[code] = merged
    return {code: tuple(sorted(members[code])) for code in listed}


def codes_named(code: str, among: Container[str], changes: Iterable[AuthorityChange]) -> tuple[str, ...]:
    """Returns the codes, of some, that a code names: itself, else what it came from, else what came of it. Sorted.

    Several where it came from several; none where nothing in its history is among them.
    """
    if code in among:
        return (code,)
    earlier, later = defaultdict(set), defaultdict(set)
    for change in changes:
        earlier[change.to_la_code].add(change.from_la_code)
        later[change.from_la_code].add(change.to_la_code)
    for step in (earlier, later):
        found, seen, frontier = set(), {code}, {code}
        while frontier:
            reached = {other for known in frontier for other in step.get(known, ())} - seen
            seen |= reached
            found |= {other for other in reached if other in among}
            frontier = reached - found
        if found:
            return tuple(sorted(found))
    return ()


@dataclass(frozen=True)
class UnitNames:
    """Which of some units a code names. `unit_of` maps each unit_id, and each code that it joins with '+', to it."""

    unit_of: Mapping[str, str]
    changes: tuple[AuthorityChange, ...]

    @classmethod
    def of_units(cls, unit_ids: Iterable[str], *, changes: Iterable[AuthorityChange]) -> UnitNames:
        """Returns the names of units, of a panel's for example.

        Raises:
            InputError: A code belongs to two of them.
        """
        unit_of: dict[str, str] = {}
        for unit_id in sorted(set(unit_ids)):
            for code in (unit_id, *unit_id.split("+")):
                if unit_of.setdefault(code, unit_id) != unit_id:
                    raise InputError(
                        "An authority belongs to two units of the panel",
                        found=f"{code} in {unit_of[code]} and {unit_id}",
                        remedy="Harmonise units over the whole window",
                    )
        return cls(unit_of, tuple(changes))

    def units_of(self, code: str) -> tuple[str, ...]:
        """Returns the units that a code names, sorted: one as a rule, several where it came from several, or none."""
        return tuple(sorted({self.unit_of[known] for known in codes_named(code, self.unit_of, self.changes)}))

    def units_of_all(self, codes: Iterable[str]) -> frozenset[str]:
        """Returns the units that some codes name."""
        return frozenset(unit for code in codes for unit in self.units_of(code))


def names_of_panel(unit_ids: Iterable[str]) -> UnitNames:
    """Returns the names of a panel's units, by the changes of England's authorities; errors as `UnitNames.of_units`."""
    return UnitNames.of_units(unit_ids, changes=authority_changes())


@lru_cache(maxsize=32)
def names_of_window(window: Window) -> UnitNames:
    """Returns the names of all of England's units of a window."""
    components = harmonise(census_years(window), authorities=authorities(), changes=authority_changes())
    return UnitNames.of_units(map("+".join, components.values()), changes=authority_changes())


def neighbours_of(
    code: str, lists: Mapping[str, tuple[str, ...]], *, n: int, changes: Iterable[AuthorityChange]
) -> tuple[str, ...]:
    """Returns the n nearest statistical neighbours of a code, nearest first.

    A code without a list of its own has those of the authorities it came from, else of those that came of it, one
    after the other. None where there is no list.
    """
    found = codes_named(code, lists, changes)
    return tuple(dict.fromkeys(near for known in found for near in lists[known][:n]))


def _exposed(study: Study) -> list[str]:
    """Returns the codes of every exposure."""
    return [code for exposure in study.exposures for code in exposure.la_codes]


def code_faults(study: Study | Design, *, known: Sequence[UnitNames]) -> list[str]:
    """Returns a line for each code of a study that names none of the known units, with its key.

    The codes are those of pilots, of comparators (listed, excluded, and the pilots' neighbours where these compare), of
    practice models and of ratings. A pilot without a list of neighbours is a fault too where neighbours compare.

    Args:
        study: The study, or the design of one of its outcomes, which has no ratings.
        known: The units of its window; of a panel of one's own, those of the panel as well.
    """
    by_key: list[tuple[str, list[str]]] = [
        ("pilots", [pilot.la_code for pilot in study.pilots]),
        ("comparators.la_codes", [*study.comparators.la_codes]),
        ("comparators.exclude", [*study.comparators.exclude]),
        ("practice_models", [model.la_code for model in study.practice_models]),
        ("exposures", _exposed(study) if isinstance(study, Study) else []),
        ("ratings", [rating.la_code for rating in study.ratings] if isinstance(study, Study) else []),
    ]
    without = []
    for pilot in study.pilots if study.comparators.kind == "neighbours" else ():
        near = neighbours_of(pilot.la_code, study.neighbours, n=study.comparators.n, changes=known[0].changes)
        by_key.append((f"neighbours of {pilot.la_code}", [*near]))
        if not near:
            without.append(
                f'pilots: {pilot.la_code} has no list of statistical neighbours; name the comparators: kind = "listed"'
            )
    named_nothing = [
        f"{key}: {code} is no local authority's DfE code, and no unit of the data"
        for key, codes in by_key
        for code in dict.fromkeys(codes)
        if not any(names.units_of(code) for names in known)
    ]
    return [*named_nothing, *without]
