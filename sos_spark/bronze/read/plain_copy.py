"""Plain tables copied into bronze by Arrow: executors read the source's files and write the table's, by columns.

What comes back is one row per file written. Until the lake takes them, the files are no table's: those of an ingest
that was killed are what `lake maintain` takes away.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from sos_spark.bronze.arrive.inspection import Inspection, run_tasks
from sos_spark.bronze.arrive.plain_table import la_years, text_of
from sos_spark.bronze.columns import find_columns
from sos_spark.bronze.decide.returns import Slice
from sos_spark.bronze.fields import COLLECTION_OF, FIELDS, LA_YEAR, SSDA903, required_of
from sos_spark.errors import SourceFaultError
from sos_spark.lake.commits import WrittenFile
from sos_spark.machine.connect import tasks_at_once
from sos_spark.places import Place, make_folder, open_new, place_of, readable

_MOST_BYTES_A_TASK, _LEAST_BYTES_A_TASK = 128 << 20, 8 << 20
_TASKS_A_CORE = 2
"""Each task writes a file for each census year: every core has work, and yet a table gets few files."""
_ROWS_A_BATCH = 1 << 16
_MOST_ROWS_A_GROUP, _LEAST_ROWS_A_GROUP = 1 << 17, 1 << 13
_BYTES_WAITING, _BYTES_OPEN = 64 << 20, 128 << 20
"""What a task keeps at most of rows that wait for a row group, and of files that are not whole."""

_WRITTEN = pa.schema(
    [("module", pa.string()), ("path", pa.string()), ("n_bytes", pa.int64()), ("n_rows", pa.int64()),
     ("census_year", pa.string())]
)  # fmt: skip

PlainPart = tuple[Slice, Inspection]
"""An LA-year that is taken, and a plain file that holds rows of it."""


@dataclass(frozen=True)
class PlainTable:
    """What a bronze table is to get from plain files, and the table's folder."""

    module: str
    folder: Place
    parts: Sequence[PlainPart]


def copy_plain(spark: SparkSession, tables: Sequence[PlainTable]) -> dict[str, list[WrittenFile]]:
    """Writes the rows of plain files below the folders of bronze tables. Returns the files written, by module.

    A file of the table has rows of one census year; a row group of it those of few authorities, as the source has them.

    Raises:
        SourceFaultError: In Spark's error: a file cannot be read to its end, or has other rows than at the first look.
    """
    for table in tables:
        for year in {where.census_year for where, _ in table.parts}:
            make_folder(table.folder.parent)
            make_folder(table.folder)
            make_folder(table.folder / f"census_year={year}")
    entries = _in_bins(tables, n_cores=tasks_at_once(spark))
    schema = "module STRING, path STRING, n_bytes BIGINT, n_rows BIGINT, census_year STRING"
    written: dict[str, list[WrittenFile]] = {table.module: [] for table in tables}
    if entries:
        tasks = [(at, json.dumps(entry)) for at, entry in enumerate(entries)]
        for row in run_tasks(spark, tasks, len(tasks), schema, _copy).collect():
            written[row["module"]].append(
                WrittenFile(row["path"], row["n_bytes"], row["n_rows"], {"census_year": row["census_year"]})
            )
    return written


