"""Staging: frames that several others read are written once to a private folder of the lake and read back.

A persisted frame would carry the plan of all it came from into every frame made of it (planning then takes longer than
small lakes' work) and would fill the memory of large ones. Rows are parted by what their readers ask for, so that who
wants a few hundred of millions reads only these. The folder is gone when the step ends; what a killed process
left behind goes when the next one starts.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from sos_spark.places import Place, make_folder, remove_tree

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_PREFIX = ".staged"


@contextmanager
def staging(root: Place, *, part_by: str | None = None) -> Iterator[Callable[[DataFrame, str], DataFrame]]:
    """Gives a function that writes a frame under `root` at once, by its name, and returns it as read from there.

    A frame that has the column `part_by`, of few values, is written a folder for each of them; the column then comes
    last, and a reader that asks for one of its values reads no other rows.
    """
    _remove_leftovers(root)
    folder = root / f"{_PREFIX}-{_host()}-{os.getpid()}-{uuid4().hex[:8]}"
    make_folder(folder)

    def stage(rows: DataFrame, name: str) -> DataFrame:
        path = str(folder / name)
        writer = rows.write
        if part_by is not None and part_by in rows.columns:
            writer = writer.partitionBy(part_by)
        writer.parquet(path)
        return rows.sparkSession.read.schema(rows.schema).parquet(path)

    try:
        yield stage
    finally:
        remove_tree(folder)


def remove_staged(root: Place, *, dry_run: bool) -> int:
    """Removes what any run of any machine staged, for one that holds the records alone. Returns how many folders."""
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
