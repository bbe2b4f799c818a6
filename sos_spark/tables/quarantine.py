"""Quarantine: rows of silver's entities whose key cannot be trusted, with the reasons."""

from __future__ import annotations

from dataclasses import replace

from sos_spark.tables.silver import SILVER_ENTITIES
from sos_spark.tables.table import Column, Table

_REASONS = Column("reasons", "ARRAY<STRING>", "The codes of the rules of severity error that it breaks", nullable=False)


def _quarantine(table: Table) -> Table:
    """The same columns, all nullable, and the reasons."""
    columns = tuple(replace(column, nullable=True) for column in table.columns if column.name != "warnings")
    return Table(
        f"quarantine.{table.short_name}",
        f"a row refused from {table.name}, with every rule it broke",
        (*columns, _REASONS),
        made_from=table.made_from,
    )


QUARANTINE = {name: _quarantine(table) for name, table in SILVER_ENTITIES.items()}
