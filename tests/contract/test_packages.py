"""What holds for the whole tree: imports, names that must not stand in code, and what the locks say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sos_spark.config.load import load_study
from sos_spark.config.reference import authorities
from sos_spark.config.shipped import conf_root

ROOT = conf_root().parent
SOURCES = sorted((ROOT / "sos_spark").rglob("*.py"))


def test_imports_go_one_way() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "package",
    ["sos_spark.fit", "sos_spark.report", "sos_spark.release.release", "sos_spark.config", "sos_spark.tables"],
)
def test_packages_without_spark_import_none(package: str) -> None:
    code = f"import sys, {package}; print(sorted({{'pyspark', 'delta', 'great_expectations'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_study_stands_in_the_code() -> None:
    studies = [load_study(path) for path in (conf_root() / "studies").glob("*.toml")]
    codes = {pilot.la_code for study in studies for pilot in study.pilots}
    names = {study.study_id for study in studies} | {authorities()[code].name for code in codes}
    # A code in quotes; a row rule's DfE number (dfe="926") is no LA.
    pattern = re.compile(rf"{'|'.join(sorted(names))}|(?<!dfe=)[\"']({'|'.join(sorted(codes))})[\"']")
    found = {str(path.relative_to(ROOT)): match[0] for path in SOURCES if (match := pattern.search(_code_of(path)))}
    assert found == {}


def test_no_file_grows_past_its_reading() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > 450} == {}


def test_locks_hold_hashes_and_name_no_registry() -> None:
    for lock in sorted((conf_root() / "locks").glob("*.txt")):
        text = lock.read_text()
        assert "://" not in text, lock.name
        packages = re.findall(r"^[a-z0-9].*==", text, flags=re.MULTILINE)
        assert packages
        assert len(re.findall(r"== ?\S+.*\\$", text, flags=re.MULTILINE)) == len(packages), lock.name


def _code_of(path: Path) -> str:
    """The source without its docstrings and comments, where a name may stand as an example."""
    text = re.sub(r'"""[\s\S]*?"""', "", path.read_text())
    return "\n".join(line.partition("  #")[0] for line in text.splitlines() if not line.lstrip().startswith("#"))
