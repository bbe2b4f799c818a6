"""The archive of Java's classes: used where it is this Java's and these jars', done without where there is none."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sos_spark.machine import class_archive


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private folder of its own, with jars that are as locked."""
    monkeypatch.setattr(class_archive, "private_root", lambda: tmp_path)
    monkeypatch.setattr(class_archive, "require_jars", lambda folder: ())
    monkeypatch.delenv(class_archive.WRITING, raising=False)
    return tmp_path


def writes(monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> list[Path]:
    """Has the process that makes the archive write this, or nothing; returns the files it was told to write."""
    told: list[Path] = []

    def run(command: list[str], *, env: dict[str, str], **others: object) -> subprocess.CompletedProcess[bytes]:
        told.append(Path(env[class_archive.WRITING]))
        if content is not None:
            told[-1].write_bytes(content)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return told


def test_without_an_archive_java_starts_as_ever(root: Path) -> None:
    assert not class_archive.java_options()


def test_an_archive_is_made_once_and_used(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = writes(monkeypatch, b"classes")

    assert class_archive.make_archive()
    assert class_archive.make_archive()

    path = class_archive.archive_path()
    assert [len(told), path.parent, path.read_bytes()] == [1, root / "java", b"classes"]
    assert f'"-XX:SharedArchiveFile={path}"' in class_archive.java_options()
    assert [child.name for child in path.parent.iterdir()] == [path.name]


def test_an_archive_of_other_jars_is_not_used_and_goes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes(monkeypatch, b"classes")
    class_archive.make_archive()
    old = class_archive.archive_path()
    monkeypatch.setattr(class_archive, "jars_folder", lambda: root / "other jars")

    assert not class_archive.java_options()
    assert class_archive.make_archive()
    assert [old.exists(), class_archive.archive_path().exists()] == [False, True]


def test_a_java_that_writes_none_is_no_fault(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes(monkeypatch, None)

    assert not class_archive.make_archive()
    assert not class_archive.java_options()


def test_the_process_that_makes_it_is_told_where(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(class_archive.WRITING, "/somewhere/new.jsa")

    assert '"-XX:ArchiveClassesAtExit=/somewhere/new.jsa"' in class_archive.java_options()
