"""Cleared tables for people: Markdown and Word."""

from __future__ import annotations

from sos_spark.release.cleared import ClearedTable
from sos_spark.report.blocks import DataTable
from sos_spark.report.export import word
from sos_spark.report.export.document import Grid
from sos_spark.report.export.markdown import pipe_table


def as_markdown(table: ClearedTable) -> str:
    """Returns a cleared table as Markdown, its title above it."""
    right = [table.columns[name] != "label" for name in table.text.columns]
    return f"## {table.title}\n\n{pipe_table(list(table.text.columns), table.text.to_numpy().tolist(), right)}\n"


def as_word(tables: list[ClearedTable]) -> bytes:
    """Returns cleared tables as one Word file, each under its title."""
    return word.as_word(map(_grid, tables), title="Cleared tables", mark="After disclosure control")


def _grid(table: ClearedTable) -> Grid:
    n_labels = sum(kind == "label" for kind in table.columns.values())
    rows = tuple(tuple(map(str, line)) for line in table.text.to_numpy().tolist())
    return Grid(table.title, DataTable(tuple(map(str, table.text.columns)), rows, numeric=n_labels))
