"""A table's NOT NULL and CHECK constraints as a column of Spark, for files that Delta's own writer does not write."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from sos_spark.tables import Table

_NOT_NULL, _CHECK, _SLICES = "NOT NULL", "CHECK", "rows of the slices alone"
_TOLD = re.compile(rf"^sos_spark: ({_NOT_NULL}|{_CHECK}|{_SLICES}) (\w+)$")


def held_to(rows: DataFrame, table: Table, *, where: Column | None = None, slices: str | None = None) -> DataFrame:
    """Returns the rows, whose writing fails at the first that breaks a constraint of their table.

    Grain: unchanged. A CHECK that is null is broken, as in Delta. `where`: which rows are the table's; all if not
    given. `slices`: a predicate that they must meet. What it fails with names the constraint, and no value
    (`broken_constraint`).
    """
    from pyspark.sql import functions as F

    fault = F.lit(None).cast("string")
    for name, check in table.checks.items():
        fault = F.when(~F.coalesce(F.expr(check), F.lit(False)), _text(_CHECK, name)).otherwise(fault)
    for column in table.columns:
        if not column.nullable:
            fault = F.when(F.col(column.name).isNull(), _text(_NOT_NULL, column.name)).otherwise(fault)
    if slices is not None:
        fault = F.when(~F.coalesce(F.expr(slices), F.lit(False)), _text(_SLICES, table.short_name)).otherwise(fault)
    if where is not None:
        fault = F.when(where, fault)
    first = rows.columns[0]
    kind = rows.schema[first].dataType
    held = F.when(fault.isNull(), F.col(first)).otherwise(F.raise_error(fault).cast(kind))
    return rows.withColumn(first, held)


def broken_constraint(message: str, table: Table) -> str:
    """Returns the constraint that an error of `held_to` names, as the table declares it; else nothing."""
    told = _TOLD.match(message)
    if told is None:
        return ""
    kind, name = told.groups()
    if kind == _CHECK and name in table.checks:
        return f"{_CHECK} {name} ({table.checks[name]})"
    if kind == _SLICES:
        return _SLICES
    return f"{name} {_NOT_NULL}" if name in table.column_names else ""


def _text(kind: str, name: str) -> str:
    return f"sos_spark: {kind} {name}"
