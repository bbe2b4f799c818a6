"""What a file of a run's results is: its name, grain and columns, declared once for what writes and what reads it."""

from __future__ import annotations

from dataclasses import dataclass

from sos_spark.tables.table import Column

TEXT_TYPES = frozenset({"STRING", "DATE", "BOOLEAN"})
"""The types whose cells a reader takes as text; all others are numbers, blank where not known."""


@dataclass(frozen=True)
class ResultTable:
    """A CSV file that a run leaves in --out; collapsed numbers only, never a child's row.

    `key` is unique. `optional` are columns that the file can do without. `further` says what other columns may stand
    beside the declared ones; where it is empty, none may.
    """

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    further: str = ""

    @property
    def file_name(self) -> str:
        """The file's name in --out."""
        return f"{self.name}.csv"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, in the file's order."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which a file is not this one."""
        return tuple(name for name in self.column_names if name not in self.optional)

    @property
    def text_columns(self) -> frozenset[str]:
        """The columns whose cells are text."""
        return frozenset(column.name for column in self.columns if column.type in TEXT_TYPES)
