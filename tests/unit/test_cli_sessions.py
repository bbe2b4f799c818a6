"""What a run reads, by its files: small ones do without Java's second compiler and Spark's code for each plan."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

import pytest
from pyspark.sql import SparkSession

from sos_spark.cli.sessions import Ahead, bytes_to_read, is_local, session_starter
from sos_spark.errors import EnvironmentFaultError
from sos_spark.machine.session import FEW_BYTES, MANY_BYTES, is_below, times_of
from sos_spark.places import place_of


def a_file(path: Path, n_bytes: int) -> Path:
    """A file of that many bytes, none of which is on a disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(n_bytes)
    return path


@pytest.mark.parametrize(
    ("name", "n_bytes", "is_few"),
    [
        ("tables/cin_details/part.parquet", FEW_BYTES - 1, True),
        ("tables/cin_details/part.parquet", FEW_BYTES, False),
        ("cin/201.xml", 10 * FEW_BYTES, True),
        ("cin/201.xml", 30 * FEW_BYTES, False),
    ],
)
def test_a_source_is_small_by_what_its_files_can_hold(tmp_path: Path, name: str, n_bytes: int, is_few: bool) -> None:
    a_file(tmp_path / name, n_bytes)

    assert is_below(FEW_BYTES, bytes_to_read([tmp_path, None, tmp_path / "no lake yet"])) is is_few


def test_a_small_source_for_a_large_lake_is_not_few(tmp_path: Path) -> None:
    a_file(tmp_path / "source" / "part.parquet", FEW_BYTES // 2)
    a_file(tmp_path / "bronze" / "part.parquet", FEW_BYTES)

    assert bytes_to_read([tmp_path / "source"]) == FEW_BYTES // 2
    assert bytes_to_read([tmp_path / "source", tmp_path / "bronze"]) == FEW_BYTES


def test_a_small_source_for_a_large_lake_is_little_to_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []
    monkeypatch.setattr("sos_spark.machine.session.start_session", lambda **settings: asked.append(settings))
    monkeypatch.setattr("sos_spark.machine.connect.silence", lambda _session: None)
    a_file(tmp_path / "source" / "part.parquet", 5)
    a_file(tmp_path / "bronze" / "part.parquet", MANY_BYTES)

    session_starter(None, "1g", source=tmp_path / "source", received=tmp_path / "bronze")()
    session_starter(None, "1g", received=tmp_path / "bronze")()
    session_starter(None, "1g", text_bytes=25 * FEW_BYTES)()

    assert [(one["to_read"], one["to_take"]) for one in asked] == [
        (MANY_BYTES, 5),
        (MANY_BYTES, None),
        (FEW_BYTES, None),
    ]


@pytest.mark.parametrize(
    ("to_read", "to_take", "is_long"),
    [(None, None, False), (MANY_BYTES, None, False), (MANY_BYTES, MANY_BYTES - 1, True), (MANY_BYTES - 1, None, True)],
)
def test_java_s_second_compiler_waits_longer_where_little_is_to_be_done(
    to_read: float | None, to_take: float | None, *, is_long: bool
) -> None:
    assert (times_of(to_read, to_take) > times_of(None, None)) is is_long


def test_nothing_is_said_of_a_shared_store_nor_of_no_folder(tmp_path: Path) -> None:
    assert bytes_to_read([tmp_path, place_of("hdfs://127.0.0.1:1/returns")]) is None
    assert bytes_to_read([None]) is None
    assert not is_below(FEW_BYTES, None)


def test_a_session_starts_beside_what_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sos_spark.machine.session.starts_java", lambda: True)
    monkeypatch.setattr("sos_spark.machine.session.use_here", lambda session: session)
    started: list[str] = []

    def start() -> SparkSession:
        started.append(threading.current_thread().name)
        return cast("SparkSession", "a session")

    ahead = Ahead(start)
    ahead.begin()
    ahead.begin()
    assert [str(ahead()), str(ahead())] == ["a session", "a session"]
    assert len(started) == 1
    assert started[0].startswith("session")


def test_what_a_session_fails_with_is_told_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sos_spark.machine.session.starts_java", lambda: True)

    def start() -> SparkSession:
        raise EnvironmentFaultError("No Java")

    ahead = Ahead(start)
    ahead.begin()
    with pytest.raises(EnvironmentFaultError, match="No Java"):
        ahead()


@pytest.mark.parametrize(
    ("master", "is_ours"), [(None, True), ("local[2]", True), ("local", True), ("local-cluster[2,1,1024]", False),
                            ("spark://127.0.0.1:1", False)],
)  # fmt: skip
def test_a_session_is_local_by_its_master(monkeypatch: pytest.MonkeyPatch, master: str | None, is_ours: bool) -> None:
    assert is_local(master) is is_ours
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    assert not is_local(master)
