"""Delta's jars: what is locked is what is used."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

import pytest

from sos_spark.errors import EnvironmentFaultError
from sos_spark.machine import jars
from sos_spark.machine.jars import Jar, JarLock, fetch_jars, jar_lock, jars_folder, require_jars

CONTENT = b"a jar"
LOCK = JarLock("4.2.0", (Jar("io.delta", "delta-thing_4.2", "1.0", hashlib.sha256(CONTENT).hexdigest()),))


@pytest.fixture
def lock(monkeypatch: pytest.MonkeyPatch) -> JarLock:
    monkeypatch.setattr(jars, "jar_lock", lambda: LOCK)
    return LOCK


def resolver_that_brings(content: bytes | None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for Spark's resolver, which needs a network. Returns what it was asked for."""
    asked: list[str] = []

    def resolve(lock: JarLock, temporary: Path, cache_folder: Path) -> int:
        asked.extend(jar.coordinates for jar in lock.jars)
        (cache_folder / "jars").mkdir(parents=True)
        if content is not None:
            (cache_folder / "jars" / "io.delta_delta-thing_4.2-1.0.jar").write_bytes(content)
        return 0

    monkeypatch.setattr(jars, "_resolve", resolve)
    return asked


def test_the_lock_is_for_the_spark_and_delta_that_are_locked_for_python() -> None:
    assert jar_lock().spark == version("pyspark")
    assert jar_lock().jars[0].version == version("delta-spark")
    assert jar_lock().jars[0].artifact == f"delta-spark_{'.'.join(version('pyspark').split('.')[:2])}_2.13"


def test_the_jars_of_this_machine_are_the_locked_ones() -> None:
    assert [path.name for path in require_jars(jars_folder())] == [jar.file_name for jar in jar_lock().jars]


def test_an_absent_jar_is_an_error_with_a_remedy(tmp_path: Path, lock: JarLock) -> None:
    with pytest.raises(EnvironmentFaultError, match=r"absent: delta-thing_4\.2-1\.0\.jar") as caught:
        require_jars(tmp_path)
    assert "make setup" in caught.value.remedy


def test_an_altered_jar_is_an_error(tmp_path: Path, lock: JarLock) -> None:
    (tmp_path / lock.jars[0].file_name).write_bytes(b"another jar")
    with pytest.raises(EnvironmentFaultError, match="altered"):
        require_jars(tmp_path)


def test_fetching_keeps_the_jar_and_asks_once(tmp_path: Path, lock: JarLock, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolver_that_brings(CONTENT, monkeypatch)
    (path,) = fetch_jars(tmp_path / "jars")
    assert path.read_bytes() == CONTENT
    assert fetch_jars(tmp_path / "jars") == (path,)
    assert asked == ["io.delta:delta-thing_4.2:1.0"]
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_an_altered_jar_is_fetched_anew(tmp_path: Path, lock: JarLock, monkeypatch: pytest.MonkeyPatch) -> None:
    resolver_that_brings(CONTENT, monkeypatch)
    (tmp_path / lock.jars[0].file_name).write_bytes(b"half a j")
    assert fetch_jars(tmp_path)[0].read_bytes() == CONTENT


def test_what_is_not_what_was_locked_is_thrown_away(
    tmp_path: Path, lock: JarLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver_that_brings(b"something else", monkeypatch)
    with pytest.raises(EnvironmentFaultError, match="not the one that was locked"):
        fetch_jars(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_resolver_that_brings_nothing_is_an_error_with_a_remedy(
    tmp_path: Path, lock: JarLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver_that_brings(None, monkeypatch)
    with pytest.raises(EnvironmentFaultError, match="SOS_SPARK_JARS") as caught:
        fetch_jars(tmp_path)
    assert caught.value.exit_code == 7


def test_the_folder_is_the_environments_where_it_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOS_SPARK_JARS", str(tmp_path))
    assert jars_folder() == tmp_path
    monkeypatch.delenv("SOS_SPARK_JARS")
    assert jars_folder().parts[-2:] == (".sos", "jars")
