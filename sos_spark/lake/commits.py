"""Commits of Parquet files that lie in a table's folder, by the log's library, whoever wrote them.

Delta for Spark computes a table's state in jobs of its own before and after each commit, which takes a small run longer
than its rows do. The log's library writes the same commit in milliseconds. It looks into no file: that the rows keep
the table's constraints is for who wrote them (`constraints.held_to`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sos_spark.lake.faults import conflict, told_reading
from sos_spark.lake.maintenance import make_private
from sos_spark.lake.versions import N_ROWS, table_path
from sos_spark.places import Place, make_folder, move_file, n_bytes_of, readable, within
from sos_spark.tables import Table

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from deltalake.transaction import AddAction, RemoveAction

_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class WrittenFile:
    """A Parquet file of a table: its path from the table's folder, and the values of partition columns, as text."""

    path: str
    n_bytes: int
    n_rows: int
    partition: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class HeldFile:
    """A Parquet file that a table's newest version has; partition values are of their columns' types."""

    path: str
    n_bytes: int
    partition: Mapping[str, object]


def held_files(root: Place, table: Table) -> list[HeldFile]:
    """Returns the files of a table's newest version."""
    from deltalake import DeltaTable

    return files_in(DeltaTable(str(table_path(root, table))))


def files_in(log: DeltaTable) -> list[HeldFile]:
    """Returns the files of the version that a log was opened at."""
    import pyarrow as pa

    entries = pa.table(log.get_add_actions()).to_pylist()
    return [HeldFile(unquote(one["path"]), one["size_bytes"], one.get("partition") or {}) for one in entries]


def moved_into_place(files: Iterable[Place], root: Place, table: Table, *, folder: Place) -> list[WrittenFile]:
    """Moves files into a table's folder, where they lie as they lay in `folder`; those without a row stay behind.

    Until a commit names them they are nobody's, as what a killed run left is.
    """
    return [written for written in (_moved(file, root, table, folder) for file in files) if written is not None]


def _moved(file: Place, root: Place, table: Table, folder: Place) -> WrittenFile | None:
    import pyarrow.parquet as pq

    with told_reading(str(file)), pq.ParquetFile(readable(file)) as parquet:
        n_rows = parquet.metadata.num_rows
    if not n_rows:
        return None
    path = within(file, folder)
    parts = (part.partition("=") for part in PurePosixPath(path).parts[:-1])
    values = {name: None if value == _HIVE_NULL else unquote(value) for name, _, value in parts}
    written = WrittenFile(path, n_bytes_of(file), n_rows, {name: values[name] for name in table.partition_by})
    move_into_place(written, root, table, folder=folder)
    return written


def move_into_place(file: WrittenFile, root: Place, table: Table, *, folder: Place) -> None:
    """Moves a file of which all is known into a table's folder, where it lies as it lay in `folder`."""
    target = table_path(root, table) / file.path
    make_folder(target.parent)
    move_file(folder / file.path, target)


def commit_files(
    root: Place,
    table: Table,
    files: Sequence[WrittenFile],
    *,
    base: int,
    metadata: str,
    replaced: Sequence[HeldFile] | None,
) -> None:
    """Makes files a part of a table, which is at version `base`, in one commit.

    `replaced`: the files that go; all if None.

    Raises:
        ConflictError: Another writer committed meanwhile.
    """
    from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
    from deltalake.exceptions import CommitFailedError

    path = table_path(root, table)
    log = DeltaTable(str(path))
    found = "another writer committed to it while this one worked"
    if log.version() != base:
        raise conflict(table.name, found=found)
    said = {"userMetadata": metadata, N_ROWS: str(sum(file.n_rows for file in files))}
    try:
        log.create_write_transaction(
            [*map(_added, files), *map(_removed, replaced or ())],
            "overwrite" if replaced is None else "append",
            log.schema(),
            partition_by=list(table.partition_by) or None,
            commit_properties=CommitProperties(
                said, max_commit_retries=0, app_transactions=[Transaction(table.name, base + 1)]
            ),
            post_commithook_properties=PostCommitHookProperties(create_checkpoint=True, cleanup_expired_logs=False),
        )
    except CommitFailedError:
        raise conflict(table.name, found=found) from None
    make_private(path)


def _added(file: WrittenFile) -> AddAction:
    from deltalake.transaction import AddAction

    return AddAction(
        path=file.path,
        size=file.n_bytes,
        partition_values=file.partition,
        modification_time=_now(),
        data_change=True,
        stats=json.dumps({"numRecords": file.n_rows}),
    )


def _removed(file: HeldFile) -> RemoveAction:
    from deltalake.transaction import RemoveAction

    return RemoveAction(
        path=file.path,
        data_change=True,
        deletion_timestamp=_now(),
        size=file.n_bytes,
        partition_values={name: None if value is None else str(value) for name, value in file.partition.items()},
    )


def in_partitions(files: Iterable[HeldFile], slices: Sequence[Mapping[str, object]]) -> list[HeldFile]:
    """Returns the files of the partitions that have the values of a slice."""
    return [
        file
        for file in files
        if any(all(file.partition[name] == value for name, value in one.items()) for one in slices)
    ]


def _now() -> int:
    return int(time.time() * 1000)
