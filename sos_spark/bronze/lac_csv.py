"""SSDA903 CSV, read strictly: a row that does not have the header's number of columns makes the file a broken one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from sos_spark.bronze.columns import Columns, find_columns
from sos_spark.bronze.fault import SourceError
from sos_spark.bronze.modules import FIELDS, required_of
from sos_spark.bronze.records import WHITE_SPACE, RecordBatches


@dataclass(frozen=True)
class LacFile:
    """What a sound SSDA903 file says of itself: how many records, and columns the module does not know or lacks."""

    n_rows: int
    unknown_columns: tuple[str, ...]
    absent_columns: tuple[str, ...]


def decode(content: bytes) -> str:
    """Returns a file's text: UTF-8 with or without its mark, else Windows-1252.

    Raises:
        SourceError: It is neither.
    """
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise SourceError("The file's text cannot be decoded", expected="UTF-8 or Windows-1252")


def inspect_lac(content: bytes, module: str) -> LacFile:
    """Reads a file to its end, without its records.

    Raises:
        SourceError: It has no header, lacks columns, has a row of another length, an open quote, or no known encoding.
    """
    rows = _rows(content)
    columns = _header(rows, module)
    return LacFile(sum(1 for _ in rows), columns.unknown, columns.absent)


def parse_lac(content: bytes, module: str, batches: RecordBatches) -> Iterator[pa.RecordBatch]:
    """Gives the records of a file that `inspect_lac` found sound; record_position is the line, the header's being 1."""
    rows = _rows(content)
    positions = _header(rows, module).positions
    for line, cells in rows:
        batches.add(module, line, [None if at is None else cells[at].strip(WHITE_SPACE) or None for at in positions])
        if batches.is_full:
            yield from batches.take()
    yield from batches.take()


def _header(rows: Iterator[tuple[int, list[str]]], module: str) -> Columns:
    first = next(rows, None)
    if first is None:
        raise SourceError("The file is empty", expected="a header")
    return find_columns(first[1], FIELDS[module], required=required_of(module))


def _rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Gives each record with the line it begins on; blank lines are no records."""
    reader = csv.reader(io.StringIO(decode(content), newline=""), strict=True)
    width, line = 0, 1
    try:
        for cells in reader:
            if cells:
                width = width or len(cells)
                if len(cells) != width:
                    raise SourceError(
                        "A row has another number of columns than the header, or the file is cut off",
                        expected=str(width),
                        found=f"{len(cells)} at line {line}",
                    )
                yield line, cells
            line = reader.line_num + 1
    except csv.Error:
        # The module's own message may quote the text.
        raise SourceError("A row is not valid CSV, or the file is cut off", found=f"line {line}") from None
