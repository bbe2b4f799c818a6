"""House rules that a reader relies on: jobs without logic, tables that are declared, a README that is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sos_spark.steps.pipeline import STEPS
from sos_spark.tables import TABLES

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", [*STEPS, "run", "doctor"])
def test_what_a_cluster_runs_has_a_job_without_logic(command: str) -> None:
    job = (ROOT / "jobs" / f"{command}.py").read_text(encoding="utf-8")
    assert f'main(["{command}", *sys.argv[1:]])' in job
    assert len(job.splitlines()) < 12


def test_every_file_the_readme_names_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:conf|tools|jobs|sos_spark|expectations)/[\w./-]*)`", readme)
    named += re.findall(r"\]\(([\w./-]+)\)", readme)
    assert named
    for name in named:
        assert (ROOT / name).exists(), name


def test_every_table_says_its_grain_and_its_key_is_of_its_columns() -> None:
    for table in TABLES.values():
        assert table.grain
        assert set(table.key) | set(table.partition_by) <= set(table.column_names), table.name


def test_only_places_and_what_is_of_one_machine_know_paths() -> None:
    """Lake, returns and results may lie elsewhere: who asks a path, copies or removes must ask `sos_spark.places`."""
    of_this_machine = {"drafts.py": "looks for processes", "reproduce.py": "makes a run again in a folder of its own"}
    packages = ("bronze", "silver", "cohort", "outcome", "panel", "lake", "steps", "release", "comparison", "report")
    for package in packages:
        for file in (ROOT / "sos_spark" / package).rglob("*.py"):
            if file.name not in of_this_machine:
                text = file.read_text(encoding="utf-8")
                found = re.findall(r"^(?:import shutil|import tempfile|from pathlib import .*\bPath\b.*)$", text, re.M)
                assert found in ([], ["from pathlib import Path, PurePath"]), f"{file}: {found}"
