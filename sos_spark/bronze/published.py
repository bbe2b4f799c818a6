"""DfE's and ONS's published LA tables, as downloaded: each file is known by its columns, never by its name.

The tables of one series change column names, encodings and headers from year to year, so a series is declared as the
columns that tell it and the columns that hold its quantities. What comes out is one value an LA or region, census year
and quantity, or why there is none. A table has some thousand rows: plain Python reads it.

What stands in place of a count, by form. In the looked-after files until 2017 'x' is 1 to 5, or suppressed so that
another count cannot be worked out. In all later forms, and in Children in need, that is 'c'; 'x' and 'u' are a count
that does not exist, as of a return that was not made, and 'z' an authority, or a kind, that did not exist that year.
A known zero is a 0. Regions' counts are rounded to 10 and hold estimates for returns that were not made.

Source: Department for Education, Children in need (b1, c1, c2, c4, d1) and Children looked after (SFR36, SFR34, SFR41,
SFR50, later releases); Office for National Statistics, mid-year population estimates. Open Government Licence v3.0.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Status = Literal["known", "suppressed", "unavailable", "not_applicable"]
Row = Mapping[str, str]

SYMBOLS: Mapping[str, Status] = {"c": "suppressed", "z": "not_applicable"}
SYMBOLS_UNTIL_2017: Mapping[str, Status] = {"x": "suppressed"}
"""What stands for a count that is not given; whatever else is no number is unavailable."""

REGION = "region:"
"""A region's values stand under this and its name in lower case, in place of an LA code."""
OTHER_REASON = "ceased_because:"
"""The children who left care for a reason other than guardianship: this and the reason as the table names it."""

EARLY_BANDS = ("Same_day", "1-10_days", "11-20_days", "21-30_days", "31-40_days", "41-45_days")
LATE_BANDS = ("46-50_days", "51-60_days", "61+_days")


@dataclass(frozen=True)
class PublishedValue:
    """A quantity of an LA, or a region, in the year to 31 March of `census_year`. `value` is None unless known."""

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


def _value(
    place: str, year: int, quantity: str, text: str | None, *, symbols: Mapping[str, Status] = SYMBOLS
) -> PublishedValue:
    text = (text or "").replace(",", "").strip()
    if text.isdigit():
        return PublishedValue(place, year, quantity, int(text), "known")
    return PublishedValue(place, year, quantity, None, symbols.get(text, "unavailable"))


def _by_place(rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """The rows of LAs and regions, each with the LA's code or the region's name."""
    for row in rows:
        level = row.get("geographic_level") or row.get("geog_l") or ""
        code = row.get("old_la_code") or row.get("geog_c") or ""
        if level in ("Local authority", "LA") and len(code) == 3 and code.isdigit():
            yield code, row
        elif level.casefold() in ("regional", "region"):
            yield REGION + (row.get("region_name") or row.get("geog_n") or "").casefold(), row


# --- a series a class: how it is told, and how it is read ------------------------------------------------------------


@dataclass(frozen=True)
class _Wide:
    """A row a place and year, a column a quantity. `years_later`: mid-year estimates belong to the next census year.

    `also` are columns read where they are there, to tell what a suppressed count can have been.
    """

    quantities: Mapping[str, str]
    also: Mapping[str, str] = field(default_factory=dict)
    years_later: int = 0
    lacks: frozenset[str] = frozenset()

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"time_period", "geographic_level", "old_la_code", *self.quantities})

    def read(self, rows: list[dict[str, str]], _: Mapping[int, int]) -> Iterator[PublishedValue]:
        columns = {**self.quantities, **{column: name for column, name in self.also.items() if column in rows[0]}}
        for place, row in _by_place(rows):
            for column, quantity in columns.items():
                yield _value(place, int(row["time_period"]) + self.years_later, quantity, row.get(column))


@dataclass(frozen=True)
class _Long:
    """A row a place, year and kind of count. `kinds` maps the values of the telling columns to a quantity.

    `others`: a value of the first telling column, all of whose other kinds are quantities too, under a prefix.
    """

    telling: tuple[str, ...]
    count: str
    kinds: Mapping[tuple[str, ...], str]
    others: tuple[str, str] | None = None
    lacks: frozenset[str] = frozenset()

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"time_period", "geographic_level", "old_la_code", self.count, *self.telling})

    def read(self, rows: list[dict[str, str]], _: Mapping[int, int]) -> Iterator[PublishedValue]:
        for place, row in _by_place(rows):
            kind = tuple(row[column] for column in self.telling)
            quantity = self.kinds.get(kind)
            if quantity is None and self.others and kind[0] == self.others[0]:
                quantity = self.others[1] + kind[-1]
            if quantity:
                yield _value(place, int(row["time_period"]), quantity, row[self.count])


@dataclass(frozen=True)
class _LookedAfter:
    """Until 2017: a file a year, the year in the name of a column (CLA_Mar2015)."""

    needs: frozenset[str] = frozenset({"geog_l", "geog_c", "CLA_OwnP"})
    lacks: frozenset[str] = frozenset()

    def read(self, rows: list[dict[str, str]], _: Mapping[int, int]) -> Iterator[PublishedValue]:
        column = next((name for name in rows[0] if re.fullmatch(r"CLA_Mar\d{4}", name)), None)
        for place, row in _by_place(rows if column else ()):
            yield _value(place, int(str(column)[-4:]), "looked_after", row[str(column)], symbols=SYMBOLS_UNTIL_2017)


_REASON = re.compile(
    r"(CLA[-_]cea|CEA)_?(Adop|Died|[Tt]aken|Par|ParPlan|ParNPlan|NoPar|ROG|CAO|IndLiv|tran_res|Residential|sen_cust"
    r"|Custody|RemEnd|AgeAssmt|Abroad|OthRea|Other)[12]?"
)
"""The columns of the other reasons, as the files until 2017 name them."""


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
        names |= {OTHER_REASON + name: name for name in rows[0] if _REASON.fullmatch(name)}
        year = self._year(rows, names["ceased"], england_ceased)
        for place, row in _by_place(rows if year else ()):
            for quantity, column in names.items():
                yield _value(place, year or 0, quantity, row.get(column), symbols=SYMBOLS_UNTIL_2017)

    @staticmethod
    def _year(rows: Iterable[Row], column: str, england_ceased: Mapping[int, int]) -> int | None:
        if column[-4:].isdigit():
            return int(column[-4:])
        england = next((row for row in rows if row["geog_l"].upper() == "NATIONAL"), {})
        total = england.get(column, "")
        return england_ceased.get(int(total)) if total.isdigit() else None


_31_MARCH = ("Children looked after at 31 March each year", "Children looked after on 31 March each year")

_SERIES: dict[str, _Wide | _Long | _LookedAfter | _Ceased] = {
    "referrals": _Wide(
        {"Referrals": "referrals", "Re_referrals": "rereferrals", "No_Further_Action": "nfa"},
        also={
            "Not_in_Need": "not_in_need",
            "Referrals_child": "referred_children",
            "Re_referrals_child": "rereferred_children",
        },
    ),
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
        others=("Reason episode ceased", OTHER_REASON),
    ),
    "population": _Wide(
        {"population_estimate": "population_0_17"},
        years_later=1,
        lacks=frozenset({"number", "children_count", "rate_per_10000"}),
    ),
    "looked after until 2017": _LookedAfter(),
    "leaving care until 2017": _Ceased(),
}
