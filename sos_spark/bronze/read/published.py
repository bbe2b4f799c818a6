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

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sos_spark.bronze.fault import SourceError
from sos_spark.bronze.read.published_text import Row, read_text
from sos_spark.bronze.read.published_whole import require_whole
from sos_spark.config.reference import PublishedReference

Status = Literal["known", "suppressed", "unavailable", "not_applicable"]

SYMBOLS: Mapping[str, Status] = {"c": "suppressed", "z": "not_applicable"}
SYMBOLS_UNTIL_2017: Mapping[str, Status] = {"x": "suppressed"}
_UNAVAILABLE = frozenset({"", "x", "u", "k", "c", "z", ":", ".", "..", "-", "~", "low"})
"""What stands for a count that is not given; whatever is in neither form's symbols is unavailable."""

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
    """A file's series, the last census year it holds, and its values.

    `without_level` are the codes of rows that are not read, since they do not say whether they are an authority's: the
    Isles of Scilly's in 2017.
    """

    series: str
    last_year: int
    values: tuple[PublishedValue, ...]
    without_level: tuple[str, ...] = ()


def published_values(tables: Iterable[PublishedTable]) -> list[PublishedValue]:
    """Returns one value an LA, year and quantity: where tables overlap, that of the one that reaches furthest."""
    newest: dict[tuple[str, int, str], PublishedValue] = {}
    for table in sorted(tables, key=lambda table: (table.last_year, table.series)):
        newest.update({(value.la_code, value.census_year, value.quantity): value for value in table.values})
    return [newest[key] for key in sorted(newest)]


def read_published(content: bytes, *, reference: PublishedReference) -> PublishedTable | None:
    """Returns the table of a file, None where its columns are those of no series known here.

    Args:
        content: A CSV file as downloaded.
        reference: The authorities of each year, and England's totals, which tell the year of tables that say it
            nowhere else.

    Raises:
        SourceError: It is empty, cut off, no CSV, in no known encoding, lacks authorities of a year, says two things of
            one count, or holds a code, a year or a count that is none.
    """
    text = read_text(content)
    told = _series_of(text.header)
    if told is None:
        return None
    series, tell = told
    counts = tell.counts(text.header)
    rows = text.rows(series, declared=(*tell.needs, *_PLACE_COLUMNS, *counts), read={*tell.needs, *counts})
    values = _without_contradiction(tell.read(rows, reference.england_ceased))
    require_whole(
        {(value.quantity, value.census_year, value.la_code) for value in values},
        years=tell.years(rows),
        has_england=any(_level(row) == "national" for row in rows),
        reference=reference,
    )
    without_level = sorted({_code(row) for row in rows if not _level(row) and _CODE.fullmatch(_code(row))})
    return PublishedTable(series, max(value.census_year for value in values), values, tuple(without_level))


def _series_of(header: Iterable[str]) -> tuple[str, _Series] | None:
    columns = set(header)
    for series, tell in _SERIES.items():
        if tell.needs <= columns and not tell.lacks & columns and tell.counts(tuple(header)):
            return series, tell
    return None


def _without_contradiction(values: Iterable[PublishedValue]) -> tuple[PublishedValue, ...]:
    by_key: dict[tuple[str, int, str], PublishedValue] = {}
    for value in values:
        before = by_key.setdefault((value.la_code, value.census_year, value.quantity), value)
        if before != value:
            raise SourceError(
                "The table gives two counts of one place and year", found=f"in {value.census_year}, {value.quantity}"
            )
    return tuple(by_key.values())


