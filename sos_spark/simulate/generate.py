"""All records of one unit, from its rates to the tables of its returns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sos_spark.simulate.areas import Absences, Area, Unit
from sos_spark.simulate.calibration import RUN_UP_YEARS, rates_of
from sos_spark.simulate.care_periods import Episodes, episodes_of
from sos_spark.simulate.cases import Cases
from sos_spark.simulate.children import Children, children_of
from sos_spark.simulate.cin_records import cin_tables
from sos_spark.simulate.corruption import CORRUPT_MODULES, FEWEST_ROWS, corrupt_tables
from sos_spark.simulate.days import first_day, last_day
from sos_spark.simulate.draws import Draws
from sos_spark.simulate.journeys import cases_of
from sos_spark.simulate.lac_records import lac_tables
from sos_spark.simulate.planting import PlannedEffect, Planting, Tally
from sos_spark.simulate.records import Frame, ids_of, module_names, schema_of, upns_of
from sos_spark.simulate.setting import Setting


@dataclass(frozen=True)
class Plan:
    """What to simulate, beside the units: the same for every unit, and small enough to be sent with each task."""

    seed: int
    scale: float
    first_year: int
    last_year: int
    planned: tuple[PlannedEffect, ...]
    absences: Absences


@dataclass(frozen=True)
class Journeys:
    """The children of an area, what happened to them, and the tally of planted effects in the plan's order."""

    children: Children
    cases: Cases
    episodes: Episodes
    tallies: Sequence[Tally]


@dataclass(frozen=True)
class UnitRecords:
    """A unit's tables, in order of authority, census year and child; its tallies; and its corrupt rows by kind."""

    tables: Mapping[str, pa.Table]
    tallies: Sequence[Tally]
    corrupt: Counter[str]


def journeys_of(area: Area, plan: Plan) -> Journeys:
    """Returns what happens in an area; cases in order of child and referral, episodes of child and day."""
    draws = Draws(plan.seed, area.code)
    rates = rates_of(
        area.levels,
        draws,
        scale=plan.scale,
        first_year=plan.first_year - RUN_UP_YEARS,
        last_year=plan.last_year,
    )
    children = children_of(draws, rates, first_year=plan.first_year, last_year=plan.last_year)
    setting = Setting(
        area=area,
        children=children,
        rates=rates,
        draws=draws,
        planting=Planting(area.codes, plan.planned),
        absences=plan.absences,
        first_day=first_day(plan.first_year),
        last_day=last_day(plan.last_year),
    )
    cases = cases_of(setting)
    cases = cases.take(np.lexsort((cases.referred, cases.child)))
    episodes = episodes_of(setting, cases)
    episodes = episodes.take(np.lexsort((episodes.began, episodes.child)))
    return Journeys(children, cases, episodes, setting.planting.tallies)


def records_of(unit: Unit, plan: Plan) -> UnitRecords:
    """Returns every record of a unit's returns."""
    parts: dict[str, list[pa.Table]] = {module: [] for module in module_names()}
    tallies = [Tally() for _ in plan.planned]
    corrupt: Counter[str] = Counter()
    for area in unit.areas:
        journeys = journeys_of(area, plan)
        for total, own in zip(tallies, journeys.tallies, strict=True):
            total.add(own)
        frame = Frame(
            area=area,
            children=journeys.children,
            draws=Draws(plan.seed, area.code),
            absences=plan.absences,
            first_year=plan.first_year,
            last_year=plan.last_year,
            ids=ids_of(area, journeys.children),
            upns=upns_of(area, journeys.children),
        )
        for tables in (cin_tables(frame, journeys.cases), lac_tables(frame, journeys.episodes)):
            for module, table in tables.items():
                parts[module].append(table)
    for code in unit.codes:
        years, present = _years_present(code, unit, plan)
        bears = _bears_corruption(code, years, present, parts)
        tables, counts = corrupt_tables(Draws(plan.seed, code), code, years, bears)
        corrupt += counts
        for module, table in tables.items():
            parts[module].append(table)
    joined = {
        module: _in_order(pa.concat_tables([schema_of(module).empty_table(), *found]))
        for module, found in parts.items()
    }
    return UnitRecords(joined, tallies, corrupt)


def _bears_corruption(
    code: str, years: np.ndarray, present: dict[str, np.ndarray], parts: Mapping[str, list[pa.Table]]
) -> dict[str, np.ndarray]:
    """Returns in which years a code's return is long enough for a corrupt row not to put the whole year in doubt."""
    bears = {}
    for collection, module in CORRUPT_MODULES.items():
        found: Counter[int] = Counter()
        for table in parts[module]:
            own = table.filter(pc.equal(table["la_code"], code))
            found.update(own["census_year"].to_pylist())
        bears[collection] = present[collection] & np.array([found[year] >= FEWEST_ROWS for year in years.tolist()])
    return bears


def _years_present(code: str, unit: Unit, plan: Plan) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Returns the census years, and for each collection in which of them the code makes a return."""
    years = np.arange(plan.first_year, plan.last_year + 1)
    stands = np.zeros(len(years), dtype=bool)
    for area in unit.areas:
        stands |= (
            (years < area.change_year)
            if code == area.code
            else (years >= area.change_year) & (code in area.later_codes)
        )
    return years, {
        collection: stands
        & np.array([(code, year, collection) not in plan.absences.returns for year in years.tolist()])
        for collection in ("cin", "ssda903")
    }


def _in_order(table: pa.Table) -> pa.Table:
    """Sorts by authority and census year; rows of one return keep their order."""
    codes = table["la_code"].combine_chunks().dictionary_encode()
    ranks = np.argsort(np.argsort(codes.dictionary.to_numpy(zero_copy_only=False)))
    code = ranks[codes.indices.to_numpy()] if len(codes) else np.zeros(0, dtype=np.int64)
    order = np.lexsort((table["census_year"].to_numpy(), code))
    return table.take(pa.array(order)).combine_chunks()


def by_return(table: pa.Table) -> Iterator[tuple[tuple[str, int], pa.Table]]:
    """Yields each (authority, census year) and its rows of a table in that order."""
    if not table.num_rows:
        return
    code = table["la_code"].combine_chunks().dictionary_encode().indices.to_numpy()
    year = table["census_year"].to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], (code[1:] != code[:-1]) | (year[1:] != year[:-1])]))
    for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), table.num_rows], strict=True):
        rows = table.slice(start, stop - start)
        yield (rows["la_code"][0].as_py(), rows["census_year"][0].as_py()), rows
