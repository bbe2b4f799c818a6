"""The doctor: what is in order, and a remedy for what is not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from pyspark.sql import SparkSession

from sos_spark.machine import doctor
from sos_spark.machine.doctor import Examined, examine
from sos_spark.places import RemotePlace


@pytest.fixture
def no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out what starts Spark."""
    monkeypatch.setattr(doctor, "_session", lambda *_: iter(()))
    for name in ("SOS_SPARK_KEY", "SOS_SPARK_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)


def finding(name: str, *, lake: Path | None = None, key_file: Path | None = None) -> Examined:
    return next(found for found in examine(lake=lake, key_file=key_file) if found.name == name)


def test_a_machine_that_is_set_up_is_in_order(spark: SparkSession, tmp_path: Path) -> None:
    key, lake = tmp_path / "key", tmp_path / "lake"
    key.write_text("k" * 44)
    key.chmod(0o600)
    lake.mkdir(mode=0o700)
    findings = examine(spark=True, lake=lake, key_file=key)
    assert [found.name for found in findings if not found.ok] == []
    assert [found.name for found in findings] == [
        "sos_spark", "Java", "Spark", "Delta jars", "Delta build", "Session", "Python", "Session zone", "Memory",
        "Time zone", "Key", "Lake",
    ]  # fmt: skip


@pytest.mark.usefixtures("no_session")
class TestWithoutSpark:
    """What is found without starting Spark."""

    def test_spark_is_started_on_request_alone(self) -> None:
        assert finding("Session").found == "not tried; --spark starts Spark and tries it"

    def test_a_machine_without_spark_is_told_what_for_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(doctor, "find_spec", lambda _: None)
        assert finding("Spark").ok
        asked = {found.name: found for found in examine(spark=True)}
        assert "sos-spark[spark]" in asked["Spark"].remedy

    def test_jars_that_are_missing_stop_what_needs_them(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOS_SPARK_JARS", str(tmp_path))
        by_name = {found.name: found for found in examine(spark=True)}
        assert not by_name["Delta jars"].ok
        assert "make setup" in by_name["Delta jars"].remedy
        assert not by_name["Session"].ok

    @pytest.mark.parametrize(
        ("content", "mode", "told", "remedy"),
        [
            ("k" * 44, 0o644, "0644", "chmod 600"),
            ("too_few", 0o600, "shorter than 32 bytes", "urandom"),
            (None, 0o600, "cannot be read", "urandom"),
        ],
    )
    def test_a_key_file_out_of_order(
        self, tmp_path: Path, content: str | None, mode: int, told: str, remedy: str
    ) -> None:
        key = tmp_path / "key"
        if content is not None:
            key.write_text(content)
            key.chmod(mode)
        found = finding("Key", key_file=key)
        assert not found.ok
        assert told in found.found
        assert remedy in found.remedy
        assert content is None or content not in found.found + found.remedy

    def test_a_key_in_the_environment_is_not_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SOS_SPARK_KEY", "secret-but-short")
        found = finding("Key")
        assert not found.ok
        assert "secret-but-short" not in found.found + found.remedy

    def test_no_key_is_no_fault_of_the_machine(self) -> None:
        assert finding("Key").ok

    def test_a_lake_that_others_may_enter(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        found = finding("Lake", lake=tmp_path)
        assert not found.ok
        assert found.remedy == f"Run chmod 700 {tmp_path}."

    def test_a_lake_to_be_made_is_in_order(self, tmp_path: Path) -> None:
        assert finding("Lake", lake=tmp_path / "new").ok

    def test_too_little_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(doctor, "_memory_bytes", lambda: 2**30)
        found = finding("Memory")
        assert not found.ok
        assert found.found == "1.0 GB"


def on_cluster(n_executors: int) -> Any:
    """A session of a cluster that has given so many executors."""
    status = SimpleNamespace(size=lambda: 1 + n_executors)
    context = SimpleNamespace(getExecutorMemoryStatus=lambda: status)
    driver = SimpleNamespace(master="spark://host:7077", defaultParallelism=3, _jsc=SimpleNamespace(sc=lambda: context))
    return SimpleNamespace(version="4.2.0", sparkContext=driver)


class TestCluster:
    """What is found on a cluster before a task runs there."""

    def test_executors_that_do_not_come_are_a_fault(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(doctor, "PATIENCE_SECONDS", 0.0)
        with pytest.raises(doctor._WrongError, match="none within 0 seconds on spark://host:7077"):
            doctor._executors(on_cluster(0))

    def test_executors_that_came_are_counted(self) -> None:
        assert doctor._executors(on_cluster(2)) == "2 so far, 3 tasks at once"

    def test_without_a_lake_that_machines_share_no_table_is_tried(self) -> None:
        assert doctor._delta_works(on_cluster(2), None).endswith("no table tried: name the lake")

    def test_a_lake_of_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(doctor._WrongError, match="is no folder of this machine"):
            doctor._delta_works(on_cluster(2), tmp_path / "not there" / "lake")

    def test_a_store_that_spark_has_no_connector_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def without_connector(*_: object) -> NoReturn:
            raise type("ClassNotFoundException", (Exception,), {})

        cluster = on_cluster(2)
        cluster.range = without_connector
        monkeypatch.setattr(doctor, "remove_tree", lambda _: None)
        found = doctor._tried(
            "Session", lambda: doctor._delta_works(cluster, RemotePlace("s3a://bucket/lake")), "other"
        )
        assert found.found == "Spark has no connector for s3a://bucket"
        assert "SOS_SPARK_MORE_JARS" in found.remedy
