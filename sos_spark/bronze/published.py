"""DfE's and ONS's published LA tables, as downloaded: each file is known by its columns, never by its name.

The tables of one series change column names, encodings and headers from year to year, so a series is declared as the
columns that tell it and the columns that hold its quantities. What comes out is one value an LA, census year and
quantity, or why there is none. A table has some thousand rows: plain Python reads it.

Source: Department for Education, Children in need (b1, c1, c2, c4, d1) and Children looked after (SFR36, SFR34, SFR41,
SFR50, later releases); Office for National Statistics, mid-year population estimates. Open Government Licence v3.0.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal["known", "suppressed", "unavailable"]
Row = Mapping[str, str]

SUPPRESSED = frozenset({"x", "c"})
"""1 to 5, or a secondary suppression. Whatever else is no number (u, z, k, ':', '..', nothing) is unavailable."""

EARLY_BANDS = ("Same_day", "1-10_days", "11-20_days", "21-30_days", "31-40_days", "41-45_days")
LATE_BANDS = ("46-50_days", "51-60_days", "61+_days")


@dataclass(frozen=True)
class PublishedValue:
    """A quantity of an LA in the year that ends on 31 March of `census_year`. `value` is None unless known."""

    la_code: str
    census_year: int
    quantity: str
    value: int | None
    status: Status


@dataclass(frozen=True)
class PublishedTable:
    """A file's series, the last census year it holds, and its values."""

    series: str
    last_year: int
    values: tuple[PublishedValue, ...]


def published_values(tables: Iterable[PublishedTable]) -> list[PublishedValue]:
    """Returns one value an LA, year and quantity: where tables overlap, that of the one that reaches furthest."""
    newest: dict[tuple[str, int, str], PublishedValue] = {}
    for table in sorted(tables, key=lambda table: (table.last_year, table.series)):
        newest.update({(value.la_code, value.census_year, value.quantity): value for value in table.values})
    return [newest[key] for key in sorted(newest)]


def read_published(path: Path, *, england_ceased: Mapping[int, int]) -> PublishedTable | None:
    """Returns the table of a file, None where its columns are those of no series known here.

    Args:
        path: A CSV file as downloaded.
        england_ceased: The census year by England's total of children who ceased to be looked after. Until 2016 the
            tables of that series say their year nowhere else.
    """
    rows = _rows(path.read_bytes())
    if not rows:
        return None
    columns = set(rows[0])
    for series, tell in _SERIES.items():
        if tell.needs <= columns and not tell.lacks & columns:
            values = tuple(tell.read(rows, england_ceased))
            return PublishedTable(series, max((v.census_year for v in values), default=0), values) if values else None
    return None


def _rows(content: bytes) -> list[dict[str, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    lines = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(lines, [])]
    return [dict(zip(header, (cell.strip() for cell in line), strict=False)) for line in lines]


def _value(la_code: str, year: int, quantity: str, text: str | None) -> PublishedValue:
    text = (text or "").replace(",", "").strip()
    if text.isdigit():
        return PublishedValue(la_code, year, quantity, int(text), "known")
    return PublishedValue(la_code, year, quantity, None, "suppressed" if text in SUPPRESSED else "unavailable")


def _is_authority(row: Row) -> bool:
    level = row.get("geographic_level") or row.get("geog_l") or ""
    code = row.get("old_la_code") or row.get("geog_c") or ""
    return level in ("Local authority", "LA") and len(code) == 3 and code.isdigit()


# --- a series a class: how it is told, and how it is read ------------------------------------------------------------


@dataclass(frozen=True)
class _Wide:
    """A row an LA and year, a column a quantity. `years_later`: mid-year estimates belong to the next census year."""

    quantities: Mapping[str, str]
    years_later: int = 0
    lacks: frozenset[str] = frozenset()

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"time_period", "geographic_level", "old_la_code", *self.quantities})

    def read(self, rows: Iterable[Row], _: Mapping[int, int]) -> Iterator[PublishedValue]:
        for row in filter(_is_authority, rows):
            for column, quantity in self.quantities.items():
                year = int(row["time_period"]) + self.years_later
                yield _value(row["old_la_code"], year, quantity, row.get(column))


