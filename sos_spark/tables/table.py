"""What a table of the lake is: its name, grain, columns, key, constraints and partitioning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql.types import DataType, StructType

LAYERS = ("bronze", "silver", "quarantine", "dq", "cohort", "outcome", "panel")

Codes = Mapping[str, str] | str
"""A column's codes, each with its meaning; or the name of a list that is kept elsewhere: a field of
conf/reference/code_sets.csv, as in 'cin.PrimaryNeedCode', or OUTCOME_REASONS."""

OUTCOME_REASONS = "outcome.reasons"
"""Names the list of reasons why an index row is not analysed, which `sos_spark.outcome.reasons` keeps in order."""


@dataclass(frozen=True)
class Column:
    """A column: its Spark SQL type, and what a reader must know of it.

    `meaning` is one plain sentence. `dfe_item` is the element of DfE's collection that its values come from, below its
    module: 'CINdetails/CINreferralDate', 'episodes/DECOM'; empty where they come from none.
    """

    name: str
    type: str
    meaning: str = ""
    dfe_item: str = ""
    codes: Codes = field(default_factory=dict, hash=False)
    nullable: bool = True

    def required(self) -> Column:
        """Returns the same column, never null."""
        return replace(self, nullable=False)


@dataclass(frozen=True)
class Table:
    """A Delta table. `name` is `<layer>.<plural>`; `key` is unique; `checks` are SQL CHECK constraints by name."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    partition_by: tuple[str, ...] = ()
    checks: dict[str, str] = field(default_factory=dict, hash=False)
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

    @property
    def form(self) -> str:
        """What decides how rows are stored, as text: what is said of a column in words has no part in it."""
        columns = ", ".join(f"{c.name} {c.type}{'' if c.nullable else ' NOT NULL'}" for c in self.columns)
        checks = "; ".join(f"{name}: {check}" for name, check in self.checks.items())
        return f"{self.name} ({columns}) by ({', '.join(self.partition_by)}) with ({checks})"

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