def _in_bins(tables: Sequence[PlainTable], *, n_cores: int) -> list[dict[str, Any]]:
    """Shares the files of each table out among tasks of about equal bytes; the largest tasks come first."""
    by_name = {table.module: {file.file.name: file for _, file in table.parts} for table in tables}
    n_bytes = sum(file.file.n_bytes for files in by_name.values() for file in files.values())
    size = max(_LEAST_BYTES_A_TASK, min(_MOST_BYTES_A_TASK, -(-n_bytes // (_TASKS_A_CORE * n_cores))))
    bins: list[tuple[int, dict[str, Any]]] = []
    for table in tables:
        files = sorted(by_name[table.module].values(), key=lambda file: file.file.name)
        taken: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for where, file in table.parts:
            taken[file.file.name][str(where.census_year)].append(str(where.la_code))
        total, done = sum(file.file.n_bytes for file in files), 0
        n_bins = min(len(files), -(-total // size))
        members: dict[int, list[Inspection]] = defaultdict(list)
        for file in files:
            members[done * n_bins // total].append(file)
            done += file.file.n_bytes
        bins += [
            (
                sum(file.file.n_bytes for file in some),
                {
                    "module": table.module,
                    "folder": str(table.folder),
                    "files": [_entry(table.module, file, taken[file.file.name]) for file in some],
                },
            )
            for some in members.values()
        ]
    return [entry for _, entry in sorted(bins, key=lambda pair: -pair[0])]


def _entry(module: str, file: Inspection, taken: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What a worker has to know of a file; `columns` are the file's names of LA, year and the module's fields."""
    wanted = (*LA_YEAR, *FIELDS[module])
    positions = find_columns(file.columns, wanted, required=required_of(module)).positions
    counts = {(la_code, year): n_rows for la_code, year, n_rows in file.la_years or ()}
    return {
        "path": file.file.path,
        "name": file.file.name,
        "file_id": file.file_id,
        "columns": [None if at is None else file.columns[at] for at in positions],
        "taken": taken,
        "n_rows": sum(counts[la_code, int(year)] for year, las in taken.items() for la_code in las),
    }


def _copy(entry: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
    """The worker: the source's files of one task, to one file for each census year, or several where they are large."""
    module = entry["module"]
    with ExitStack() as stack:
        files = _Files(place_of(entry["folder"]), _schema(module), stack)
        for file in entry["files"]:
            n_rows = 0
            for year, rows in _rows(file, module):
                n_rows += rows.num_rows
                files.add(year, rows)
            if n_rows != file["n_rows"]:
                raise SourceFaultError(file["name"], "other rows than at the first look")
            files.end_of_source()
        written = files.finish()
    yield from pa.Table.from_pylist([{"module": module, **one} for one in written], _WRITTEN).to_batches()


def _schema(module: str) -> pa.Schema:
    """The columns of a file of the module's table: all but that of the partition."""
    fields = [pa.field(name, pa.string()) for name in FIELDS[module]]
    return pa.schema([("la_code", pa.string()), ("file_id", pa.int64()), ("record_position", pa.int64()),
                      ("record_fault", pa.string()), *fields])  # fmt: skip


def _rows(file: Mapping[str, Any], module: str) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Gives the rows of a file that are taken, each batch of one census year.

    Raises:
        SourceFaultError: The file cannot be read to its end.
    """
    names: list[str | None] = file["columns"]
    wanted = [name for name in names if name is not None]
    try:
        with pq.ParquetFile(readable(place_of(file["path"])), page_checksum_verification=True) as parquet:
            n_before = 0
            for batch in parquet.iter_batches(_ROWS_A_BATCH, columns=wanted, use_threads=False):
                columns = [pa.nulls(batch.num_rows) if name is None else batch.column(name) for name in names]
                yield from _taken(columns, file, module, n_before)
                n_before += batch.num_rows
    except (OSError, pa.ArrowException, KeyError) as fault:
        raise SourceFaultError(file["name"], type(fault).__name__) from None


def _taken(
    columns: Sequence[pa.Array], file: Mapping[str, Any], module: str, n_before: int
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Gives the rows of a batch that are taken, as the table has them, by census year."""
    (la_code, year), n_rows = la_years(columns[0], columns[1]), len(columns[0])
    rows = pa.RecordBatch.from_arrays(
        [
            la_code,
            pa.repeat(pa.scalar(file["file_id"], pa.int64()), n_rows),
            pa.arange(n_before + 1, n_before + n_rows + 1),
            pa.nulls(n_rows, pa.string()),
            *(text_of(column, in_slashes=COLLECTION_OF[module] == SSDA903) for column in columns[2:]),
        ],
        schema=_schema(module),
    )
    for one in pc.unique(year).drop_null().to_pylist():
        taken = pa.array(file["taken"].get(str(one), []), pa.string())
        of_year = rows.filter(pc.and_(pc.equal(year, one), pc.is_in(la_code, taken)))
        if of_year.num_rows:
            yield str(one), of_year


class _Files:
    """The files that a task writes, one open for each census year, and the rows that wait for a row group.

    What waits is bounded, and so is what is open: a file of a shared store is kept in memory until it is whole.
    """

    def __init__(self, folder: Place, schema: pa.Schema, stack: ExitStack) -> None:
        self._folder, self._schema, self._stack = folder, schema, stack
        self._waiting: dict[str, list[pa.RecordBatch]] = defaultdict(list)
        self._n_rows: Counter[str] = Counter()
        self._n_bytes: Counter[str] = Counter()
        self._open: dict[str, _Open] = {}
        self._written: list[dict[str, Any]] = []

    def add(self, year: str, rows: pa.RecordBatch) -> None:
        """Takes rows of a census year."""
        self._waiting[year].append(rows)
        self._n_rows[year] += rows.num_rows
        self._n_bytes[year] += rows.nbytes
        if self._n_rows[year] >= _MOST_ROWS_A_GROUP:
            self._flush(year)
        elif self._n_bytes.total() > _BYTES_WAITING:
            self._flush(max(self._n_bytes, key=lambda one: self._n_bytes[one]))

    def end_of_source(self) -> None:
        """Ends row groups at the end of a file of the source: the next one has other authorities."""
        for year in [one for one in self._waiting if self._n_rows[one] >= _LEAST_ROWS_A_GROUP]:
            self._flush(year)

    def finish(self) -> list[dict[str, Any]]:
        """Returns the files written, each whole now: path within the table, bytes, rows, census year."""
        for year in list(self._waiting):
            self._flush(year)
        self._close()
        return self._written

    def _flush(self, year: str) -> None:
        """Writes what waits of a census year as a row group."""
        rows = pa.Table.from_batches(self._waiting.pop(year), self._schema)
        del self._n_rows[year], self._n_bytes[year]
        if year not in self._open:
            self._open[year] = self._opened(year)
        self._open[year].n_rows += rows.num_rows
        self._open[year].writer.write_table(rows, row_group_size=rows.num_rows)
        if sum(one.handle.tell() for one in self._open.values()) > _BYTES_OPEN:
            self._close()

    def _opened(self, year: str) -> _Open:
        path = f"census_year={year}/part-{uuid4()}.snappy.parquet"
        handle = self._stack.enter_context(open_new(self._folder / path))
        writer = pq.ParquetWriter(
            handle, self._schema, compression="snappy", write_page_checksum=True, store_schema=False,
            use_dictionary=[name for name in self._schema.names if name != "record_position"],
            column_encoding={"record_position": "DELTA_BINARY_PACKED"},
        )  # fmt: skip
        return _Open(path, handle, self._stack.enter_context(writer))

    def _close(self) -> None:
        for year, one in self._open.items():
            one.writer.close()
            self._written.append(
                {"path": one.path, "n_bytes": one.handle.tell(), "n_rows": one.n_rows, "census_year": year}
            )
        self._stack.close()
        self._open.clear()


@dataclass
class _Open:
    """A file that is being written."""

    path: str
    handle: IO[bytes]
    writer: pq.ParquetWriter
    n_rows: int = 0
