"""Plain tables copied into bronze by Arrow, by columns.

Files are written where the table lies. Those of an ingest that was killed are what `lake maintain` takes away.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sos_spark.bronze.arrive.inspection import Inspection
from sos_spark.bronze.arrive.plain_table import la_years, text_of
from sos_spark.bronze.bronze_files import BronzeFile, BronzeFiles
from sos_spark.bronze.columns import find_columns
from sos_spark.bronze.decide.returns import Slice
from sos_spark.bronze.fields import COLLECTION_OF, FIELDS, LA_YEAR, SSDA903, required_of
from sos_spark.bronze.record_batches import file_schema
from sos_spark.errors import SourceFaultError
from sos_spark.machine.workers import Workers
from sos_spark.places import Place, place_of, readable

_MOST_BYTES_A_TASK, _LEAST_BYTES_A_TASK = 128 << 20, 8 << 20
_TASKS_A_CORE = 2
"""Each task writes a file for each census year: every core has work, and yet a table gets few files."""
_ROWS_A_BATCH = 1 << 16

PlainPart = tuple[Slice, Inspection]
"""An LA-year that is taken, and a plain file that holds rows of it."""


@dataclass(frozen=True)
class PlainTable:
    """What a bronze table is to get from plain files, and the table's folder."""

    module: str
    folder: Place
    parts: Sequence[PlainPart]


def copy_plain(workers: Workers, tables: Sequence[PlainTable]) -> list[BronzeFile]:
    """Writes the rows of plain files below the folders of bronze tables. Returns the files written.

    A file of the table has rows of one census year; a row group of it those of few authorities, as the source has them.

    Raises:
        InputError: As `Workers.run`: a file cannot be read to its end, or has other rows than at the first look.
    """
    sources = {file.file.name: file.file.n_bytes for table in tables for _, file in table.parts}
    n_bytes = sum(sources.values())
    results = workers.run(_in_bins(tables, at_once=workers.at_once(n_bytes)), _copy, n_bytes=n_bytes)
    return [BronzeFile.of(one) for result in results for one in result["written"]]


def _in_bins(tables: Sequence[PlainTable], *, at_once: int) -> list[dict[str, Any]]:
    """Shares the files of each table out among tasks of about equal bytes; the largest tasks come first."""
    by_name = {table.module: {file.file.name: file for _, file in table.parts} for table in tables}
    n_bytes = sum(file.file.n_bytes for files in by_name.values() for file in files.values())
    size = max(_LEAST_BYTES_A_TASK, min(_MOST_BYTES_A_TASK, -(-n_bytes // (_TASKS_A_CORE * at_once))))
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


def _copy(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The worker: the source's files of one task, to one file for each census year, or several where they are large."""
    module, folder = entry["module"], place_of(entry["folder"])
    with BronzeFiles(lambda _: folder) as files:
        for file in entry["files"]:
            n_rows = 0
            for year, rows in _rows(file, module):
                n_rows += rows.num_rows
                files.add(module, year, rows, file["name"])
            if n_rows != file["n_rows"]:
                raise SourceFaultError(file["name"], "other rows than at the first look")
            files.end_of_source()
        yield {"written": files.finish()}


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
        schema=file_schema(module),
    )
    for one in pc.unique(year).drop_null().to_pylist():
        taken = pa.array(file["taken"].get(str(one), []), pa.string())
        of_year = rows.filter(pc.and_(pc.equal(year, one), pc.is_in(la_code, taken)))
        if of_year.num_rows:
            yield str(one), of_year
