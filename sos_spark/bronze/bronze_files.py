"""Files of bronze tables, written by Arrow while the rows of a source's files go by: one for each census year.

Until the lake takes them they are no table's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import IO, Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from sos_spark.bronze.record_batches import file_schema
from sos_spark.lake.commits import WrittenFile
from sos_spark.places import Place, make_folder, open_new

_MOST_ROWS_A_GROUP, _LEAST_ROWS_A_GROUP = 1 << 17, 1 << 13
_BYTES_WAITING, _BYTES_OPEN = 64 << 20, 128 << 20
"""What a task keeps at most of rows that wait for a row group, and of files that are not whole."""

Key = tuple[str, str]
"""A module, and a census year."""


@dataclass(frozen=True)
class BronzeFile:
    """A file that was written: its path from the folder of its module's table, bytes, rows and census year.

    `sources` are the names of the source's files whose rows it has, in order, and how many it has of each.
    """

    module: str
    path: str
    n_bytes: int
    n_rows: int
    census_year: str
    sources: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, said: dict[str, Any]) -> BronzeFile:
        """Returns a file from what `asdict` made of it, and JSON of that."""
        return cls(**{**said, "sources": tuple((name, n_rows) for name, n_rows in said["sources"])})

    @property
    def written(self) -> WrittenFile:
        """The file as the lake takes it."""
        return WrittenFile(self.path, self.n_bytes, self.n_rows, {"census_year": self.census_year})


class BronzeFiles:
    """The files that a task writes, one open for each module and census year, and the rows that wait for a row group.

    What waits is bounded, and so is what is open: a file of a shared store is kept in memory until it is whole.
    """

    def __init__(self, folder_of: Callable[[str], Place]) -> None:
        """Takes where the table of a module lies; its folders are made where they are not there."""
        self._folder_of = folder_of
        self._stack = ExitStack()
        self._waiting: dict[Key, list[pa.RecordBatch]] = defaultdict(list)
        self._sources: dict[Key, Counter[str]] = defaultdict(Counter)
        self._n_rows: Counter[Key] = Counter()
        self._n_bytes: Counter[Key] = Counter()
        self._open: dict[Key, _Open] = {}
        self._written: list[BronzeFile] = []

    def __enter__(self) -> BronzeFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Takes away what is not whole if the block failed."""
        self._stack.__exit__(kind, error, trace)

    def add(self, module: str, year: str, rows: pa.RecordBatch, source: str) -> None:
        """Takes rows of a census year, with a file's columns, that came from a file of the source."""
        key = (module, year)
        self._waiting[key].append(rows)
        self._sources[key][source] += rows.num_rows
        self._n_rows[key] += rows.num_rows
        self._n_bytes[key] += rows.nbytes
        if self._n_rows[key] >= _MOST_ROWS_A_GROUP:
            self._flush(key)
        elif self._n_bytes.total() > _BYTES_WAITING:
            self._flush(max(self._n_bytes, key=lambda one: self._n_bytes[one]))

    def end_of_source(self) -> None:
        """Ends row groups at the end of a file of the source: the next one has other authorities."""
        for key in [one for one in self._waiting if self._n_rows[one] >= _LEAST_ROWS_A_GROUP]:
            self._flush(key)

    def finish(self) -> list[dict[str, Any]]:
        """Returns the files written, each whole now, as `BronzeFile.of` takes them."""
        for key in list(self._waiting):
            self._flush(key)
        self._close()
        return [asdict(one) for one in self._written]

    def _flush(self, key: Key) -> None:
        """Writes what waits of a module and census year as a row group."""
        rows = pa.Table.from_batches(self._waiting.pop(key), file_schema(key[0]))
        if key not in self._open:
            self._open[key] = self._opened(key)
        file = self._open[key]
        file.sources.update(self._sources.pop(key))
        del self._n_rows[key], self._n_bytes[key]
        file.writer.write_table(rows, row_group_size=rows.num_rows)
        if sum(one.handle.tell() for one in self._open.values()) > _BYTES_OPEN:
            self._close()

    def _opened(self, key: Key) -> _Open:
        module, year = key
        path = f"census_year={year}/part-{uuid4()}.snappy.parquet"
        folder = self._folder_of(module)
        # One by one: folders that are made on the way to another have not its mode.
        for one in (folder.parent, folder, folder / f"census_year={year}"):
            make_folder(one)
        handle = self._stack.enter_context(open_new(folder / path))
        schema = file_schema(module)
        writer = pq.ParquetWriter(
            handle, schema, compression="snappy", write_page_checksum=True, store_schema=False,
            use_dictionary=[name for name in schema.names if name != "record_position"],
            column_encoding={"record_position": "DELTA_BINARY_PACKED"},
        )  # fmt: skip
        return _Open(path, handle, self._stack.enter_context(writer))

    def _close(self) -> None:
        for (module, year), one in self._open.items():
            one.writer.close()
            sources = tuple(one.sources.items())
            n_rows = one.sources.total()
            self._written.append(BronzeFile(module, one.path, one.handle.tell(), n_rows, year, sources))
        self._stack.close()
        self._open.clear()


@dataclass
class _Open:
    """A file that is being written."""

    path: str
    handle: IO[bytes]
    writer: pq.ParquetWriter
    sources: Counter[str] = field(default_factory=Counter)
