"""Files of flat tables, looked at one by one before they are read: columns, encoding, whether they are whole.

Of a Parquet file every page that will be read is decoded once here. A reader would find a damaged one too, but only
while it writes, in an error that stops the whole ingest. The rows of a plain file are counted on the way.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from io import TextIOWrapper

import pyarrow as pa
import pyarrow.parquet as pq

from sos_spark.bronze.arrive.plain_table import LaYearRows, PlainRows
from sos_spark.bronze.columns import MAX_COLUMNS
from sos_spark.bronze.fault import MAX_FILE_BYTES, SourceError
from sos_spark.places import place_of, readable

CHUNK_BYTES = 1 << 20
_UNDEFINED_IN_CP1252 = b"\x81\x8d\x8f\x90\x9d"
_PARQUET_MARK = b"PAR1"
_ROWS_A_BATCH = 1 << 16

NANOSECONDS = "nanoseconds"
"""A Parquet timestamp of that unit without a time zone, which Spark reads as a whole number."""
NANOSECONDS_UTC = "nanoseconds utc"
"""The same, adjusted to UTC: an instant."""
NOTHING = "nothing"
"""A Parquet column without a type, which holds nulls only."""
UNREADABLE = "unreadable"
"""A Parquet column of records, times of day or durations: no value of a return is one."""


@dataclass(frozen=True)
class TableFile:
    """A sound file of a table.

    `columns` are the names in order. `kinds` has each column's Spark type, or one of this module's constants; of CSV
    it is string. `encoding` is a CSV file's. `la_years` counts a plain file's rows (see `plain_table`); it is None of
    any other.
    """

    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    encoding: str
    la_years: tuple[LaYearRows, ...] | None = None


def inspect_table_file(path: str, update_hash: Callable[[bytes], None], wanted: Collection[str]) -> TableFile:
    """Looks at a file, which is read to its end for its hash in any case.

    Args:
        path: The file.
        update_hash: Takes the file's bytes.
        wanted: The names of the columns that will be read; in Parquet each of their pages is decoded.

    Raises:
        SourceError: It is cut off, damaged, no Parquet file, has no header, an open quote or no known encoding.
    """
    if path.casefold().endswith(".parquet"):
        return _parquet(path, update_hash, wanted)
    return _csv(path, update_hash)


def _parquet(path: str, update_hash: Callable[[bytes], None], wanted: Collection[str]) -> TableFile:
    with place_of(path).open("rb") as handle:
        mark = b""
        while chunk := handle.read(CHUNK_BYTES):
            mark = mark or chunk[: len(_PARQUET_MARK)]
            update_hash(chunk)
    if mark != _PARQUET_MARK:
        raise SourceError("The file is no Parquet file, or its head is damaged")
    try:
        parquet = pq.ParquetFile(
            readable(place_of(path)), page_checksum_verification=True, coerce_int96_timestamp_unit="us"
        )
        schema = parquet.schema_arrow
        _require_few(len(schema.names))
        found = TableFile(tuple(schema.names), _kinds(parquet), "")
    except (pa.ArrowException, OSError):
        raise SourceError("The file is no Parquet file, or cut off") from None
    names = {name.casefold() for name in wanted}
    to_read = [
        name
        for name, kind in zip(found.columns, found.kinds, strict=True)
        if name.strip().casefold() in names and kind != UNREADABLE
    ]
    try:
        n_rows, plain = 0, PlainRows(pa.schema([field for field in schema if field.name in to_read]))
        for batch in parquet.iter_batches(_ROWS_A_BATCH, columns=to_read, use_threads=False):
            batch.validate(full=True)
            n_rows += batch.num_rows
            plain.add(batch)
    except (pa.ArrowException, OSError, MemoryError):
        # The error's own message may quote the text.
        raise SourceError("A page of the file is damaged") from None
    if to_read and n_rows != parquet.metadata.num_rows:
        raise SourceError(
            "The file holds another number of rows than it says", expected=str(parquet.metadata.num_rows),
            found=str(n_rows),
        )  # fmt: skip
    return replace(found, la_years=plain.counts())


def _require_few(n_columns: int) -> None:
    if n_columns > MAX_COLUMNS:
        raise SourceError("The file has too many columns", expected=f"at most {MAX_COLUMNS}", found=str(n_columns))


def _kinds(parquet: pq.ParquetFile) -> tuple[str, ...]:
    columns = [parquet.schema.column(i) for i in range(len(parquet.schema))]
    leaves = {column.path: column for column in columns}
    return tuple(_kind(field.type, leaves.get(field.name)) for field in parquet.schema_arrow)


def _kind(kind: pa.DataType, leaf: pq.ColumnSchema | None) -> str:
    """Returns the Spark type a column is read as, or one of this module's constants.

    What a timestamp is the file's own schema says: adjusted to UTC or not. INT96 and the older annotations, which say
    nothing, are adjusted by Parquet's rules, and as Spark writes them.
    """
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_timestamp(kind) and leaf is not None:
        if leaf.physical_type == "INT96":
            return "timestamp"
        is_utc = json.loads(leaf.logical_type.to_json()).get("isAdjustedToUTC", True)
        if kind.unit == "ns":
            return NANOSECONDS_UTC if is_utc else NANOSECONDS
        return "timestamp" if is_utc else "timestamp_ntz"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        is_text = pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type)
        return "array<string>" if is_text else UNREADABLE
    if pa.types.is_fixed_size_binary(kind):
        return "binary"
    return _SPARK_TYPES.get(str(kind), UNREADABLE)


_SPARK_TYPES = {
    "null": NOTHING,
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "uint8": "smallint",
    "uint16": "int",
    "uint32": "bigint",
    "uint64": "decimal(20,0)",
    "float": "float",
    "double": "double",
    "string": "string",
    "large_string": "string",
    "binary": "binary",
    "large_binary": "binary",
    "date32[day]": "date",
    "date64[ms]": "date",
}
"""Spark's types of Arrow's, as Spark itself would infer them from the file."""


def _csv(path: str, update_hash: Callable[[bytes], None]) -> TableFile:
    """Spark reads CSV line by line, so a quote that is open at a line's end is a fault here."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, is_cp1252, has_quotes, has_nul = True, True, False, False
    with place_of(path).open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            update_hash(chunk)
            has_quotes = has_quotes or b'"' in chunk
            has_nul = has_nul or b"\0" in chunk
            is_cp1252 = is_cp1252 and not any(byte in chunk for byte in _UNDEFINED_IN_CP1252)
            is_utf8 = is_utf8 and _decodes(decoder, chunk)
    is_utf8 = is_utf8 and _decodes(decoder, b"", final=True)
    if has_nul or not (is_utf8 or is_cp1252):
        raise SourceError("The file's text cannot be decoded", expected="UTF-8 or Windows-1252")
    if has_quotes:
        _require_closed_quotes(path)
    csv.field_size_limit(MAX_FILE_BYTES)
    encoding = "utf-8-sig" if is_utf8 else "cp1252"
    with TextIOWrapper(place_of(path).open("rb"), encoding=encoding, newline="") as text:
        try:
            header = next(csv.reader(text, strict=True), None)
        except csv.Error:
            # The module's own message may quote the text.
            raise SourceError("The header is not valid CSV") from None
    if not header:
        raise SourceError("The file is empty", expected="a header")
    _require_few(len(header))
    return TableFile(tuple(header), tuple("string" for _ in header), "utf-8" if is_utf8 else "iso-8859-1")


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _require_closed_quotes(path: str) -> None:
    with place_of(path).open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            if line.count(b'"') % 2:
                raise SourceError("A quoted text does not end on its line, or the file is cut off",
                                  found=f"line {number}")  # fmt: skip
