"""The one session of a process: made, or taken as it is but for what numbers depend on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from sos_spark.errors import EnvironmentFaultError
from sos_spark.machine.connect import tasks_at_once
from sos_spark.machine.session import start_session


def test_a_session_that_was_there_is_pinned_too(spark: SparkSession) -> None:
    spark.conf.set("spark.sql.session.timeZone", "Europe/London")
    spark.conf.set("spark.sql.ansi.enabled", "false")
    assert start_session() is spark
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"


def test_a_platform_gives_its_own_session(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Databricks does, in a process where none is active yet: no jars of ours, no catalog, no master."""
    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "18.0")
    monkeypatch.setenv("SOS_SPARK_JARS", "/nowhere")
    assert start_session(master="local[7]") is spark


def test_a_platform_that_lets_nothing_be_set_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, value: str) -> None:
        raise PySparkException(errorClass="NOT_IMPLEMENTED", messageParameters={"feature": name})

    refusing = SimpleNamespace(conf=SimpleNamespace(set=refuse))
    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: refusing)
    with pytest.raises(EnvironmentFaultError, match=r"spark\.sql\.session\.timeZone"):
        start_session()


def test_of_spark_connect_the_shuffle_partitions_tell_how_many_tasks_there_are(spark: SparkSession) -> None:
    class Client:
        conf = spark.conf

    assert tasks_at_once(spark) == spark.sparkContext.defaultParallelism
    Client.__module__ = "pyspark.sql.connect.session"
    assert tasks_at_once(cast("SparkSession", Client())) == int(spark.conf.get("spark.sql.shuffle.partitions") or 0)