def _value(
    place: str, year: int, quantity: str, text: str | None, *, symbols: Mapping[str, Status] = SYMBOLS
) -> PublishedValue:
    text = (text or "").replace(",", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return PublishedValue(place, year, quantity, int(text), "known")
    if text not in _UNAVAILABLE:
        raise SourceError(
            "A count is neither a number nor a symbol of these tables", expected="digits, or one of c u x z",
            found=f"another text in {year}" + ("" if place.startswith(REGION) else f", authority {place}"),
        )  # fmt: skip
    return PublishedValue(place, year, quantity, None, symbols.get(text, "unavailable"))


def _year(text: str) -> int:
    if not re.fullmatch(r"(19|20)[0-9]{2}", text):
        raise SourceError("A row has no year", expected="four digits in time_period")
    return int(text)


_PLACE_COLUMNS = ("geographic_level", "geog_l", "old_la_code", "geog_c", "region_name", "geog_n")
_LEVELS = {"local authority": "authority", "la": "authority", "regional": "region", "region": "region"}


def _level(row: Row) -> str:
    level = (row.get("geographic_level") or row.get("geog_l") or "").casefold()
    return _LEVELS.get(level, level)


_CODE = re.compile(r"[0-9]{3}")


def _code(row: Row) -> str:
    return row.get("old_la_code") or row.get("geog_c") or ""


def _by_place(rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """The rows of LAs and regions, each with the LA's code or the region's name."""
    for row in rows:
        level = _level(row)
        code = _code(row)
        if level == "authority":
            if not _CODE.fullmatch(code):
                raise SourceError("A row of a local authority has no code", expected="three digits")
            yield code, row
        elif level == "region":
            yield REGION + (row.get("region_name") or row.get("geog_n") or "").casefold(), row
        elif not level and code and not _CODE.fullmatch(code):
            raise SourceError("A row does not say whether it is England's, a region's or an authority's")


# --- a series a class: how it is told, and how it is read ------------------------------------------------------------


class _Series(Protocol):
    """How a series is told by its columns, and read."""

    @property
    def needs(self) -> frozenset[str]:
        """The columns that tell it."""

    @property
    def lacks(self) -> frozenset[str]:
        """Columns that another series has."""

    def counts(self, header: Sequence[str]) -> tuple[str, ...]:
        """Returns the columns that hold its quantities; none where it is not this series."""

    def years(self, rows: Sequence[Row], /) -> set[int]:
        """Returns the census years that any row is about, as far as rows say so."""

    def read(self, rows: Sequence[Row], england_ceased: Mapping[int, int]) -> Iterator[PublishedValue]:
        """Gives the values."""


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

    def counts(self, header: Sequence[str]) -> tuple[str, ...]:
        return tuple(column for column in (*self.quantities, *self.also) if column in header)

    def years(self, rows: Sequence[Row]) -> set[int]:
        return {_year(row["time_period"]) + self.years_later for row in rows}

    def read(self, rows: Sequence[Row], _: Mapping[int, int]) -> Iterator[PublishedValue]:
        columns = {**self.quantities, **{column: name for column, name in self.also.items() if column in rows[0]}}
        for place, row in _by_place(rows):
            for column, quantity in columns.items():
                yield _value(place, _year(row["time_period"]) + self.years_later, quantity, row.get(column))


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

    def counts(self, header: Sequence[str]) -> tuple[str, ...]:
        return (self.count,) if self.count in header else ()

    def years(self, rows: Sequence[Row]) -> set[int]:
        return {_year(row["time_period"]) for row in rows}

    def read(self, rows: Sequence[Row], _: Mapping[int, int]) -> Iterator[PublishedValue]:
        for place, row in _by_place(rows):
            kind = tuple(row[column] for column in self.telling)
            quantity = self.kinds.get(kind)
            if quantity is None and self.others and kind[0] == self.others[0]:
                quantity = self.others[1] + kind[-1]
            if quantity:
                yield _value(place, _year(row["time_period"]), quantity, row[self.count])


@dataclass(frozen=True)
class _LookedAfter:
    """Until 2017: a file a year, the year in the name of a column (CLA_Mar2015)."""

    needs: frozenset[str] = frozenset({"geog_l", "geog_c", "CLA_OwnP"})
    lacks: frozenset[str] = frozenset()

    def counts(self, header: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in header if re.fullmatch(r"CLA_Mar(19|20)\d{2}", name))[:1]

    def years(self, rows: Sequence[Row]) -> set[int]:
        (column,) = self.counts(tuple(rows[0]))
        return {int(column[-4:])}

    def read(self, rows: Sequence[Row], _: Mapping[int, int]) -> Iterator[PublishedValue]:
        (column,) = self.counts(tuple(rows[0]))
        for place, row in _by_place(rows):
            yield _value(place, int(column[-4:]), "looked_after", row[column], symbols=SYMBOLS_UNTIL_2017)


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

    def counts(self, header: Sequence[str]) -> tuple[str, ...]:
        return tuple(self._quantities(header).values())

    def years(self, _: Sequence[Row], /) -> set[int]:
        return set()

    def read(self, rows: Sequence[Row], england_ceased: Mapping[int, int]) -> Iterator[PublishedValue]:
        names = self._quantities(tuple(rows[0]))
        year = self._told_year(rows, names["ceased"], england_ceased)
        for place, row in _by_place(rows):
            for quantity, column in names.items():
                yield _value(place, year, quantity, row.get(column), symbols=SYMBOLS_UNTIL_2017)

    @staticmethod
    def _quantities(header: Sequence[str]) -> dict[str, str]:
        """The column of each quantity; none where one of those that tell the series is not there."""
        names = {
            quantity: next((name for name in header if re.fullmatch(pattern, name)), "")
            for quantity, pattern in (
                ("ceased", r"CLA_cease(\d{4})?"),
                ("ceased_guardianship_carers", r"(CLA_ceaSpecG1?|CEA_SGO1)"),
                ("ceased_guardianship_others", r"(CLA_ceaSpecG2|CEA_SGO2)"),
            )
        }
        if not all(names.values()):
            return {}
        return names | {OTHER_REASON + name: name for name in header if _REASON.fullmatch(name)}

    @staticmethod
    def _told_year(rows: Iterable[Row], column: str, england_ceased: Mapping[int, int]) -> int:
        if column[-4:].isdigit():
            return _year(column[-4:])
        england = next((row for row in rows if _level(row) == "national"), {})
        total = england.get(column, "")
        year = england_ceased.get(int(total)) if total.isdigit() else None
        if year is None:
            raise SourceError("The table's year cannot be told", expected="England's total of a year that is known")
        return year


_31_MARCH = ("Children looked after at 31 March each year", "Children looked after on 31 March each year")

_SERIES: dict[str, _Series] = {
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
