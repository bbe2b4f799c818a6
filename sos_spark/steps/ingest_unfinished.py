"""What an ingest that was killed left behind: rows in some module tables, and no word of it in bronze.files.

The same ingest again finds its own fingerprint and goes on. Another one (the source was changed in between) first takes
those tables back to the version before, so that no LA-year holds rows of two returns.
"""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import SparkSession

from sos_spark.errors import ConflictError
from sos_spark.lake.lake import Lake
from sos_spark.lake.versions import Commit
from sos_spark.machine.workers import Session
from sos_spark.tables import BRONZE_MODULES, FILES, Table

FINGERPRINT_PREFIX = "ingest:"


def undo_unfinished(session: Session, lake: Lake, *, continuing: str) -> list[str]:
    """Takes back what unfinished ingests wrote, but for that of `continuing`. Returns the names of the tables.

    Raises:
        ConflictError: The version to go back to is no longer there.
    """
    files = lake.history(FILES) if lake.exists(FILES) else ()
    known = {commit.fingerprint for commit in files} | {continuing}
    finished_at = files[0].at if files else None
    undone = []
    for table in BRONZE_MODULES.values():
        if lake.exists(table) and lake.fingerprint(table) not in known:
            history = lake.history(table)
            unfinished = _unfinished(history, known, finished_at)
            if unfinished:
                _take_back(session(), lake, table, history, unfinished)
                undone.append(table.name)
    return undone


def _unfinished(
    history: tuple[Commit, ...], known: set[str | None], finished_at: datetime | None
) -> tuple[Commit, ...]:
    """The newest commits that an ingest made which bronze.files does not know, later than the last it does know.

    Older logs are cleaned away, so an unknown fingerprint alone says little; the time does.
    """
    unfinished = []
    for commit in history:
        is_ingest = (commit.fingerprint or "").startswith(FINGERPRINT_PREFIX)
        if not is_ingest or commit.fingerprint in known or (finished_at is not None and commit.at < finished_at):
            break
        unfinished.append(commit)
    return tuple(unfinished)


def _take_back(
    spark: SparkSession, lake: Lake, table: Table, history: tuple[Commit, ...], unfinished: tuple[Commit, ...]
) -> None:
    earlier = history[len(unfinished) :]
    fingerprint = f"undo of {unfinished[-1].fingerprint}"
    if not earlier:
        lake.overwrite(spark.createDataFrame([], table.schema()), table, fingerprint=fingerprint)
        return
    try:
        before = lake.read(spark, table, version=earlier[0].version)
        lake.overwrite(before, table, fingerprint=fingerprint)
    except ConflictError:
        raise
    except Exception as error:
        raise ConflictError(
            "An ingest was killed, and what it wrote cannot be taken back",
            where=table.name,
            expected=f"version {earlier[0].version}, from before it",
            found=type(error).__name__,
            remedy="Run the same ingest on the same source again, or start a new lake",
        ) from None
