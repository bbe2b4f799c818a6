"""Files of flat tables, looked at one by one before Spark reads them: columns, encoding, whether they are whole."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sos_spark.bronze.fault import SourceError

CHUNK_BYTES = 1 << 20
_UNDEFINED_IN_CP1252 = b"\x81\x8d\x8f\x90\x9d"
NANOSECONDS = "nanoseconds"


@dataclass(frozen=True)
class TableFile:
    """A sound file of a table: column names in order; of Parquet also each column's kind; of CSV the encoding."""

    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    encoding: str


def inspect_table_file(path: str, update_hash: Callable[[bytes], None]) -> TableFile:
    """Looks at a file, which is read to its end for its hash in any case.

    Raises:
        SourceError: It is cut off, no Parquet file, has no header, an open quote or no known encoding.
    """
    return _parquet(path, update_hash) if path.casefold().endswith(".parquet") else _csv(path, update_hash)


def _parquet(path: str, update_hash: Callable[[bytes], None]) -> TableFile:
    with Path(path).open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            update_hash(chunk)
    try:
        parquet = pq.ParquetFile(path)
        schema = parquet.schema_arrow
    except (pa.ArrowInvalid, OSError):
        raise SourceError("The file is no Parquet file, or cut off") from None
    physical = {
        parquet.schema.column(i).name: parquet.schema.column(i).physical_type for i in range(len(parquet.schema))
    }
    return TableFile(tuple(schema.names), tuple(_kind(field, physical) for field in schema), "")


def _kind(field: pa.Field, physical: dict[str, str]) -> str:
    """The kind of a column, as far as reading differs by it."""
    kind = field.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns" and physical.get(field.name) != "INT96":
        return NANOSECONDS
    if pa.types.is_list(kind) and pa.types.is_string(kind.value_type):
        return "list"
    return "nested" if pa.types.is_nested(kind) else str(kind)


def _csv(path: str, update_hash: Callable[[bytes], None]) -> TableFile:
    """Spark reads CSV line by line, so a quote that is open at a line's end is a fault here."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, is_cp1252, has_quotes, has_nul = True, True, False, False
    with Path(path).open("rb") as handle:
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
    with Path(path).open(encoding="utf-8-sig" if is_utf8 else "cp1252", newline="") as text:
        try:
            header = next(csv.reader(text, strict=True), None)
        except csv.Error:
            raise SourceError("The header is not valid CSV") from None
    if not header:
        raise SourceError("The file is empty", expected="a header")
    return TableFile(tuple(header), tuple("string" for _ in header), "utf-8" if is_utf8 else "iso-8859-1")


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _require_closed_quotes(path: str) -> None:
    with Path(path).open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            if line.count(b'"') % 2:
                raise SourceError("A quoted text does not end on its line, or the file is cut off",
                                  found=f"line {number}")  # fmt: skip
