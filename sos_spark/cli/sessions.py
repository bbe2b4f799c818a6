"""How a command gets its Spark session: made when first needed, never twice."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from sos_spark.places import Place

_TEXT_FOR_PARQUET = 25
"""How many bytes of XML or CSV hold what one byte of Parquet does."""


def session_starter(
    master: str | None,
    driver_memory: str,
    *,
    source: Place | None = None,
    received: Place | None = None,
    text_bytes: int | None = None,
) -> Callable[[], SparkSession]:
    """Returns a function that starts the session. Under spark-submit the master is spark-submit's.

    A run reads from the folder `source`, and from `received` what came before; `text_bytes`, of XML and CSV, are what
    will be there and is not yet.
    """

    def start() -> SparkSession:
        from sos_spark.machine.connect import silence
        from sos_spark.machine.session import start_session

        submitted = "PYSPARK_GATEWAY_PORT" in os.environ
        session = start_session(
            master=master or (None if submitted else "local[*]"),
            driver_memory=driver_memory,
            to_read=bytes_to_read([source, received]) if text_bytes is None else text_bytes / _TEXT_FOR_PARQUET,
            to_take=bytes_to_read([source]),
        )
        # The executors' own error messages quote values; what failed is told by the command's boundary.
        silence(session)
        return session

    return start


def is_local(master: str | None) -> bool:
    """Returns whether a session will have this machine alone, and is this process's to start."""
    from sos_spark.machine.settings import PLATFORMS

    is_given = "PYSPARK_GATEWAY_PORT" in os.environ or bool(PLATFORMS & os.environ.keys())
    return not is_given and (master is None or re.fullmatch(r"local(\[.*\])?", master) is not None)


class Ahead:
    """A session that is started in a thread of its own while this one does what needs none."""

    def __init__(self, start: Callable[[], SparkSession]) -> None:
        """Takes what starts the session."""
        self._start = start
        self._begun: Future[SparkSession] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the session is there, or on its way."""
        return self._begun is not None

    def begin(self) -> None:
        """Begins to start the session if that starts Java; does nothing a second time."""
        from sos_spark.machine.session import starts_java

        if self._begun is None and starts_java():
            thread = ThreadPoolExecutor(1, thread_name_prefix="session")
            self._begun = thread.submit(self._start)
            thread.shutdown(wait=False)

    def __call__(self) -> SparkSession:
        """Returns the session, once it is there. Errors as those of `start`."""
        if self._begun is None:
            return self._start()
        from sos_spark.machine.session import use_here

        return use_here(self._begun.result())


def bytes_to_read(folders: Sequence[Place | None]) -> float | None:
    """Returns the bytes of the folder that holds most, as Parquet; None if one is of a shared store, or there is none.

    What is read from a source is what the lake gets: folders are not added up.
    """
    local = [folder for folder in folders if isinstance(folder, Path)]
    is_known = bool(local) and len(local) == sum(folder is not None for folder in folders)
    return max(map(_parquet_bytes, local)) if is_known else None


def _parquet_bytes(folder: Path) -> float:
    """The bytes of a folder's files, text counted as the Parquet it would be."""
    sizes = (
        (path, path.stat().st_size) for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")
    )
    return sum(size if path.suffix == ".parquet" else size / _TEXT_FOR_PARQUET for path, size in sizes)
