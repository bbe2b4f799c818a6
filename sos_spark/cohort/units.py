"""Harmonises local authorities over a study's window: codes that merged or split inside it are one unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sos_spark.config.periods import add_periods, label, period_start
from sos_spark.config.reference import Authority, AuthorityChange
from sos_spark.config.study import Pilot, Study, Window
from sos_spark.errors import StudyError


@dataclass(frozen=True)
class Unit:
    """A row of cohort.units: an LA code of a study and its unit. Fields in the table's order."""

    study_id: str
    la_code: str
    unit_id: str
    unit_name: str
    first_census_year: int
    last_census_year: int
    is_pilot: bool
    go_live: date | None


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


def study_units(
    study: Study, *, authorities: Mapping[str, Authority], changes: Iterable[AuthorityChange]
) -> tuple[Unit, ...]:
    """Returns a row for each LA code valid in the study's window, by code.

    A pilot may be named by any code of its unit, and its whole unit is treated.

    Raises:
        StudyError: The study names an LA code that never was one, a pilot's code that was not valid in the window, or
            two go-lives for one unit.
    """
    years = census_years(study.window)
    components = harmonise(years, authorities=authorities, changes=changes)
    faults = [*_unknown_codes(study, authorities), *_absent_pilots(study.pilots, components, authorities, years)]
    pilots: dict[tuple[str, ...], Pilot] = {}
    for pilot in study.pilots:
        codes = components.get(pilot.la_code)
        if codes is None:
            continue
        first = pilots.setdefault(codes, pilot)
        if first.go_live != pilot.go_live:
            faults.append(
                f"pilots {first.la_code} and {pilot.la_code} are one unit over the window ({'+'.join(codes)}) and"
                f" go live on {first.go_live} and {pilot.go_live}: give them one date"
            )
    if faults:
        raise StudyError(
            "The study's local authorities cannot be harmonised",
            where=f"window, census years {years[0]} to {years[-1]}",
            faults=faults,
        )
    return tuple(
        Unit(
            study_id=study.study_id,
            la_code=code,
            unit_id="+".join(codes),
            unit_name=" + ".join(dict.fromkeys(authorities[member].name for member in codes)),
            first_census_year=max(years[0], authorities[code].first_census_year or years[0]),
            last_census_year=min(years[-1], authorities[code].last_census_year or years[-1]),
            is_pilot=codes in pilots,
            go_live=pilots[codes].go_live if codes in pilots else None,
        )
        for code, codes in components.items()
    )


def cohort_warnings(units: Sequence[Unit], study: Study) -> tuple[str, ...]:
    """Returns what a person running the study should know: units treated as a whole, periods cut by a go-live."""
    named = {pilot.la_code for pilot in study.pilots}
    treated = {unit.unit_id: unit for unit in units if unit.is_pilot}
    warnings = [
        f"unit {unit.unit_id} ({unit.unit_name}) is treated as a whole, because its authorities merged or split inside"
        f" the window; the study names {', '.join(sorted(named & set(unit.unit_id.split('+'))))}"
        for unit in treated.values()
        if not set(unit.unit_id.split("+")) <= named
    ]
    period = study.window.period
    for unit in treated.values():
        if unit.go_live is None:
            continue
        start = period_start(unit.go_live, period)
        inside = study.window.baseline[0] < unit.go_live < study.window.follow_up[1]
        if inside and start != unit.go_live:
            fate = "dropped" if study.window.transition == "drop" else "untreated"
            warnings.append(
                f"the {period} {label(start, period)} of unit {unit.unit_id} contains its go-live {unit.go_live} and is"
                f" {fate}; treatment counts from {add_periods(start, 1, period)}"
            )
    return tuple(warnings)


def _unknown_codes(study: Study, authorities: Mapping[str, Authority]) -> list[str]:
    named = (
        ("pilots", [pilot.la_code for pilot in study.pilots]),
        ("comparators.la_codes", study.comparators.la_codes),
        ("comparators.exclude", study.comparators.exclude),
        ("practice_models", [model.la_code for model in study.practice_models]),
    )
    return [
        f"{key}: {code} is no local authority's DfE code"
        for key, codes in named
        for code in codes
        if code not in authorities
    ]


def _absent_pilots(
    pilots: Iterable[Pilot],
    components: Mapping[str, tuple[str, ...]],
    authorities: Mapping[str, Authority],
    years: range,
) -> list[str]:
    return [
        f"pilots: {pilot.la_code} ({authorities[pilot.la_code].name}) was returned in no census year from {years[0]} to"
        f" {years[-1]}"
        for pilot in pilots
        if pilot.la_code in authorities and pilot.la_code not in components
    ]
