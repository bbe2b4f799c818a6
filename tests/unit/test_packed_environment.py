"""The one file that brings the package to a cluster: what is in it, and that a bare Python runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pyspark
import pytest

from sos_spark.machine.session import _joined
from tools import environment


def test_it_holds_what_a_step_uses_and_neither_spark_nor_tools() -> None:
    names = {packed.metadata["Name"].lower().replace("_", "-") for packed in environment.needed()}
    assert names >= {"sos-spark", "pyarrow", "deltalake", "great-expectations", "obstore", "statsmodels", "pytz"}
    assert not names & {"pytest", "mypy", "duckdb"}
    spark = next(packed for packed in environment.needed() if packed.metadata["Name"] == "pyspark")
    assert [name for name, _, _ in environment._files_of(spark)] == [
        f"packages/pyspark-{pyspark.__version__}.dist-info/METADATA"
    ]


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the package alone, and no jars."""
    own = [packed for packed in environment.needed() if packed.metadata["Name"] == "sos-spark"]
    monkeypatch.setattr(environment, "needed", lambda: own)
    monkeypatch.setattr(environment, "require_jars", lambda _: ())
    environment.pack(tmp_path / "environment.zip")
    return tmp_path / "environment.zip"


def test_a_python_runs_it_from_where_it_unpacked_itself(packed: Path, tmp_path: Path) -> None:
    there = tmp_path / "work"
    there.mkdir()
    path = os.pathsep.join([f"{sys.base_prefix}/bin", os.environ["PATH"]])
    others = next(folder for folder in sys.path if folder.endswith("site-packages"))
    done = subprocess.run(
        [sys.executable, packed, "study", "new", "mine.toml"],
        cwd=there, env={"PATH": path, "PYTHONPATH": others}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (there / "mine.toml").exists()
    assert (there / "environment" / "packages" / "sos_spark" / "conf" / "reference").is_dir(), "its own, of no checkout"


def test_the_same_sources_make_the_same_bytes(packed: Path, tmp_path: Path) -> None:
    environment.pack(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()
    with zipfile.ZipFile(packed) as file:
        assert len(file.namelist()) == len(set(file.namelist()))


def test_a_driver_that_was_started_from_it_ships_it_as_an_archive_only() -> None:
    given = {
        "spark.jars": "file:/shared/environment.jar,/elsewhere/delta-spark.jar",
        "spark.archives": "file:/shared/environment.zip#environment",
    }
    jars = [Path("/jars/delta-spark.jar"), Path("/jars/delta-storage.jar")]
    assert _joined(given, jars) == "/elsewhere/delta-spark.jar,/jars/delta-storage.jar"
