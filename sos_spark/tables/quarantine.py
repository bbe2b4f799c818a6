"""Quarantine: rows of silver's entities whose key cannot be trusted, with the reasons."""

from __future__ import annotations

from sos_spark.tables.silver import SILVER_ENTITIES
from sos_spark.tables.table import Column, Table


def _quarantine(table: Table) -> Table:
    """The same columns, all nullable, and the reasons."""
    columns = tuple(Column(c.name, c.type) for c in table.columns if c.name != "warnings")
    return Table(
        f"quarantine.{table.short_name}",
        f"a row refused from {table.name}, with every rule it broke",
        (*columns, Column("reasons", "ARRAY<STRING>", nullable=False)),
        made_from=table.made_from,
    )


QUARANTINE = {name: _quarantine(table) for name, table in SILVER_ENTITIES.items()}
