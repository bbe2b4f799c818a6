"""What ships for Airflow and Dagster, as they themselves read it, in an environment of their own."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from sos_spark.config.shipped import private_root
from sos_spark.steps.pipeline import STEPS

pytestmark = [pytest.mark.slow, pytest.mark.long]

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
PYTHON = private_root() / "schedulers" / "bin" / "python"
IMPORTED = """
import importlib.util, json, sys
there = importlib.util.spec_from_file_location("definitions", sys.argv[1])
module = importlib.util.module_from_spec(there)
there.loader.exec_module(module)
"""
AIRFLOW = (
    IMPORTED
    + """
after = {task.task_id: sorted(task.upstream_task_ids) for task in module.dag.topological_sort()}
print(json.dumps(after))
"""
)
DAGSTER = (
    IMPORTED
    + """
module.defs.resolve_job_def("study").execute_in_process()
"""
)
NOTED = '#!/bin/sh\necho "$@" >> "$NOTES"\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a `sos-spark` on its path that notes how it was called."""
    if not PYTHON.exists():
        pytest.skip("no environment of schedulers: run make schedulers")
    noting = tmp_path / "bin" / "sos-spark"
    noting.parent.mkdir()
    noting.write_text(NOTED)
    noting.chmod(0o700)
    return tmp_path


def ran(code: str, path: Path, home: Path) -> str:
    names = ("STUDY", "SOURCE", "LAKE", "OUT", "KEY_FILE", "MASTER")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SOS_SPARK"))}
    clean |= {f"SOS_SPARK_{name}": f"some {name.lower()}" for name in names}
    clean |= {"PATH": f"{home / 'bin'}:{clean['PATH']}", "NOTES": str(home / "notes"), "AIRFLOW_HOME": str(home)}
    clean |= {"DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1"}
    done = subprocess.run([PYTHON, "-c", code, path], env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_airflow_reads_a_task_a_step_each_after_the_one_before(home: Path) -> None:
    told = ran(AIRFLOW, DEPLOY / "airflow" / "sos_spark_dag.py", home)
    before = {step: [earlier] for earlier, step in pairwise(STEPS)}
    assert json.loads(told.splitlines()[-1]) == {STEPS[0]: [], **before}


def test_dagster_calls_the_steps_in_order(home: Path) -> None:
    ran(DAGSTER, DEPLOY / "dagster" / "sos_spark_definitions.py", home)
    called = [line.split() for line in (home / "notes").read_text().splitlines()]
    assert [words[0] for words in called] == list(STEPS)
    assert called[0][1:4] == ["--study", "some", "study"]
