"""Java's class archive: Spark's and Delta's classes as Java holds them in memory, loaded once and mapped afterwards.

Half of what a small run costs is Java reading and checking some twenty thousand classes. An archive of them is made
when the environment is set up; a session uses it where it fits the Java and the jars, and does without where it does
not. It holds classes and no data.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sos_spark.config.shipped import private_root
from sos_spark.machine.jars import jar_lock, jars_folder, require_jars
from sos_spark.machine.java import find_java

WRITING = "SOS_SPARK_WRITE_CLASSES"
"""Names the environment variable that holds the file an archive is written to, in the process that makes it."""

_PATIENCE_SECONDS = 600
# Java tells of what it cannot archive or map, which is no fault; faults of Java itself are still told.
_QUIET = "-Xlog:disable -Xlog:all=error:stderr"


def archive_path() -> Path:
    """Returns where the archive for this Java, Spark and Delta is, or would be: .sos/java of a checkout."""
    java = find_java()
    release = (java.home / "release").read_bytes() if java and (java.home / "release").exists() else b""
    jars = " ".join(jar.sha256 for jar in jar_lock().jars)
    content = f"{java.home if java else ''} {version('pyspark')} {Path(sys.prefix)} {jars_folder()} {jars}".encode()
    return private_root() / "java" / f"classes-{hashlib.sha256(release + content).hexdigest()[:16]}.jsa"


def java_options() -> Sequence[str]:
    """Returns the options by which Java uses the archive, or writes it; none where there is no archive."""
    if written := os.environ.get(WRITING):
        return (f'"-XX:ArchiveClassesAtExit={written}"', _QUIET)
    archive = archive_path()
    return (f'"-XX:SharedArchiveFile={archive}"', "-Xshare:auto", _QUIET) if archive.exists() else ()


def make_archive() -> bool:
    """Writes the archive, by a small run in a process of its own, and returns whether there is one now.

    What another Java or other jars left behind is removed. A Java that cannot write one is no fault.
    """
    path = archive_path()
    require_jars(jars_folder())
    if path.exists():
        return True
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob("classes-*.jsa"):
        old.unlink()
    with TemporaryDirectory(dir=path.parent) as folder:
        written = Path(folder) / path.name
        command = [sys.executable, "-m", __name__, str(Path(folder) / "table")]
        subprocess.run(
            command,
            env={**os.environ, WRITING: str(written)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
        if written.exists():
            written.replace(path)
    return path.exists()


def _use_classes(folder: str) -> None:
    """Does once what every step does: reads, joins, numbers rows by child and replaces a slice of a Delta table."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    from sos_spark.machine.session import start_session

    spark = start_session(app_name="classes", master="local[1]", shuffle_partitions=2)
    gateway: Any = spark.sparkContext._gateway
    rows = spark.range(1_000).select((F.col("id") % 7).alias("child"), F.col("id").cast("string").alias("text"))
    facts = rows.groupBy("child").agg(F.collect_set("text").alias("texts"), F.count(F.lit(1)).alias("n"))
    latest = F.row_number().over(Window.partitionBy("child").orderBy(F.desc("text")))
    joined = rows.withColumn("rank", latest).join(facts, ["child"], "left").where(F.col("rank") <= 3)
    joined.drop("texts").write.format("delta").partitionBy("rank").save(folder)
    table = spark.read.format("delta").load(folder)
    one = table.where(F.col("rank") == 1)
    one.write.format("delta").mode("overwrite").option("replaceWhere", "rank = 1").save(folder)
    spark.read.format("delta").load(folder).groupBy("rank").agg(F.sha2(F.max("text"), 256)).collect()
    spark.stop()
    # Java ends when nothing more can come from Python, and writes the archive then.
    gateway.proc.stdin.close()
    gateway.proc.wait(_PATIENCE_SECONDS)


if __name__ == "__main__":
    _use_classes(sys.argv[1])
