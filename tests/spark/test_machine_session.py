"""The one session of a process: made, or taken as it is but for what numbers depend on."""

from __future__ import annotations

from pyspark.sql import SparkSession

from sos_spark.machine.session import start_session


def test_a_session_that_was_there_is_pinned_too(spark: SparkSession) -> None:
    spark.conf.set("spark.sql.session.timeZone", "Europe/London")
    spark.conf.set("spark.sql.ansi.enabled", "false")
    assert start_session() is spark
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"
