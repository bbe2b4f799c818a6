"""manifest.json: what made a run's numbers, so that anyone can say whether two runs should agree."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sos_spark.config.load import fingerprint
from sos_spark.config.shipped import checkout_root, conf_root
from sos_spark.places import Place
from sos_spark.steps.context import Run
from sos_spark.steps.results import write_result
from sos_spark.tables import TABLES

PACKAGES = ("pyspark", "delta-spark", "pandas", "numpy", "statsmodels", "great_expectations")


def write_manifest(run: Run) -> Place:
    """Writes manifest.json to the run's results. Steps run earlier into the same folder keep their entries."""
    path = run.out / "manifest.json"
    write_result(path, json.dumps(manifest(run, _earlier_steps(path)), indent=2, sort_keys=True, default=str) + "\n")
    return path


def manifest(run: Run, earlier: dict[str, Any]) -> dict[str, Any]:
    """Returns the manifest of a run; `earlier` holds the steps of an earlier run into the same folder."""
    study = run.study
    steps = {
        report.step: {"rows": report.rows, "warnings": report.warnings, "refused": report.refused, **report.facts}
        for report in run.reports
    }
    return {
        "run_id": run.run_id,
        **made_by(),
        "study": None
        if study is None
        else {"study_id": study.study_id, "fingerprint": fingerprint(study), "seed": study.inference.seed},
        "frozen_plan": None if run.frozen is None else asdict(run.frozen),
        "tables": table_versions(run),
        "steps": {**earlier, **steps},
    }


def made_by() -> dict[str, Any]:
    """Returns the code, lock, packages and Python that are running."""
    return {
        "code": {"version": _version("sos-spark"), "commit": _commit()},
        "lock_sha256": _sha256(conf_root() / "locks" / "python.txt"),
        "packages": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
    }


def table_versions(run: Run) -> dict[str, int]:
    """Returns the version of each table of the run's lake that has content; none without a lake."""
    if run.environment.lake is None:
        return {}
    versions = {name: run.lake.version(table) for name, table in TABLES.items()}
    return {name: number for name, number in versions.items() if number is not None}


def earlier_seconds(out: Place) -> dict[str, float]:
    """Returns the seconds that steps took when a folder of results was last written to, by name."""
    steps = _earlier_steps(out / "manifest.json")
    return {name: told["seconds"] for name, told in steps.items() if isinstance(told.get("seconds"), float | int)}


def _earlier_steps(path: Place) -> dict[str, Any]:
    try:
        steps = json.loads(path.read_text())["steps"]
    except (OSError, ValueError, KeyError):
        return {}
    return steps if isinstance(steps, dict) else {}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit of a checkout, with '+' where its files were changed; None elsewhere."""
    root = checkout_root()
    if root is None or not (root / ".git").exists():
        return None
    try:
        commit = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12"],
            capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return commit.stdout.strip()


def _sha256(path: Place) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
