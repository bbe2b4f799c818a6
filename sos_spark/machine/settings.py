"""The settings of Spark that numbers depend on."""

from __future__ import annotations

DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.databricks.delta.schema.autoMerge.enabled": "false",
}
"""By which Spark finds Delta in the jars of `machine.jars`: Java takes them when it starts, before there is a lake."""

PINNED = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    **DELTA,
}
"""Neither a cluster's settings nor a caller's change these."""

PLATFORMS = frozenset({"DATABRICKS_RUNTIME_VERSION", "SPARK_REMOTE"})
"""Variables by which a platform says that a session, with a Delta of its own, is to be had from it."""