@dataclass(frozen=True)
class _Long:
    """A row an LA, year and kind of count. `kinds` maps the values of the telling columns to a quantity."""

    telling: tuple[str, ...]
    count: str
    kinds: Mapping[tuple[str, ...], str]
    lacks: frozenset[str] = frozenset()

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"time_period", "geographic_level", "old_la_code", self.count, *self.telling})

    def read(self, rows: Iterable[Row], _: Mapping[int, int]) -> Iterator[PublishedValue]:
        for row in filter(_is_authority, rows):
            quantity = self.kinds.get(tuple(row[column] for column in self.telling))
            if quantity:
                yield _value(row["old_la_code"], int(row["time_period"]), quantity, row[self.count])


@dataclass(frozen=True)
class _LookedAfter:
    """Until 2017: a file a year, the year in the name of a column (CLA_Mar2015)."""

    needs: frozenset[str] = frozenset({"geog_l", "geog_c", "CLA_OwnP"})
    lacks: frozenset[str] = frozenset()

    def read(self, rows: list[dict[str, str]], _: Mapping[int, int]) -> Iterator[PublishedValue]:
        column = next((name for name in rows[0] if re.fullmatch(r"CLA_Mar\d{4}", name)), None)
        for row in filter(_is_authority, rows if column else ()):
            yield _value(row["geog_c"], int(str(column)[-4:]), "looked_after", row[str(column)])


@dataclass(frozen=True)
class _Ceased:
    """Until 2017: a file a year. Special guardianship to carers that fostered, and to others, in two columns."""

    needs: frozenset[str] = frozenset({"geog_l", "geog_c"})
    lacks: frozenset[str] = frozenset({"CLA_OwnP"})

    def read(self, rows: list[dict[str, str]], england_ceased: Mapping[int, int]) -> Iterator[PublishedValue]:
        names = {
            quantity: next((name for name in rows[0] if re.fullmatch(pattern, name)), "")
            for quantity, pattern in (
                ("ceased", r"CLA_cease(\d{4})?"),
                ("ceased_guardianship_carers", r"(CLA_ceaSpecG1?|CEA_SGO1)"),
                ("ceased_guardianship_others", r"(CLA_ceaSpecG2|CEA_SGO2)"),
            )
        }
        if not all(names.values()):
            return
        year = self._year(rows, names["ceased"], england_ceased)
        for row in filter(_is_authority, rows if year else ()):
            for quantity, column in names.items():
                yield _value(row["geog_c"], year or 0, quantity, row.get(column))

    @staticmethod
    def _year(rows: Iterable[Row], column: str, england_ceased: Mapping[int, int]) -> int | None:
        if column[-4:].isdigit():
            return int(column[-4:])
        england = next((row for row in rows if row["geog_l"].upper() == "NATIONAL"), {})
        total = england.get(column, "")
        return england_ceased.get(int(total)) if total.isdigit() else None


_31_MARCH = ("Children looked after at 31 March each year", "Children looked after on 31 March each year")

_SERIES: dict[str, _Wide | _Long | _LookedAfter | _Ceased] = {
    "referrals": _Wide({"Referrals": "referrals", "Re_referrals": "rereferrals", "No_Further_Action": "nfa"}),
    "section 47 enquiries and conferences": _Wide({"Section47": "section47", "ICPC": "icpc"}),
    "assessments": _Wide({"Assessments_completed": "assessments", **{name: name for name in EARLY_BANDS + LATE_BANDS}}),
    "looked after, 2019-2023 form": _Long(
        ("population_count",), "number", {(kind,): "looked_after" for kind in _31_MARCH}
    ),
    "looked after, 2021-2025 form": _Long(
        ("population_type",), "children_count", {(kind,): "looked_after" for kind in _31_MARCH}
    ),
    "looked after and leaving care, 2018-2022 form": _Long(
        ("cla_group", "characteristic"),
        "number",
        {
            ("Children looked after at 31 March", "Total children"): "looked_after",
            ("Reason episode ceased", "Total"): "ceased",
            ("Reason episode ceased", "Special guardianship orders"): "ceased_guardianship",
        },
    ),
    "population": _Wide(
        {"population_estimate": "population_0_17"},
        years_later=1,
        lacks=frozenset({"number", "children_count", "rate_per_10000"}),
    ),
    "looked after until 2017": _LookedAfter(),
    "leaving care until 2017": _Ceased(),
}
