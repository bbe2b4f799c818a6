"""What a lake's folder holds beside what its logs say: files that are gone, damaged or foreign, and what can go.

Needs no Spark. A file belongs to a table if any version that the table's log still knows has it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

from sos_spark.lake.drafts import is_draft
from sos_spark.lake.faults import told_reading
from sos_spark.lake.versions import history, table_path, version_of
from sos_spark.places import Place, RemotePlace, make_files_private, n_bytes_of, readable, within
from sos_spark.tables import TABLES, Table

if TYPE_CHECKING:
    from deltalake import DeltaTable

Kind = Literal["missing", "damaged", "unreferenced", "foreign"]
REMEDIES: dict[Kind, str] = {
    "missing": "restore them from a copy of the lake, or make the table anew from its inputs",
    "damaged": "restore them from a copy of the lake, or make the table anew from its inputs",
    "unreferenced": "left by a run that was stopped: `sos-spark lake maintain` takes them away",
    "foreign": "nothing of ours put them there: look at them, and move them out of the lake",
}
"""missing and damaged: files that a version needs. unreferenced: data files of no version. foreign: anything else."""

_OWN_FOLDERS = frozenset({"_delta_log", "_change_data"})


@dataclass(frozen=True)
class FileFault:
    """What is wrong with a table's files, or (table blank) the lake's folder. Foreign files are counted, not named."""

    table: str
    kind: Kind
    n_files: int
    versions: tuple[int, ...] = ()

    def sentence(self) -> str:
        """Returns the fault with its remedy."""
        of = f" of version {', '.join(map(str, self.versions))}" if self.versions else ""
        files = "file is" if self.n_files == 1 else "files are"
        return f"{self.table or 'the lake'}: {self.n_files:,} {files} {self.kind}{of}; {REMEDIES[self.kind]}"


def tables_of(root: Place) -> list[Table]:
    """Returns the declared tables that have content, in the order of their declaration."""
    return [table for table in TABLES.values() if version_of(root, table) is not None]


def verify(root: Place) -> list[FileFault]:
    """Returns what is wrong: every file of every version is looked for, and read whole with its pages' checksums."""
    found: list[FileFault] = []
    declared = [PurePosixPath(within(table_path(root, table), root)) for table in TABLES.values()]
    for table in tables_of(root):
        found += _verify_table(root, table)
    others = [
        name
        for name in _names_below(root)
        if not _is_ours(name) and not any(name.is_relative_to(folder) for folder in declared)
    ]
    # In an object store Hadoop marks a folder in which nothing is left by an object without content.
    left = [name for name in others if is_draft(name.parts[0])]
    n_left = sum(n_bytes_of(root / str(name)) > 0 for name in left)
    for kind, n_files in (("unreferenced", n_left), ("foreign", len(others) - len(left))):
        if n_files:
            found.append(FileFault("", "unreferenced" if kind == "unreferenced" else "foreign", n_files))
    return found


def _names_below(folder: Place) -> Iterator[PurePosixPath]:
    """The files at any depth below a folder, by their paths from it."""
    found: Iterator[Place] = folder.rglob("*")
    return (
        PurePosixPath(within(place, folder)) for place in found if isinstance(place, RemotePlace) or place.is_file()
    )


def _is_ours(relative: PurePosixPath) -> bool:
    """Whether a file outside the tables is one that the lake keeps: its locks, and the truth of simulated returns."""
    return relative.parts[0] == ".locks" or relative.name == "truth.json"


def _verify_table(root: Place, table: Table) -> Iterator[FileFault]:
    folder = table_path(root, table)
    needed = files_of_versions(root, table)
    wrong: dict[Kind, set[str]] = {"missing": set(), "damaged": set()}
    for name, (size, _) in needed.items():
        path = folder / name
        if not path.is_file():
            wrong["missing"].add(name)
        elif n_bytes_of(path) != size or not _reads_whole(path):
            wrong["damaged"].add(name)
    for kind, names in wrong.items():
        if names:
            versions = sorted({version for name in names for version in needed[name][1]})
            yield FileFault(table.name, kind, len(names), tuple(versions))
    others = [
        name
        for name in _names_below(folder)
        if not _OWN_FOLDERS & set(name.parts) and str(name) not in needed and not name.name.endswith(".crc")
    ]
    for kind, is_data in (("unreferenced", True), ("foreign", False)):
        n_files = sum(_is_data(name) == is_data for name in others)
        if n_files:
            yield FileFault(table.name, "unreferenced" if kind == "unreferenced" else "foreign", n_files)


def _is_data(path: PurePosixPath) -> bool:
    """Whether a file is named as Spark and delta-rs name what they write."""
    return path.name.startswith("part-") and path.suffix == ".parquet"


def files_of_versions(root: Place, table: Table) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Returns each file of the versions that the log knows, by its path within the table: size and versions."""
    from deltalake import DeltaTable

    path = table_path(root, table)
    found: dict[str, tuple[int, tuple[int, ...]]] = {}
    with told_reading(f"the log of {table.name}"):
        for commit in history(root, table):
            for name, size in _files(DeltaTable(str(path), version=commit.version)):
                found[name] = (size, (*found.get(name, (size, ()))[1], commit.version))
    return found


def _files(log: DeltaTable) -> Iterator[tuple[str, int]]:
    from urllib.parse import unquote

    import pyarrow as pa

    actions = pa.table(log.get_add_actions(flatten=True))
    for name, size in zip(actions["path"].to_pylist(), actions["size_bytes"].to_pylist(), strict=True):
        yield unquote(name), size


def _reads_whole(path: Place) -> bool:
    """Whether every page of a Parquet file decodes and has the checksum that its writer gave it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(readable(path), page_checksum_verification=True) as file:
            for _ in file.iter_batches():
                pass
    except (pa.ArrowException, OSError, EOFError):
        return False
    return True


def maintain(root: Place, *, keep: dict[str, Collection[int]], older_than_days: int, dry_run: bool) -> dict[str, int]:
    """Removes files of versions that nobody needs, and what stopped runs left. Returns how many by table.

    Args:
        root: The lake's folder.
        keep: Versions by table name whose files stay, as runs to be reproduced name them; the newest always stays.
        older_than_days: Files that went out of use later than that stay too.
        dry_run: Only count.
    """
    from deltalake import DeltaTable

    removed = {}
    for table in tables_of(root):
        path = table_path(root, table)
        with told_reading(f"the log of {table.name}"):
            log = DeltaTable(str(path))
            names = log.vacuum(
                retention_hours=24 * older_than_days,
                dry_run=dry_run,
                enforce_retention_duration=False,
                full=True,
                keep_versions=sorted(keep.get(table.name, ())) or None,
            )
        make_private(path)
        if names:
            removed[table.name] = len(names)
    return removed


def make_private(path: Place) -> None:
    """Takes from others what a library wrote into a table's log with modes of its own."""
    make_files_private(path / "_delta_log")
