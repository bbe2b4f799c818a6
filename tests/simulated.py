"""Simulated journeys and records in memory, without Spark: for tests of what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from sos_spark.config.reference import authorities, authority_changes
from sos_spark.simulate import Effects
from sos_spark.simulate.areas import Area, Unit, absences_of, units_of
from sos_spark.simulate.generate import Journeys, Plan, journeys_of, records_of
from sos_spark.simulate.planting import Tally, planned_effects, truth_entries

FIRST_YEAR, LAST_YEAR = 2013, 2020


def some_effects(
    *effects: tuple[str, float], la_codes: Sequence[str], from_day: str = "2015-04-01", baselines: Mapping[str, float]
) -> Effects:
    """Effects of (outcome_id, size) in some authorities from a day on."""
    return Effects.model_validate(
        {
            "effects": [{"outcome_id": o, "la_codes": la_codes, "from": from_day, "size": size} for o, size in effects],
            "baselines": [{"outcome_id": o, "la_codes": la_codes, "level": level} for o, level in baselines.items()],
        }
    )


def _units_and_plan(effects: Effects, *, scale: float, seed: int) -> tuple[tuple[Unit, ...], Plan]:
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    units = units_of(authorities(), authority_changes(), effects, census_years=years, n_authorities=None, seed=seed)
    absences = absences_of(units, effects, census_years=years, seed=seed)
    return units, Plan(seed, scale, FIRST_YEAR, LAST_YEAR, planned_effects(effects), absences)


def simulated_records(
    effects: Effects, *, la_codes: Sequence[str], scale: float, seed: int
) -> tuple[dict[str, pa.Table], list[dict[str, object]]]:
    """Records of some authorities by module, and the truth's entries."""
    units, plan = _units_and_plan(effects, scale=scale, seed=seed)
    tables: dict[str, list[pa.Table]] = {}
    tallies = [Tally() for _ in plan.planned]
    for unit in units:
        if set(unit.codes) & set(la_codes):
            records = records_of(unit, plan)
            for module, table in records.tables.items():
                tables.setdefault(module, []).append(table)
            for total, own in zip(tallies, records.tallies, strict=True):
                total.add(own)
    return {module: pa.concat_tables(parts) for module, parts in tables.items()}, truth_entries(plan.planned, tallies)


def simulated_journeys(
    *, scale: float, seed: int, la_codes: Sequence[str] | None = None
) -> list[tuple[Area, Journeys]]:
    """Journeys of some authorities, or of all of them."""
    units, plan = _units_and_plan(Effects(), scale=scale, seed=seed)
    areas = [area for unit in units for area in unit.areas if la_codes is None or area.code in la_codes]
    return [(area, journeys_of(area, plan)) for area in areas]
