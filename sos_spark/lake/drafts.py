"""Drafts: frames written to a private folder of the lake, to be read by several others, or to become a table's files.

A persisted frame would carry the plan of all it came from into every frame made of it (planning then takes longer than
small lakes' work) and would fill the memory of large ones. The folder is gone when its writer ends; what a killed
process left behind goes when the next one starts.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from sos_spark.places import Place, make_folder, open_whole, remove_tree
from sos_spark.tables.silver import PSEUDONYMS

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

_PREFIX = ".staged"

_NO_DICTIONARY = (*PSEUDONYMS, "person_key", "record_position")
"""Columns whose values hardly repeat: Parquet's writer would fill a dictionary of each and then do without."""


@dataclass(frozen=True)
class Drafts:
    """A folder of drafts, each by a name of its own."""

    folder: Place

    def write(self, rows: DataFrame, name: str, *, part_by: Sequence[str] = ()) -> None:
        """Writes a frame, a folder for each value of the columns `part_by`, which are few."""
        without = {
            f"parquet.enable.dictionary#{column}": "false" for column in _NO_DICTIONARY if column in rows.columns
        }
        writer = rows.write.options(**{"mapreduce.fileoutputcommitter.marksuccessfuljobs": "false", **without})
        if part_by:
            writer = writer.partitionBy(*part_by)
        writer.parquet(str(self.folder / name))

    def write_arrow(self, rows: pa.Table, name: str) -> None:
        """Writes rows in memory, to one file."""
        import pyarrow.parquet as pq

        with open_whole(self.folder / name / f"part-{uuid4()}.parquet") as handle:
            pq.write_table(rows, handle, write_page_checksum=True)

    def keep(self, rows: DataFrame, name: str, *, part_by: Sequence[str] = ()) -> DataFrame:
        """Writes a frame and returns it as read from there, the columns `part_by` last.

        A reader that asks for one value of such a column reads no other rows.
        """
        self.write(rows, name, part_by=part_by)
        return rows.sparkSession.read.schema(rows.schema).parquet(str(self.folder / name))

    def files(self, name: str) -> list[Place]:
        """Returns the Parquet files of a draft."""
        return sorted((self.folder / name).rglob("part-*.parquet"), key=str)


@contextmanager
def drafts(root: Place) -> Iterator[Drafts]:
    """Gives a folder of drafts under a lake's `root`, until the context ends."""
    _remove_leftovers(root)
    folder = root / f"{_PREFIX}-{_host()}-{os.getpid()}-{uuid4().hex[:8]}"
    make_folder(folder)
    try:
        yield Drafts(folder)
    finally:
        remove_tree(folder)


def is_draft(name: str) -> bool:
    """Returns whether a folder of a lake, by its name, holds drafts."""
    return name.startswith(f"{_PREFIX}-")


def remove_drafts(root: Place, *, dry_run: bool) -> int:
    """Removes the drafts of any run of any machine, for one that holds the records alone. Returns how many folders."""
    left: list[Place] = list(root.glob(f"{_PREFIX}-*"))
    if not dry_run:
        for folder in left:
            remove_tree(folder)
    return len(left)


def _remove_leftovers(root: Place) -> None:
    """Removes what processes of this machine that are no more left behind; a living one's is its own."""
    for folder in root.glob(f"{_PREFIX}-{_host()}-*"):
        process = folder.name.split("-")[-2]
        if process.isdigit() and not Path(f"/proc/{process}").exists():
            remove_tree(folder)


def _host() -> str:
    return "".join(letter for letter in socket.gethostname() if letter.isalnum())
