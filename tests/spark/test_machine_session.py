"""The one session of a process: made, or taken as it is but for what numbers depend on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pyspark import SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sos_spark.errors import EnvironmentFaultError
from sos_spark.machine.connect import tasks_at_once
from sos_spark.machine.session import start_session, starts_java, use_here


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


def test_java_is_asked_once_for_a_function(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    java: Any = spark.sparkContext._jvm
    asked: list[str] = []
    send = java._gateway_client.send_command

    def told(command: str, *args: Any, **options: Any) -> Any:
        asked.append(command)
        return send(command, *args, **options)

    F.lit(1), F.col("a")
    monkeypatch.setattr(java._gateway_client, "send_command", told)
    columns = [F.lit(2), F.col("b"), F.col("a") == 3]
    kinds = [command[0] for command in asked if not command.startswith("m")]
    # Calls ("c"), that of the comparison among them, and nothing asked by reflection ("r").
    assert kinds == ["c"] * 4
    rows = spark.range(1).select(F.lit(5).alias("b"), F.lit(3).alias("a")).select(*columns).collect()
    assert [tuple(row) for row in rows] == [(2, 5, True)]


def test_a_session_is_this_threads_own_where_another_started_it(spark: SparkSession) -> None:
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(lambda: use_here(spark)).result() is spark
        assert thread.submit(SparkSession.getActiveSession).result() is not None


def test_java_is_started_only_where_there_is_none(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not starts_java()
    monkeypatch.setattr(SparkContext, "_active_spark_context", None)
    assert starts_java()
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    assert not starts_java()
