"""What is counted of a table before Great Expectations judges it: facts, declared in the table's suite by kind.

Counted facts (rows, and sums of numbers of rows) come out of one aggregation by place; derived facts are made from
them, and from those of other tables. A place is an authority and census year, or what a table has in their stead.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sos_spark.tables import Table

N_ROWS = "n_rows"
"""The fact that every table has without declaring it."""


@dataclass(frozen=True)
class Fact(ABC):
    """What is known of a table in a place; null where it is not."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is about; none where a condition names them itself."""
        return ()

    @property
    @abstractmethod
    def words(self) -> str:
        """What it is, for a person to read."""

    @property
    def counted(self) -> tuple[str, ...]:
        """What follows the fact's name in those of its counts; nothing is counted for one that is made from others."""
        return ("",)


@dataclass(frozen=True)
class RowsWhere(Fact):
    """How many rows meet a condition, given in Spark SQL; one that is null is not met."""

    condition: str

    @property
    def words(self) -> str:
        """What is counted."""
        return f"rows where {self.condition}"


@dataclass(frozen=True)
class RowsOutside(Fact):
    """How many rows hold in a column none of its codes, as the table declares them; a null is not among them."""

    column: str
    values: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    @property
    def words(self) -> str:
        """What is counted."""
        return f"rows whose {self.column} is none of {', '.join(self.values)}"


@dataclass(frozen=True)
class RowsRepeating(Fact):
    """How many rows share their key with another row; a null equals a null. The key is the table's, as declared."""

    key: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The key's columns."""
        return self.key

    @property
    def words(self) -> str:
        """What is counted."""
        return f"rows that share {', '.join(self.key)} with another"


@dataclass(frozen=True)
class RowsWithout(Fact):
    """How many rows have no partner in another table. `on`: columns here and there; a null equals a null.

    Only rows that meet `condition`, where there is one, need a partner.
    """

    table: str
    on: Mapping[str, str]
    condition: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that name the partner."""
        return tuple(self.on)

    @property
    def words(self) -> str:
        """What is counted."""
        of = f" where {self.condition}" if self.condition else ""
        return f"rows{of} whose {', '.join(self.on)} is no row's of {self.table}"


@dataclass(frozen=True)
class SumOf(Fact):
    """The sum of a column of numbers of rows, over the rows that meet `condition`; 0 without any."""

    column: str
    condition: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    @property
    def words(self) -> str:
        """What is summed."""
        return f"sum of {self.column}" + (f" where {self.condition}" if self.condition else "")


@dataclass(frozen=True)
class Share(Fact):
    """The share of `rows`, a condition, among the rows that meet another; null with fewer than `at_least` of these."""

    rows: str
    among: str
    at_least: int

    @property
    def words(self) -> str:
        """What the share is of."""
        return f"share of {self.rows} where {self.among}, of {self.at_least} rows or more"

    @property
    def counted(self) -> tuple[str, ...]:
        """The rows, and those that they are among."""
        return (".rows", ".among")


class _OfFacts(Fact):
    """A fact that is made from others, for which no row is looked at."""

    @property
    def counted(self) -> tuple[str, ...]:
        """Nothing."""
        return ()


@dataclass(frozen=True)
class TimesYearBefore(_OfFacts):
    """A counted fact over that of the year before, where both years have `at_least`; else null."""

    fact: str
    at_least: int

    @property
    def words(self) -> str:
        """What is compared."""
        what = "rows" if self.fact == N_ROWS else self.fact
        return f"{what} over those of the year before, with {self.at_least} or more in both"


@dataclass(frozen=True)
class ChangeOnYearBefore(_OfFacts):
    """A share less that of the year before, where both are known; else null."""

    fact: str

    @property
    def words(self) -> str:
        """What is compared."""
        return f"{self.fact} less the year before's"


@dataclass(frozen=True)
class Unaccounted(_OfFacts):
    """A counted fact less counted facts of other tables, named `table.fact`, in the same place.

    Another table that lacks the place counts as 0; null where it knows nothing of the place's outcome.
    """

    fact: str
    less: tuple[str, ...]

    @property
    def words(self) -> str:
        """What is compared."""
        return f"{self.fact} less {' and '.join(self.less)}"


COUNTS = (RowsWhere, RowsOutside, RowsRepeating, RowsWithout)
"""Kinds that count rows which should not be there."""

_KINDS: dict[str, type[Fact]] = {
    "rows_where": RowsWhere,
    "rows_outside": RowsOutside,
    "rows_repeating": RowsRepeating,
    "rows_without": RowsWithout,
    "sum_of": SumOf,
    "share": Share,
    "times_year_before": TimesYearBefore,
    "change_on_year_before": ChangeOnYearBefore,
    "unaccounted": Unaccounted,
}


def read_fact(entry: Mapping[str, Any], table: Table | None) -> Fact:
    """Returns the fact that a suite's file declares; key and codes are those of its table's declaration.

    Raises:
        ValueError: No kind of fact has this name, or the table declares no key or codes to count by.
        TypeError: The kind's fields are others.
    """
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
    kind = given.pop("kind", None)
    if kind not in _KINDS:
        raise ValueError(f"a fact's kind is one of {', '.join(_KINDS)}")
    if kind == "rows_repeating":
        if table is None or not table.key:
            raise ValueError("the table has no key whose repetition could be counted")
        given["key"] = table.key
    if kind == "rows_outside":
        given["values"] = _codes(table, str(given.get("column")))
    return _KINDS[kind](**given)


def _codes(table: Table | None, name: str) -> tuple[str, ...]:
    codes = next((column.codes for column in (table.columns if table else ()) if column.name == name), ())
    if not codes or isinstance(codes, str):
        raise ValueError("the table declares no codes of the column")
    return tuple(codes)
