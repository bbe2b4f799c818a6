"""The rows of cohort.units: each local authority code of a study's window, its harmonised unit and its role."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sos_spark.config.areas import UnitNames, census_years, code_faults, harmonise, names_of_window
from sos_spark.config.periods import add_periods, label, period_start
from sos_spark.config.reference import Authority, AuthorityChange
from sos_spark.config.study import TRANSITIONS, Pilot, Study
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


def study_units(
    study: Study, *, authorities: Mapping[str, Authority], changes: Iterable[AuthorityChange]
) -> tuple[Unit, ...]:
    """Returns a row for each LA code valid in the study's window, by code.

    A pilot may be named by any code of its unit, or by one from outside the window whose area the unit holds, and its
    whole unit is treated.

    Raises:
        StudyError: The study names codes that are no LA's, or two go-lives for one unit; lists every fault.
    """
    years = census_years(study.window)
    components = harmonise(years, authorities=authorities, changes=changes)
    names = UnitNames.of_units(map("+".join, components.values()), changes=changes)
    faults = code_faults(study, known=[names])
    pilots: dict[str, Pilot] = {}
    for pilot in study.pilots:
        for unit_id in names.units_of(pilot.la_code):
            first = pilots.setdefault(unit_id, pilot)
            if first.go_live != pilot.go_live:
                faults.append(
                    f"pilots {first.la_code} and {pilot.la_code} are one unit over the window ({unit_id}) and"
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
            unit_id=names.unit_of[code],
            unit_name=" + ".join(dict.fromkeys(authorities[member].name for member in codes)),
            first_census_year=max(years[0], authorities[code].first_census_year or years[0]),
            last_census_year=min(years[-1], authorities[code].last_census_year or years[-1]),
            is_pilot=names.unit_of[code] in pilots,
            go_live=pilots[names.unit_of[code]].go_live if names.unit_of[code] in pilots else None,
        )
        for code, codes in components.items()
    )


def cohort_warnings(units: Sequence[Unit], study: Study) -> tuple[str, ...]:
    """Returns what a person running the study should know: units treated as a whole, periods cut by a go-live."""
    named: dict[str, set[str]] = defaultdict(set)
    for pilot in study.pilots:
        for unit_id in names_of_window(study.window).units_of(pilot.la_code):
            named[unit_id].add(pilot.la_code)
    treated = {unit.unit_id: unit for unit in units if unit.is_pilot}
    warnings = [
        f"unit {unit.unit_id} ({unit.unit_name}) is treated as a whole, because its authorities merged or split"
        f" {'inside' if '+' in unit.unit_id else 'outside'} the window; the study names"
        f" {', '.join(sorted(named[unit.unit_id]))}"
        for unit in treated.values()
        if not set(unit.unit_id.split("+")) <= named[unit.unit_id]
    ]
    period = study.window.period
    for unit in treated.values():
        if unit.go_live is None:
            continue
        start = period_start(unit.go_live, period)
        inside = study.window.baseline[0] < unit.go_live < study.window.follow_up[1]
        if inside and start != unit.go_live:
            fate = TRANSITIONS[study.window.transition]
            warnings.append(
                f"the {period} {label(start, period)} of unit {unit.unit_id} contains its go-live {unit.go_live} and is"
                f" {fate}; treatment counts from {add_periods(start, 1, period)}"
            )
    return tuple(warnings)
