"""Sessions of Spark Connect, which talk to a server: they have no Java of their own and no Spark context."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


WITHOUT_JAVA = (
    "no Java of this process's own: what fails on the server is told by its kind alone (exit code 1), no tasks are"
    " shown while a step runs, and the log is the server's"
)
"""What a session of Spark Connect does not do, for who asks what is there."""


def is_connect(session: SparkSession) -> bool:
    """Returns whether a session is Spark Connect's."""
    return type(session).__module__.startswith("pyspark.sql.connect")


def tasks_at_once(session: SparkSession) -> int:
    """Returns how many tasks run at once; of Spark Connect, which does not tell, the shuffle partitions."""
    if is_connect(session):
        return int(session.conf.get("spark.sql.shuffle.partitions") or 1)
    return int(session.sparkContext.defaultParallelism)


def silence(session: SparkSession) -> None:
    """Turns Spark's own log off, whose errors quote values. Of Spark Connect the log is its server's affair."""
    if not is_connect(session):
        session.sparkContext.setLogLevel("OFF")
