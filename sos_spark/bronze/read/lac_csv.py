"""The records of SSDA903 CSV that was found sound."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from sos_spark.bronze.arrive.lac_file import lac_columns, lac_rows
from sos_spark.bronze.record_batches import WHITE_SPACE, RecordBatches


def parse_lac(content: bytes, module: str, batches: RecordBatches) -> Iterator[pa.RecordBatch]:
    """Gives the records of a file that `inspect_lac` found sound; record_position is the line, the header's being 1."""
    rows = lac_rows(content)
    positions = lac_columns(rows, module).positions
    for line, cells in rows:
        batches.add(module, line, [None if at is None else cells[at].strip(WHITE_SPACE) or None for at in positions])
        if batches.is_full:
            yield from batches.take()
    yield from batches.take()
