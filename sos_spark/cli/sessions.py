"""How a command gets its Spark session: made when first needed, never twice."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from sos_spark.places import Place

FEW_BYTES = 8 << 20
"""Of Parquet, some 800,000 records: below it a run spends more on Java's second compiler than that saves."""
_TEXT_FOR_PARQUET = 25
"""How many bytes of XML or CSV hold what one byte of Parquet does."""


def session_starter(
    master: str | None, driver_memory: str, *, reads: Sequence[Place | None] = ()
) -> Callable[[], SparkSession]:
    """Returns a function that starts the session. Under spark-submit the master is spark-submit's.

    `reads` are the folders that a run reads from; without any, its rows are not taken for few.
    """

    def start() -> SparkSession:
        from sos_spark.machine.connect import silence
        from sos_spark.machine.session import start_session

        submitted = "PYSPARK_GATEWAY_PORT" in os.environ
        session = start_session(
            master=master or (None if submitted else "local[*]"),
            driver_memory=driver_memory,
            is_short=bool(reads) and has_few_rows(reads),
        )
        # The executors' own error messages quote values; what failed is told by the command's boundary.
        silence(session)
        return session

    return start


def has_few_rows(folders: Sequence[Place | None]) -> bool:
    """Returns whether each folder can hold few rows only, by the size of its files; of a shared store it says no."""
    local = [folder for folder in folders if isinstance(folder, Path)]
    is_known = len(local) == sum(folder is not None for folder in folders)
    return is_known and all(_parquet_bytes(folder) < FEW_BYTES for folder in local)


def _parquet_bytes(folder: Path) -> float:
    """The bytes of a folder's files, text counted as the Parquet it would be."""
    sizes = (
        (path, path.stat().st_size) for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")
    )
    return sum(size if path.suffix == ".parquet" else size / _TEXT_FOR_PARQUET for path, size in sizes)
