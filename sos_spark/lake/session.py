"""Spark sessions: one a run, with Delta, UTC, ANSI and no address but loopback unless a cluster says otherwise."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def jars_folder() -> Path:
    """Returns where Delta's jars are: SOS_SPARK_JARS, else .sos/jars of the checkout."""
    return Path(os.environ.get("SOS_SPARK_JARS") or Path(__file__).resolve().parents[2] / ".sos" / "jars")


def start_session(
    *,
    app_name: str = "sos_spark",
    master: str | None = None,
    shuffle_partitions: int = 8,
    driver_memory: str = "2g",
    extra: dict[str, str] | None = None,
) -> SparkSession:
    """Returns the one Spark session of this process, made if there is none."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if master is None or master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    jars = sorted(str(path) for path in jars_folder().glob("delta-*.jar"))
    settings = {
        "spark.jars": ",".join(jars),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.shuffle.partitions": str(shuffle_partitions),
        "spark.ui.enabled": "false",
        "spark.driver.memory": driver_memory,
        "spark.driver.extraJavaOptions": "-XX:+UseParallelGC -Duser.timezone=UTC",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": "8",
        "spark.sql.files.ignoreCorruptFiles": "false",
        "spark.sql.files.ignoreMissingFiles": "false",
        **(extra or {}),
    }
    builder = SparkSession.builder.appName(app_name)
    if master:
        builder = builder.master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
