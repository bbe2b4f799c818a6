"""Public reference tables, from conf/reference: authorities and their history, code sets, working days, neighbours."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[3] / "conf" / "reference"
CODE_SETS_BEGIN = 2017

Spans = dict[str, tuple[int, int]]


def _rows(name: str) -> list[dict[str, str]]:
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def authority_years() -> Spans:
    """Each LA code's first and last census year."""
    return {
        row["la_code"]: (int(row["first_census_year"] or 0), int(row["last_census_year"] or 9999))
        for row in _rows("authorities")
    }


def changes() -> list[tuple[str, str, int]]:
    """(from, to, first census year) of each change of an authority's code."""
    return [(r["from_la_code"], r["to_la_code"], int(r["first_census_year"])) for r in _rows("authority_changes")]


def units_over(first: int, last: int) -> dict[str, str]:
    """The unit of each LA code that was valid in some of the census years: its codes and those it changed with."""
    valid = {code for code, (start, end) in authority_years().items() if start <= last and end >= first}
    group = {code: code for code in valid}
    for old, new, year in changes():
        if first < year <= last and {old, new} <= valid:
            gone, kept = group[old], group[new]
            group = {code: kept if own == gone else own for code, own in group.items()}
    members: dict[str, list[str]] = defaultdict(list)
    for code, own in group.items():
        members[own].append(code)
    return {code: "+".join(sorted(members[own])) for code, own in group.items()}


def units_named(code: str, unit_of: dict[str, str]) -> set[str]:
    """The units that a code names: its own, else those of what it came from, else of what came of it."""
    if code in unit_of:
        return {unit_of[code]}
    for old_to_new in (False, True):
        frontier, seen = {code}, {code}
        while frontier:
            frontier = {
                (new if old_to_new else old) for old, new, _ in changes() if (old if old_to_new else new) in frontier
            } - seen
            seen |= frontier
            if found := {unit_of[one] for one in frontier if one in unit_of}:
                return found
    return set()


def neighbours(n: int) -> dict[str, list[str]]:
    """The n nearest statistical neighbours of each LA code that has a list, nearest first."""
    lists: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in _rows("statistical_neighbours"):
        lists[row["la_code"]].append((int(row["rank"]), row["neighbour_la_code"]))
    return {code: [near for _, near in sorted(ranked)[:n]] for code, ranked in lists.items()}


def code_set(collection: str, field: str) -> Spans:
    """The codes of a field and the census years each was valid in."""
    return {
        row["code"]: (int(row["first_census_year"]), int(row["last_census_year"]))
        for row in _rows("code_sets")
        if (row["collection"], row["field"]) == (collection, field)
    }


def working_days(first: date, last: date) -> list[tuple[date, int, bool]]:
    """Each day, how many working days there were up to and including it, and whether it is one."""
    closed = {date.fromisoformat(row["date"]) for row in _rows("bank_holidays")}
    found, number, day = [], 0, first
    while day <= last:
        is_open = day.weekday() < 5 and day not in closed
        number += is_open
        found.append((day, number, is_open))
        day += timedelta(days=1)
    return found
