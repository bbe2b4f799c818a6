"""Whether a table of the lake has the form that this version of the tables gives it, and in what it differs.

A table says which version of sos_spark made it (MADE_BY). What decides is its form itself: columns with their types,
which may be null, the partitioning and the CHECK constraints. Needs no Spark.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version as version_of_package
from typing import TYPE_CHECKING, Any

from sos_spark.errors import InputError
from sos_spark.tables import Column, Table

if TYPE_CHECKING:
    from deltalake import DeltaTable

MADE_BY = "sos_spark.made_by"
"""The table's property that says by which version it was declared; tables made before there was one have none."""
_CHECKS = "delta.constraints."
_DELTA_TYPES = {
    "STRING": "string",
    "INT": "integer",
    "BIGINT": "long",
    "DATE": "date",
    "BOOLEAN": "boolean",
    "DECIMAL(38,6)": "decimal(38,6)",
}


def our_version() -> str:
    """Returns the version of sos_spark that is running."""
    return version_of_package("sos-spark")


@dataclass(frozen=True)
class Difference:
    """How a table of the lake differs from its declaration.

    `lacking` are declared columns that it has not, `altered` those of another type or nullability; `n_surplus` counts
    columns that are declared no more, whose names are not ours to repeat. `other`: its order of columns, partitioning
    or constraints differ. `made_by` is blank where the table does not say.
    """

    table: Table
    made_by: str
    lacking: tuple[Column, ...] = ()
    altered: tuple[str, ...] = ()
    n_surplus: int = 0
    other: tuple[str, ...] = ()

    @property
    def can_be_added(self) -> bool:
        """Whether the table only lacks columns at its end that may be null, as they will be in every row it has."""
        at_the_end = self.table.columns[len(self.table.columns) - len(self.lacking) :]
        fits = at_the_end == self.lacking and all(column.nullable for column in self.lacking)
        return bool(self.lacking) and fits and not (self.altered or self.n_surplus or self.other)

    def __str__(self) -> str:
        """The difference in words, for a message."""
        parts = [f"made by sos_spark {self.made_by or 'of an earlier version'}"]
        if self.lacking:
            parts.append(f"without {', '.join(column.name for column in self.lacking)}")
        if self.altered:
            parts.append(f"another type of {', '.join(self.altered)}")
        if self.n_surplus:
            parts.append(f"{self.n_surplus} more than are declared")
        return "; ".join([*parts, *self.other])


def difference(log: DeltaTable, table: Table) -> Difference | None:
    """Returns in what a table of the lake differs from its declaration; None where it is as declared."""
    fields = json.loads(log.schema().to_json())["fields"]
    metadata = log.metadata()
    found = {field["name"]: (field["type"], field["nullable"]) for field in fields}
    declared = {column.name: (_delta_type(column.type), column.nullable) for column in table.columns}
    kept = [name for name in found if name in declared]
    other = {
        "another order of columns": kept != [name for name in declared if name in found],
        "another partitioning": list(metadata.partition_columns) != list(table.partition_by),
        "other constraints": _checks(metadata.configuration) != table.checks,
    }
    told = Difference(
        table,
        made_by=metadata.configuration.get(MADE_BY) or "",
        lacking=tuple(column for column in table.columns if column.name not in found),
        altered=tuple(name for name in kept if found[name] != declared[name]),
        n_surplus=len(found) - len(kept),
        other=tuple(what for what, differs in other.items() if differs),
    )
    return told if told.lacking or told.altered or told.n_surplus or told.other else None


def of_another_version(told: Difference, *, where: str) -> InputError:
    """Returns the error of a table of the lake that another version of the tables made."""
    return InputError(
        "A table of the lake was made by another version of the tables",
        where=f"{told.table.name} in {where}",
        expected=f"the form that sos_spark {our_version()} gives it",
        found=str(told),
        remedy=f"Bring the lake up to date: sos-spark lake migrate --lake {where}",
    )


def _checks(configuration: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name.removeprefix(_CHECKS): check for name, check in configuration.items() if name.startswith(_CHECKS)}


def _delta_type(text: str) -> Any:
    """A declared type as a Delta log writes it."""
    if text.startswith("ARRAY<"):
        return {"type": "array", "elementType": _delta_type(text[6:-1]), "containsNull": True}
    if text.startswith("MAP<"):
        key, _, value = text[4:-1].partition(",")
        types = {"keyType": _delta_type(key), "valueType": _delta_type(value)}
        return {"type": "map", **types, "valueContainsNull": True}
    return _DELTA_TYPES[text]


def delta_field(column: Column) -> Any:
    """Returns a declared column as a field of a Delta schema."""
    from deltalake import Field

    said = {"name": column.name, "type": _delta_type(column.type), "nullable": column.nullable, "metadata": {}}
    return Field.from_json(json.dumps(said))
