"""What a table of the lake is: its name, grain, columns, key, constraints and partitioning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql.types import DataType, StructType

LAYERS = ("bronze", "silver", "quarantine", "dq", "cohort", "outcome", "panel")


@dataclass(frozen=True)
class Column:
    """A column: its Spark SQL type, and whether it may be null."""

    name: str
    type: str
    nullable: bool = True


@dataclass(frozen=True)
class Table:
    """A Delta table. `name` is `<layer>.<plural>`; `key` is unique; `checks` are SQL CHECK constraints by name."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    partition_by: tuple[str, ...] = ()
    checks: dict[str, str] = field(default_factory=dict)
    made_from: tuple[str, ...] = ()

    @property
    def layer(self) -> str:
        """The part of the name before the dot."""
        return self.name.partition(".")[0]

    @property
    def short_name(self) -> str:
        """The part of the name after the dot."""
        return self.name.partition(".")[2]

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    def schema(self) -> StructType:
        """Returns the Spark schema. Needs no session."""
        from pyspark.sql.types import StructField, StructType

        return StructType([StructField(c.name, _spark_type(c.type), c.nullable) for c in self.columns])


def _spark_type(text: str) -> DataType:
    """Reads the few type names the declarations use."""
    from pyspark.sql import types

    simple: dict[str, DataType] = {
        "STRING": types.StringType(),
        "INT": types.IntegerType(),
        "BIGINT": types.LongType(),
        "DATE": types.DateType(),
        "BOOLEAN": types.BooleanType(),
        "DECIMAL(38,6)": types.DecimalType(38, 6),
        "MAP<STRING,BIGINT>": types.MapType(types.StringType(), types.LongType()),
    }
    if text.startswith("ARRAY<"):
        return types.ArrayType(_spark_type(text[6:-1]))
    return simple[text]


def columns_of(text: str) -> tuple[Column, ...]:
    """Reads 'name TYPE' lines; a name that ends in '!' may not be null."""
    columns = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, _, kind = line.partition(" ")
        columns.append(Column(name.rstrip("!"), kind.strip(), nullable=not name.endswith("!")))
    return tuple(columns)


def strings_of(names: str) -> tuple[Column, ...]:
    """Returns columns of text that may be null, by their names parted by blanks."""
    return tuple(Column(name, "STRING") for name in names.split())
