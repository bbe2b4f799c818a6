"""Settings of a session that the plans of one step need, and that are put back after it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

RECORDS_A_PARTITION = 700_000
"""Records whose columns, all of them, two tasks at once can hold and sort in a heap of 2 GB.

With eight partitions for all of England, 3 million records each, they wrote 1.2 GB of them to disk.
"""
_PARTITIONS = "spark.sql.shuffle.partitions"


@contextmanager
def tuned(session: SparkSession, settings: Mapping[str, str]) -> Iterator[None]:
    """Sets what a step's plans need, and puts back what was there."""
    before = {name: session.conf.get(name) for name in settings}
    for name, value in settings.items():
        session.conf.set(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            session.conf.set(name, str(old))


def parted_for(session: SparkSession, n_records: int) -> dict[str, str]:
    """Returns the settings by which a partition after a shuffle does not grow with the records of a step.

    More partitions than the session has, where these would be too large, never fewer. A step that shuffles small rows,
    or few columns, does without: each partition is a task more in every stage.
    """
    needed, own = math.ceil(n_records / RECORDS_A_PARTITION), session.conf.get(_PARTITIONS) or ""
    # Databricks may say 'auto', and then finds the number itself.
    if not own.isdigit() or needed <= int(own):
        return {}
    # Small ones are put together up to this size as shuffled; Spark's 64 MB are a quarter of a GB in memory.
    return {_PARTITIONS: str(needed), "spark.sql.adaptive.advisoryPartitionSizeInBytes": "16m"}
