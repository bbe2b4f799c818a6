"""What is left of a table's files when rows of them go: written anew without Spark, file by file.

Delta for Spark reads a table to find such files, then plans, reads and writes them as it does any rows: right for large
ones, and most of what a correction of one authority costs otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sos_spark.lake.commits import HeldFile, files_in, held_files
from sos_spark.lake.faults import told_reading
from sos_spark.lake.frames import PLAIN_READER
from sos_spark.lake.slices import grouped
from sos_spark.lake.versions import table_path
from sos_spark.places import Place, open_whole, readable
from sos_spark.tables import Table

MOST_BYTES = 512 << 20
"""Of Parquet: all of England's silver is 1 GB. Above it executors share the work, by Delta for Spark."""
ROWS_AT_ONCE = 1 << 18
"""Rows that are in memory at once, and in a row group of what is written."""

Groups = Sequence[tuple[Mapping[str, object], str, Sequence[object]]]


def is_few_bytes(root: Place, table: Table, slices: Sequence[Mapping[str, object]]) -> bool:
    """Returns whether the files that may hold rows of slices are little enough to be gone through on the driver.

    Never of a table that asks more of a reader than to read Parquet: a file of it may hold rows that are gone.
    """
    from deltalake import DeltaTable

    log = DeltaTable(str(table_path(root, table)))
    if log.protocol().min_reader_version > PLAIN_READER:
        return False
    groups = grouped(slices)
    return sum(one.n_bytes for one in files_in(log) if any(_can_hold(one, group) for group in groups)) <= MOST_BYTES


def write_left_over(root: Place, table: Table, slices: Sequence[Mapping[str, object]], *, to: Place) -> list[HeldFile]:
    """Writes, to a folder laid out as the table's, the rows of no slice of each file that also holds rows of one.

    Returns the files that hold rows of a slice; one all of whose rows are leaves nothing.

    Raises:
        InputError: A file is missing or damaged.
    """
    groups = grouped(slices)
    return [file for file in held_files(root, table) if _is_left(file, table_path(root, table), groups, to)]


def _is_left(file: HeldFile, folder: Place, groups: Groups, to: Place) -> bool:
    """Whether the file holds rows of a slice; its others are then written."""
    of_file = [group for group in groups if _can_hold(file, group)]
    if not of_file:
        return False
    path = folder / file.path
    named = {name for rest, widest, _ in of_file for name in (*rest, widest)} - file.partition.keys()
    with told_reading(str(path)), pq.ParquetFile(readable(path)) as parquet:
        n_rows = parquet.metadata.num_rows
        n_gone = pc.sum(_goes(parquet.read(columns=sorted(named)), of_file)).as_py() if named else n_rows
        if n_gone and n_gone < n_rows:
            anew = PurePosixPath(file.path).with_name(f"part-{uuid4()}.parquet")
            _write_others(parquet, of_file, to / str(anew))
    return bool(n_gone)


def _write_others(parquet: pq.ParquetFile, groups: Groups, target: Place) -> None:
    with (
        open_whole(target) as handle,
        pq.ParquetWriter(handle, parquet.schema_arrow, write_page_checksum=True) as writer,
    ):
        for batch in parquet.iter_batches(ROWS_AT_ONCE):
            rows = pa.Table.from_batches([batch])
            writer.write_table(rows.filter(pc.invert(_goes(rows, groups))))


def _can_hold(file: HeldFile, group: tuple[Mapping[str, object], str, Sequence[object]]) -> bool:
    """Whether the file's partition is one of the group's slices', as far as they name it."""
    rest, widest, values = group
    return all(
        value in allowed for name, value in file.partition.items() for allowed in _of(name, rest, widest, values)
    )


def _of(name: str, rest: Mapping[str, object], widest: str, values: Sequence[object]) -> list[Sequence[object]]:
    """The values that slices allow of a column, if they name it."""
    return [values] if name == widest else [[rest[name]]] if name in rest else []


def _goes(rows: pa.Table, groups: Groups) -> pa.ChunkedArray:
    """Whether each row is of a slice; a column that the rows lack is their file's partition's, and was looked at."""
    gone = pa.chunked_array([pa.nulls(rows.num_rows, pa.bool_()).fill_null(False)])
    for rest, widest, values in groups:
        of_group = pa.chunked_array([pa.nulls(rows.num_rows, pa.bool_()).fill_null(True)])
        for name in (*rest, widest):
            if name in rows.column_names:
                column = rows.column(name)
                allowed = pa.array(values if name == widest else [rest[name]], column.type)
                of_group = pc.and_(of_group, pc.is_in(column, value_set=allowed))
        gone = pc.or_(gone, of_group)
    return gone
