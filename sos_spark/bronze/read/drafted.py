"""The records of XML and SSDA903 files that were written to drafts when the files were looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow.parquet as pq

from sos_spark.bronze.bronze_files import BronzeFile, BronzeFiles
from sos_spark.bronze.record_batches import file_schema
from sos_spark.machine.workers import Workers
from sos_spark.places import Place, place_of, readable


@dataclass(frozen=True)
class DraftedRecords:
    """Files of records in a folder that is laid out as bronze is."""

    folder: Place
    files: Sequence[BronzeFile]

    @property
    def sources(self) -> set[str]:
        """The names of the files whose records are there."""
        return {name for file in self.files for name, _ in file.sources}

    def of(self, module: str) -> list[BronzeFile]:
        """Returns the files of a module."""
        return [file for file in self.files if file.module == module]


def only_of(workers: Workers, drafted: DraftedRecords, taken: Collection[str]) -> DraftedRecords:
    """Returns the drafts with the records of some files of the source only; files that have others are written anew.

    What they were written from stays where it is until the folder goes.
    """
    whole, mixed = [], defaultdict(list)
    for file in drafted.files:
        wanted = [name in taken for name, _ in file.sources]
        if all(wanted):
            whole.append(file)
        elif any(wanted):
            mixed[file.module].append(file)
    entries = [
        {"folder": str(drafted.folder), "files": [asdict(file) for file in files], "taken": _named(files, taken)}
        for files in mixed.values()
    ]
    n_bytes = sum(file.n_bytes for files in mixed.values() for file in files)
    results = workers.run(entries, _write_anew, n_bytes=n_bytes)
    anew = [BronzeFile.of(one) for result in results for one in result["written"]]
    return DraftedRecords(drafted.folder, [*whole, *anew])


def _named(files: Sequence[BronzeFile], taken: Collection[str]) -> list[str]:
    return sorted({name for file in files for name, _ in file.sources if name in taken})


def _write_anew(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The worker: writes the records of the files that are taken."""
    folder, taken = place_of(entry["folder"]), frozenset(entry["taken"])
    with BronzeFiles(lambda module: folder / module) as files:
        for one in map(BronzeFile.of, entry["files"]):
            with pq.ParquetFile(readable(folder / one.module / one.path), page_checksum_verification=True) as parquet:
                rows = parquet.read(use_threads=False).cast(file_schema(one.module))
            at = 0
            for source, n_rows in one.sources:
                if source in taken:
                    for batch in rows.slice(at, n_rows).to_batches():
                        files.add(one.module, one.census_year, batch, source)
                at += n_rows
        yield {"written": files.finish()}
