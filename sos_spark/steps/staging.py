"""Staging: frames that several others read are written once to a private folder of the lake and read back.

A persisted frame would carry the plan of all it came from into every frame made of it (planning then takes longer than
small lakes' work) and would fill the memory of large ones. Rows are parted by what their readers ask for, so that who
wants a few hundred of millions reads only these. The folder is gone when the step ends; what a killed process
left behind goes when the next one starts.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_PREFIX = ".staged"


@contextmanager
def staging(root: Path, *, part_by: str | None = None) -> Iterator[Callable[[DataFrame], DataFrame]]:
    """Gives a function that writes a frame under `root` at once and returns it as read from there.

    A frame that has the column `part_by`, of few values, is written a folder for each of them; the column then comes
    last, and a reader that asks for one of its values reads no other rows.
    """
    _remove_leftovers(root)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{_host()}-{os.getpid()}-", dir=root))
    numbers = count()

    def stage(rows: DataFrame) -> DataFrame:
        path = str(folder / str(next(numbers)))
        writer = rows.write
        if part_by is not None and part_by in rows.columns:
            writer = writer.partitionBy(part_by)
        writer.parquet(path)
        return rows.sparkSession.read.schema(rows.schema).parquet(path)

    try:
        yield stage
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers(root: Path) -> None:
    """Removes what processes of this machine that are no more left behind; a living one's is its own."""
    for folder in root.glob(f"{_PREFIX}-{_host()}-*"):
        process = folder.name.split("-")[-2]
        if process.isdigit() and not Path(f"/proc/{process}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _host() -> str:
    return "".join(letter for letter in socket.gethostname() if letter.isalnum())
