"""Records as they stand in the returns: one Arrow table a module, with one row for each return a record appears in.

A return of census year Y holds what was open at any time in the year, with what was known on 31 March Y: an end that
lies later is blank, and comes in a later return. Both written forms are made from these tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sos_spark.simulate.areas import Absences, Area
from sos_spark.simulate.children import Children
from sos_spark.simulate.days import NEVER, census_year_of
from sos_spark.simulate.draws import Draws, Flags, Ints
from sos_spark.tables import BRONZE_MODULES, PROVENANCE

_MODULES = (
    "child_identifiers",
    "cin_details",
    "assessments",
    "cin_plan_dates",
    "section47",
    "cp_plans",
    "lac_header",
    "lac_episodes",
    "lac_previous_permanence",
)
_EPISODE_POSTCODES = ("HOME_POST", "PL_POST")


def module_names() -> tuple[str, ...]:
    """Returns the modules that are simulated, named as in bronze."""
    return _MODULES


def is_date(field: str) -> bool:
    """Returns whether a CIN field holds a date (SSDA903 dates are text, dd/mm/yyyy)."""
    return field.endswith("Date") or field in ("DateOfInitialCPC", "InitialCPCtarget")


def schema_of(module: str) -> pa.Schema:
    """Returns a module's columns: la_code, census_year, then the DfE names, with the postcodes real returns hold."""
    names = ["la_code", "census_year", *BRONZE_MODULES[module].column_names[len(PROVENANCE) :]]
    if module == "lac_episodes":
        names[names.index("URN") : names.index("URN")] = _EPISODE_POSTCODES
    types = {"la_code": pa.string(), "census_year": pa.int32()}
    return pa.schema([(name, types.get(name, pa.date32() if is_date(name) else pa.string())) for name in names])


@dataclass(frozen=True)
class Appearances:
    """Rows of records and the returns each appears in: `row` into the records, its census year and authority."""

    row: Ints
    year: Ints
    code_position: Ints

    def where(self, keep: Flags) -> Appearances:
        """Returns some of the appearances."""
        return Appearances(self.row[keep], self.year[keep], self.code_position[keep])


@dataclass(frozen=True)
class Frame:
    """What every module of an area needs: who the children are, and which returns there are."""

    area: Area
    children: Children
    draws: Draws
    absences: Absences
    first_year: int
    last_year: int
    ids: pa.Array
    upns: pa.Array

    def appearances(self, child: Ints, began: Ints, ended: Ints, collection: str) -> Appearances:
        """Returns every return in which records open from `began` to `ended` (or NEVER) stand, in order of year."""
        first = np.maximum(census_year_of(began), self.first_year)
        last = np.minimum(np.where(ended == NEVER, self.last_year, census_year_of(ended)), self.last_year)
        count = np.maximum(last - first + 1, 0)
        row = np.repeat(np.arange(len(child)), count)
        year = np.repeat(first, count) + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        positions = self.area.code_at(self.children.place_draw[child[row]], year)
        present = self.absences.present(self.area.codes, positions, year, collection)
        return Appearances(row, year, positions).where(present)

    def once_a_year(self, child: Ints, seen: Appearances) -> Appearances:
        """Returns one appearance a child, year and authority; `row` is then the child."""
        key = (child[seen.row] * 10_000 + seen.year) * 10 + seen.code_position
        _, first = np.unique(key, return_index=True)
        return Appearances(child[seen.row[first]], seen.year[first], seen.code_position[first])

    def table(self, module: str, seen: Appearances, columns: Mapping[str, pa.Array]) -> pa.Table:
        """Returns a module's table; fields not given are blank."""
        schema = schema_of(module)
        codes = pa.array(self.area.codes)
        given = {
            **columns,
            "la_code": codes.take(pa.array(seen.code_position)),
            "census_year": pa.array(seen.year.astype(np.int32)),
        }
        blank = len(seen.row)
        return pa.table([given[f.name] if f.name in given else pa.nulls(blank, f.type) for f in schema], schema=schema)


def dates(days: Ints, shown: Flags | None = None) -> pa.Array:
    """Returns dates; NEVER, and those not shown, are null."""
    hidden = days >= NEVER
    if shown is not None:
        hidden |= ~shown
    return pa.array(np.where(hidden, 0, days).astype(np.int32), mask=hidden).cast(pa.date32())


_TEXT_FROM = -25_567
_TEXT_TO = 47_482
_UK_DATES: dict[str, pa.Array] = {}


def uk_dates(days: Ints, shown: Flags | None = None) -> pa.Array:
    """Returns dates as SSDA903 text, dd/mm/yyyy; NEVER, and those not shown, are null."""
    if not _UK_DATES:
        every = np.arange(_TEXT_FROM, _TEXT_TO).astype("datetime64[D]").astype(str)
        _UK_DATES["every"] = pa.array([f"{d[8:]}/{d[5:7]}/{d[:4]}" for d in every.tolist()])
    hidden = days >= NEVER
    if shown is not None:
        hidden |= ~shown
    at = np.where(hidden, 0, days) - _TEXT_FROM
    return _UK_DATES["every"].take(pa.array(at, mask=hidden))


def words(values: Sequence[str | None], positions: Ints, shown: Flags | None = None) -> pa.Array:
    """Returns values by position; those not shown are null."""
    mask = None if shown is None else ~shown
    return pa.array(list(values), type=pa.string()).take(pa.array(positions, mask=mask))


def chosen(flags: Flags, yes: Sequence[str], no: Sequence[str], u: np.ndarray) -> pa.Array:
    """Returns one spelling of yes or no a row, picked by the draw: returns mix spellings within one file."""
    values = [*yes, *no]
    at = np.where(flags, (u * len(yes)).astype(np.int64), len(yes) + (u * len(no)).astype(np.int64))
    return words(values, at)


_CHECK_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


def upns_of(area: Area, children: Children) -> pa.Array:
    """Returns each child's unique pupil number: a check letter, the authority, and nine digits."""
    numbers = np.arange(len(children))
    birth_year = children.birth.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) % 100
    digits = int(area.code) * 10**9 + numbers * 100 + birth_year
    total = np.zeros(len(children), dtype=np.int64)
    for place in range(12):
        total += digits // 10 ** (11 - place) % 10 * (place + 2)
    letters = np.array(list(_CHECK_LETTERS))[total % 23]
    return pa.array([f"{letter}{digit:012d}" for letter, digit in zip(letters.tolist(), digits.tolist(), strict=True)])


def ids_of(area: Area, children: Children) -> pa.Array:
    """Returns each child's id: text with leading zeros, unique within the area's unit."""
    offset = area.ordinal * 10**7
    return pa.array([f"{number:08d}" for number in range(offset + 1, offset + 1 + len(children))])
