"""Lake tables without Spark: what fit and report read, and what is written of small ones. Takes well under a second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sos_spark.errors import InputError
from sos_spark.lake.faults import SchemaMismatchError, broken, told_reading
from sos_spark.lake.versions import require_form, table_path, version_of
from sos_spark.places import Place, readable
from sos_spark.tables import Table

if TYPE_CHECKING:
    from deltalake import DeltaTable

_TYPES: dict[str, pa.DataType] = {
    "STRING": pa.string(),
    "INT": pa.int32(),
    "BIGINT": pa.int64(),
    "DATE": pa.date32(),
    "BOOLEAN": pa.bool_(),
    "DECIMAL(38,6)": pa.decimal128(38, 6),
    "MAP<STRING,BIGINT>": pa.map_(pa.string(), pa.int64()),
}
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


def arrow_schema(table: Table) -> pa.Schema:
    """Returns the table's columns as Arrow types."""
    return pa.schema([pa.field(c.name, _arrow_type(c.type), c.nullable) for c in table.columns])


def arrow_rows(rows: Iterable[Sequence[object]], table: Table) -> pa.Table:
    """Returns rows, each its values in the order of the table's columns, as an Arrow table."""
    names = table.column_names
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=arrow_schema(table))


def _arrow_type(name: str) -> pa.DataType:
    return pa.list_(_arrow_type(name[6:-1])) if name.startswith("ARRAY<") else _TYPES[name]


def conforming(rows: pa.Table, table: Table) -> pa.Table:
    """Returns rows as the table has them: its types, and no null where it takes none.

    Raises:
        SchemaMismatchError: The columns are not the table's, in its order, or it has constraints or partitions of which
            nothing is known here.
        ConstraintViolationError: A column that is never null has a null.
    """
    if rows.column_names != table.column_names or table.checks or table.partition_by:
        raise SchemaMismatchError(
            "Rows in memory are not such as their table takes",
            where=table.name,
            expected=f"{', '.join(table.column_names)}, of a table without CHECK constraints and partitions",
            found=", ".join(rows.column_names),
            remedy="Select the table's columns, in its order; write other tables from a frame of Spark",
        )
    for column in table.columns:
        if not column.nullable and rows.column(column.name).null_count:
            raise broken(table, f"{column.name} NOT NULL")
    return rows.cast(arrow_schema(table))


def read_arrow(
    root: Place, table: Table, *, version: int | None = None, where: Mapping[str, str] | None = None
) -> pa.Table:
    """Returns a lake table's rows, in no particular order, without Spark.

    Args:
        root: The lake's folder.
        table: Which table.
        version: Which version; the newest where not given.
        where: Keeps the rows whose text columns equal these; of partition columns only the files that hold them are
            opened.

    Raises:
        InputError: There is no such table or version, a file of it is missing or damaged, or another version of the
            tables made it.
    """
    from deltalake import DeltaTable

    newest = version_of(root, table)
    if newest is None or (version is not None and not 0 < version <= newest):
        raise InputError(
            "The lake lacks a table" if newest is None else "The lake lacks a version of a table",
            where=str(table_path(root, table)),
            expected=table.name + (f" at version {version}" if version is not None else ""),
            found="" if newest is None else f"versions 1 to {newest}",
            remedy="Run the step that makes it first",
        )
    if version is None:
        require_form(root, table)
    wanted = dict(where or {})
    schema = arrow_schema(table)
    with told_reading(table.name):
        paths = files_of(DeltaTable(str(table_path(root, table)), version=version), root, table, wanted)
    pieces = [_read_file(path, table, schema, wanted) for path in paths]
    return pa.concat_tables([schema.empty_table(), *pieces])


def files_of(log: DeltaTable, root: Place, table: Table, wanted: Mapping[str, str] | None = None) -> list[Place]:
    """Returns the files of a table's version, of those of some partitions only where `wanted` names them.

    Of their URIs only what follows the table's folder is a name as it is on disk.
    """
    wanted = wanted or {}
    filters = [(name, "=", value) for name, value in wanted.items() if name in table.partition_by]
    folder = log.table_uri.removeprefix("file://").rstrip("/")
    uris = log.file_uris(file_pruning_predicate=filters or None)
    return [table_path(root, table) / uri.removeprefix("file://").removeprefix(folder).lstrip("/") for uri in uris]


def _read_file(path: Place, table: Table, schema: pa.Schema, wanted: Mapping[str, str]) -> pa.Table:
    """One Parquet file with its partition columns, which stand in its path only, put back."""
    stored = [name for name in schema.names if name not in table.partition_by]
    with told_reading(str(path)):
        file = pq.ParquetFile(readable(path))
        rows = file.read(columns=stored)
    columns = []
    for field in schema:
        if field.name in table.partition_by:
            value = _typed(_partition_value(path, field.name), field.type)
            columns.append(pa.repeat(pa.scalar(value, field.type), rows.num_rows))
        elif field.name not in file.schema_arrow.names:
            # Written before the table got the column.
            columns.append(pa.nulls(rows.num_rows, field.type))
        else:
            columns.append(rows.column(field.name).cast(field.type))
    whole = pa.Table.from_arrays(columns, schema=schema)
    for name, value in wanted.items():
        if name not in table.partition_by:
            whole = whole.filter(pc.equal(whole.column(name), value))
    return whole


def _partition_value(path: Place, name: str) -> str | None:
    """The value of `name=value` among the folders of a file's path."""
    text = next(part.partition("=")[2] for part in path.parts if part.startswith(f"{name}="))
    return None if text == _HIVE_NULL else unquote(text)


def _typed(text: str | None, kind: pa.DataType) -> object:
    if text is None or pa.types.is_string(kind):
        return text
    if pa.types.is_date(kind):
        return date.fromisoformat(text)
    return int(text)
