"""Reference data: local authorities and their changes, statistical neighbours, bank holidays, code sets.

Read from `conf/reference/*.csv` (sources and licence: conf/reference/SOURCES.md). Everything here is public.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from sos_spark.config.shipped import conf_root


@dataclass(frozen=True)
class Authority:
    """A local authority code. Census years are the years they end in; None: no change known before or after."""

    la_code: str
    name: str
    region: str
    first_census_year: int | None
    last_census_year: int | None
    ons_codes: tuple[str, ...]

    def existed_in(self, census_year: int) -> bool:
        """Returns whether the code was valid in a census year."""
        return (self.first_census_year or 0) <= census_year <= (self.last_census_year or 9999)


@dataclass(frozen=True)
class AuthorityChange:
    """From a census year on, (part of) one authority's area is returned under another code."""

    from_la_code: str
    to_la_code: str
    first_census_year: int


@dataclass(frozen=True)
class OutsideReference:
    """What a method was checked against outside this project, by its tests; `agreement` says how closely."""

    subject: str
    quantity: str
    against: str
    kind: str
    agreement: str


@dataclass(frozen=True)
class CodeSpan:
    """A code of a coded field and the census years it was valid in."""

    code: str
    first_census_year: int
    last_census_year: int


@cache
def outside_references() -> tuple[OutsideReference, ...]:
    """Returns what each method was checked against, by method: outside_references.csv, which the tests make."""
    return tuple(
        OutsideReference(row["subject"], row["quantity"], row["against"], row["kind"], row["agreement"])
        for row in _rows("outside_references.csv")
    )


def _rows(name: str) -> list[dict[str, str]]:
    with (conf_root() / "reference" / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def _year(text: str) -> int | None:
    return int(text) if text else None


@cache
def authorities() -> dict[str, Authority]:
    """Returns every LA code since 2013, by code."""
    return {
        row["la_code"]: Authority(
            row["la_code"],
            row["la_name"],
            row["region"],
            _year(row["first_census_year"]),
            _year(row["last_census_year"]),
            tuple(row["ons_codes"].split("|")),
        )
        for row in _rows("authorities.csv")
    }


def unit_name(unit_id: str) -> str:
    """Returns the name of an LA, or of the LAs that a merged unit joins with '+'; what has no name keeps its id."""
    known = authorities()
    return " + ".join(known[code].name if code in known else code for code in unit_id.split("+"))


@cache
def authority_changes() -> tuple[AuthorityChange, ...]:
    """Returns the mergers and splits of LA codes."""
    return tuple(
        AuthorityChange(row["from_la_code"], row["to_la_code"], int(row["first_census_year"]))
        for row in _rows("authority_changes.csv")
    )


@cache
def neighbour_lists() -> dict[str, tuple[str, ...]]:
    """Returns each LA's ten statistical neighbours (April 2021 model), nearest first."""
    lists: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in _rows("statistical_neighbours.csv"):
        lists[row["la_code"]].append((int(row["rank"]), row["neighbour_la_code"]))
    return {code: tuple(name for _, name in sorted(ranked)) for code, ranked in lists.items()}


@cache
def bank_holidays() -> tuple[date, ...]:
    """Returns the weekdays that were bank holidays in England and Wales."""
    return tuple(sorted(date.fromisoformat(row["date"]) for row in _rows("bank_holidays.csv")))


@cache
def dfe_rules() -> dict[tuple[str, str], CodeSpan]:
    """Returns, by collection and number, the specifications known to hold each of DfE's validation rules used here.

    Years before the first of these were not read: they are held to the rule all the same.
    """
    return {
        (row["collection"], row["dfe_code"]): CodeSpan(
            row["dfe_code"], int(row["first_census_year"]), int(row["last_census_year"])
        )
        for row in _rows("dfe_rules.csv")
    }


@cache
def england_ceased() -> dict[int, int]:
    """Returns the census year by England's published total of children who ceased to be looked after."""
    return {int(row["england_ceased"]): int(row["census_year"]) for row in _rows("england_ceased.csv")}


@dataclass(frozen=True)
class PublishedReference:
    """What published tables are checked by.

    `england_ceased` is the census year by England's total of children who ceased to be looked after. `left_out` are
    authorities that some tables of England do not hold.
    """

    england_ceased: Mapping[int, int]
    authorities: Mapping[str, Authority]
    left_out: frozenset[str]


@cache
def published_reference() -> PublishedReference:
    """Returns what published tables are checked by."""
    left_out = frozenset(row["la_code"] for row in _rows("published_left_out.csv"))
    return PublishedReference(england_ceased(), authorities(), left_out)


@cache
def code_set(collection: str, field: str) -> tuple[CodeSpan, ...]:
    """Returns the codes of a field ('cin', 'PrimaryNeedCode'; 'ssda903', 'episodes.PLACE') with their years."""
    return tuple(
        CodeSpan(row["code"], int(row["first_census_year"]), int(row["last_census_year"]))
        for row in _rows("code_sets.csv")
        if row["collection"] == collection and row["field"] == field
    )
