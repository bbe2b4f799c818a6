"""What a table's log says: its version, its commits, what its last content was made from. Needs no Spark.

Version 0 of a table is its declaration; it has content from version 1 on. So a run that was killed between the two
leaves a table that still counts as not made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sos_spark.lake.faults import told_reading
from sos_spark.lake.forms import difference, of_another_version
from sos_spark.machine.faults import unreadable_file
from sos_spark.places import Place, sizes_in

if TYPE_CHECKING:
    from deltalake import DeltaTable

    from sos_spark.tables import Table

N_ROWS = "sos_spark.n_rows"
"""What a commit of ours says of how many rows its files have: the log's library has no field for it."""
_SEPARATOR = "\n"
# Commits that rearrange files and leave the rows as they were.
_HOUSEKEEPING = frozenset({"OPTIMIZE", "REORG", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES", "ADD COLUMN"})


@dataclass(frozen=True)
class Commit:
    """A commit of a table, and what its content was made from, where the writer said: as a whole, and each part."""

    version: int
    at: datetime
    operation: str
    fingerprint: str | None
    n_rows_written: int | None
    parts: Mapping[str, str] = field(default_factory=dict)


def table_path(root: Place, table: Table) -> Place:
    """Returns the table's folder."""
    return root / table.layer / table.short_name


def version_of(root: Place, table: Table) -> int | None:
    """Returns the table's newest version, or None if it has no content yet."""
    log = open_log(root, table)
    if log is None:
        return None
    version = log.version()
    return version if version > 0 else None


def is_declared(root: Place, table: Table) -> bool:
    """Returns whether the table's version 0 is there."""
    return open_log(root, table) is not None


def history(root: Place, table: Table) -> tuple[Commit, ...]:
    """Returns the table's commits that its log still holds, newest first, without the declaration."""
    return tuple(_commits(root, table))


def require_form(root: Place, table: Table) -> None:
    """Checks that a table of the lake, where it is there, has the form that this version of the tables gives it.

    Raises:
        InputError: Another version made it; says which, and what to do.
    """
    log = open_log(root, table)
    told = difference(log, table) if log is not None else None
    if told is not None:
        raise of_another_version(told, where=str(root))


def content_commit(root: Place, table: Table) -> Commit | None:
    """Returns the commit that made the table's content: its newest, housekeeping aside."""
    return next((commit for commit in _commits(root, table) if commit.operation not in _HOUSEKEEPING), None)


def metadata_of(fingerprint: str, parts: Mapping[str, str]) -> str:
    """Returns what a commit says of its content, for `content_commit` to read: its fingerprint and its parts'."""
    told = json.dumps(dict(parts), sort_keys=True, separators=(",", ":"))
    return f"{fingerprint}{_SEPARATOR}{told}" if parts else fingerprint


def open_log(root: Place, table: Table) -> DeltaTable | None:
    """Returns the table's log; None where the table does not exist.

    Raises:
        InputError: A commit is damaged, or empty: a disk that lost its last blocks leaves such a file, which Delta's
            readers take for a version in which nothing changed.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    path = table_path(root, table)
    if not (path / "_delta_log").is_dir():
        return None
    with told_reading(f"the log of {table.name}"):
        sizes = sizes_in(path / "_delta_log")
        empty = [name for name, n_bytes in sizes if name.endswith(".json") and not n_bytes]
        if empty:
            raise unreadable_file(f"the log of {table.name}, {min(empty)}", "a commit without content")
        try:
            return DeltaTable(str(path))
        except TableNotFoundError:
            return None


def _commits(root: Place, table: Table) -> Iterator[Commit]:
    log = open_log(root, table)
    if log is None:
        return
    for entry in log.history():
        if entry["version"] > 0:
            fingerprint, _, parts = (entry.get("userMetadata") or "").partition(_SEPARATOR)
            yield Commit(
                version=entry["version"],
                at=datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
                operation=entry["operation"],
                fingerprint=fingerprint or None,
                n_rows_written=_rows_written(entry),
                parts=json.loads(parts) if parts else {},
            )


def _rows_written(entry: Mapping[str, Any]) -> int | None:
    """Rows of the files a commit added, as Delta for Spark says it or as we do."""
    written = (entry.get("operationMetrics") or {}).get("numOutputRows", entry.get(N_ROWS))
    return None if written is None else int(written)
