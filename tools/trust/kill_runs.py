"""Kills runs at seeded moments of every step, gives the same command again, and compares tables and results.

`python -m tools.trust.kill_runs --out FOLDER [--kills 30] [--first-seed 1]`. A run is killed (SIGKILL, with all it
started) as soon as it has made a certain number of files in its lake and results, drawn from all that an undisturbed
run makes, and up to a quarter of a second later: so the moments do not depend on how fast the machine is. Prints a line
for each kill and a table by the step that was killed; ends with 1 where anything differs from the undisturbed run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.versions import version_of
from sos_spark.steps.pipeline import STEPS
from sos_spark.tables import TABLES
from tools.trust.small_lake import SmallLake, done, environment, make_small_lake

LATER = 0.25
"""A kill comes up to so many seconds after the file that it waits for."""
_OF_LAYER = {
    "bronze": "ingest",
    "silver": "validate",
    "quarantine": "validate",
    "cohort": "cohort",
    "outcome": "outcome",
}
_OF_RUN = {"run_id", "read_by"}
"""Columns that name a run or the code."""
RESULTS = ("cells.csv", "estimates.csv", "event_study.csv", "flow.csv", "quality.csv", "returns_to_mend.csv")


def files_of(*folders: Path) -> list[Path]:
    """Returns all files below folders; one that vanishes meanwhile is left out."""
    return [Path(at) / name for folder in folders for at, _, names in os.walk(folder) for name in names]


def contents(lake: Path, out: Path) -> dict[str, str]:
    """Returns a hash of each table's rows, whatever their order, and of each file of results."""
    found = {}
    for name, table in TABLES.items():
        if version_of(lake, table) is not None and name != "dq.results":
            rows = read_arrow(lake, table)
            kept = rows.select([column for column in rows.column_names if column not in _OF_RUN]).to_pylist()
            lines = sorted(json.dumps(row, sort_keys=True, default=str) for row in kept)
            found[name] = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    found |= {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in RESULTS}
    return found


def kill_at(small: SmallLake, name: str, n_files: int, later: float) -> str:
    """Starts a run, kills it once it has made so many files, and returns the step that it was in."""
    lake, out = small.root / name / "lake", small.root / name / "out"
    command = small.command("run", lake=f"{name}/lake", out=f"{name}/out")
    running = subprocess.Popen(
        command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while running.poll() is None and len(files_of(lake, out)) < n_files:
        time.sleep(0.02)
    time.sleep(later)
    step = step_of(lake, out)
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        return step
    return "after its end"


def step_of(lake: Path, out: Path) -> str:
    """Returns the step that was at work, by the newest file that it left."""
    newest = max(files_of(lake, out), key=lambda path: path.stat().st_mtime, default=None)
    if newest is None:
        return "ingest"
    if out in newest.parents:
        return "report" if newest.suffix in (".html", ".svg", ".png") else "fit"
    layer, *rest = newest.relative_to(lake).parts
    if layer == "panel" or (layer == "outcome" and rest[:1] == ["flow"]):
        return "panel"
    return "ingest" if layer == "dq" and not (lake / "silver").exists() else _OF_LAYER.get(layer, "validate")


def main() -> None:
    """Runs the whole exercise; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--first-seed", type=int, default=1)
    given = parser.parse_args()
    small = make_small_lake(given.out.absolute())
    undisturbed = small.root / "undisturbed"
    if not (undisturbed / "out" / "report.html").is_file():
        shutil.rmtree(undisturbed, ignore_errors=True)
        done(small.command("run", lake="undisturbed/lake", out="undisturbed/out"))
    expected = contents(undisturbed / "lake", undisturbed / "out")
    n_files = len(files_of(undisturbed / "lake", undisturbed / "out"))
    kills, parted = Counter[str](), 0
    for seed in range(given.first_seed, given.first_seed + given.kills):
        draw = random.Random(seed)  # noqa: S311 - moments, not secrets
        name = f"killed_{seed}"
        shutil.rmtree(small.root / name, ignore_errors=True)
        step = kill_at(small, name, draw.randint(1, n_files), draw.uniform(0, LATER))
        done(small.command("run", lake=f"{name}/lake", out=f"{name}/out"))
        made = contents(small.root / name / "lake", small.root / name / "out")
        differing = sorted(item for item in expected.keys() | made.keys() if expected.get(item) != made.get(item))
        kills[step] += 1
        parted += bool(differing)
        _say(f"seed {seed}: killed in {step}; {len(made) - len(differing)} of {len(expected)} tables and files equal"
             + (f"; differ: {', '.join(differing)}" if differing else ""))  # fmt: skip
        shutil.rmtree(small.root / name)
    _say("step: kills\n" + "\n".join(f"{step}: {kills[step]}" for step in (*STEPS, "after its end") if kills[step]))
    _say(f"{given.kills - parted} of {given.kills} killed runs, given again, equal the undisturbed run")
    sys.exit(1 if parted else 0)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
