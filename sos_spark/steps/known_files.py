"""bronze.files as a whole: its rows are few, an LA-year of a file each."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pyarrow as pa

from sos_spark.bronze.decide.files import FileKey, FileRow, file_rows
from sos_spark.lake.arrow import arrow_schema, read_arrow
from sos_spark.lake.lake import Lake
from sos_spark.tables import FILES


def read_files(lake: Lake) -> dict[FileKey, FileRow]:
    """Returns the rows of bronze.files by key; none where there is no such table. Needs no Spark."""
    return file_rows(read_arrow(lake.root, FILES).to_pylist()) if lake.exists(FILES) else {}


def write_files(lake: Lake, rows: Mapping[FileKey, FileRow], *, fingerprint: str) -> None:
    """Replaces bronze.files. Needs no Spark. Errors as `Lake.overwrite`."""
    arrow = pa.Table.from_pylist(sorted(rows.values(), key=canonical), schema=arrow_schema(FILES))
    lake.put(arrow, FILES, fingerprint=fingerprint)


def canonical(row: FileRow) -> str:
    """Returns a row as text, the same for the same row."""
    return json.dumps(row, sort_keys=True)
