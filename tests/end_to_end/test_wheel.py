"""The wheel in an empty environment: a study file, its check, and the published study, without Spark or Java."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ONE_OUTCOME = 'outcomes=[{outcome_id = "rereferral_12m", kind = "published", measure = "rereferral_12m"}]'
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(ROOT))
    subprocess.run([sys.executable, *PIP, *build], check=True, capture_output=True)
    return next(folder.glob("sos_spark-*.whl"))


@pytest.fixture(scope="module")
def empty_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment that holds the wheel and what conf/locks/fit.txt locks, nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    lock = ROOT / "conf" / "locks" / "fit.txt"
    for what in (("--require-hashes", "--requirement", str(lock)), ("--no-deps", "--no-index", str(wheel))):
        subprocess.run([python, *PIP, "install", *what], check=True, capture_output=True)
    return folder / "bin"


def _ran(environment: Path, *arguments: str, where: Path) -> subprocess.CompletedProcess[str]:
    """A command there, with nothing of this checkout or of this machine's Java to be found."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SOS_SPARK", "JAVA"))}
    clean["PATH"] = str(environment)
    command = [str(environment / "sos-spark"), *arguments]
    return subprocess.run(command, cwd=where, env=clean, capture_output=True, text=True, check=False)


def test_the_wheel_carries_conf_and_expectations(wheel: Path) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(wheel)], capture_output=True, text=True, check=True
    )

    for name in (
        "conf/reference/authorities.csv",
        "conf/studies/signs_of_safety.toml",
        "conf/disclosure/dfe-cin.toml",
        "conf/published/cells.csv",
        "conf/published/SOURCES.md",
        "expectations/panel.cells.json",
    ):
        assert f"sos_spark/{name}" in listed.stdout, name


@pytest.mark.slow
def test_the_published_study_needs_neither_spark_nor_java(empty_environment: Path, tmp_path: Path) -> None:
    for arguments in (("--version",), ("study", "new", "mine.toml"), ("study", "check", "mine.toml")):
        done = _ran(empty_environment, *arguments, where=tmp_path)
        assert done.returncode == 0, done.stderr
    few = ("--set", ONE_OUTCOME, "--set", "inference.draws=199", "--set", "inference.permutations=99",
           "--set", "sensitivity={}")  # fmt: skip

    done = _ran(empty_environment, "demo", "--published", "--out", "out", *few, where=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "1.4 more in 100" in done.stdout
    assert "Contains public sector information" in done.stderr
    assert "<h1" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert len((tmp_path / "out" / "bounds.csv").read_text(encoding="utf-8").splitlines()) == 2
    asked = _ran(empty_environment, "run", "--study", "mine.toml", "--source", ".", "--lake", "lake", "--out", "out",
                 where=tmp_path)  # fmt: skip
    assert asked.returncode == 7
    assert "pip install 'sos-spark[spark]'" in asked.stderr
    asked = _ran(empty_environment, "tables", "--out", "out", where=tmp_path)
    assert asked.returncode == 7
    assert "pip install 'sos-spark[tables]'" in asked.stderr
