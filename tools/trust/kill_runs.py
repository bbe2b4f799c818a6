"""Kills each step at seeded moments, gives the same command again, and compares tables and results.

`python -m tools.trust.kill_runs --out FOLDER [--kills 30] [--first-seed 1]`. The steps take turns. A step starts from
what an undisturbed run left before it and is killed (SIGKILL, with all it started) as soon as it has made a certain
number of files in lake and results, drawn from those that it makes undisturbed, and up to a quarter of a second later:
so the moments do not depend on how fast the machine is. Prints a line for each kill and a table by step; ends with 1
where anything differs from the undisturbed run. The same FOLDER again, with `--first-seed`, goes on from what it keeps
of the undisturbed run, so that thirty kills can be spread over several commands.
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
from dataclasses import asdict, dataclass
from pathlib import Path

from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.versions import version_of
from sos_spark.steps.pipeline import STEPS
from sos_spark.tables import TABLES
from tools.trust.small_lake import SmallLake, make_small_lake

LATER = 0.25
"""A kill comes up to so many seconds after the file that it waits for."""
_OF_RUN = {"run_id", "read_by"}
"""Columns that name a run or the code."""
RESULTS = ("cells.csv", "estimates.csv", "event_study.csv", "flow.csv", "quality.csv", "returns_to_mend.csv")


@dataclass(frozen=True)
class Undisturbed:
    """A step of the undisturbed run: how many files it made, and what the lake and the results held after it."""

    n_files: int
    after: dict[str, str]


def files_of(folder: Path) -> list[Path]:
    """Returns all files below a folder; one that vanishes meanwhile is left out."""
    return [Path(at) / name for at, _, names in os.walk(folder) for name in names]


def contents(folder: Path) -> dict[str, str]:
    """Returns a hash of each table's rows, whatever their order, and of each file of results."""
    lake, out, found = folder / "lake", folder / "out", {}
    for name, table in TABLES.items():
        if version_of(lake, table) is not None and name != "dq.results":
            rows = read_arrow(lake, table)
            kept = rows.select([column for column in rows.column_names if column not in _OF_RUN]).to_pylist()
            lines = sorted(json.dumps(row, sort_keys=True, default=str) for row in kept)
            found[name] = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    files = [out / name for name in RESULTS if (out / name).exists()]
    return found | {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def step_of(small: SmallLake, step: str, folder: str) -> list[str]:
    """Returns the command line of one step on the lake and the results of a folder."""
    return small.command("run", lake=f"{folder}/lake", out=f"{folder}/out", more=["--from", step, "--to", step])


def undisturbed_run(small: SmallLake, step: str) -> Undisturbed:
    """Returns what a step leaves undisturbed: as an earlier command kept it, or else by running it now."""
    kept = small.root / f"{step}.json"
    if kept.exists():
        return Undisturbed(**json.loads(kept.read_text(encoding="utf-8")))
    found = _run_undisturbed(small, step)
    kept.write_text(json.dumps(asdict(found)), encoding="utf-8")
    return found


def _run_undisturbed(small: SmallLake, step: str) -> Undisturbed:
    """Runs the next step undisturbed, and keeps what stood before it in a folder of its name."""
    folder = small.root / "undisturbed"
    if step == STEPS[0]:
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "lake").mkdir(parents=True)
    shutil.rmtree(small.root / step, ignore_errors=True)
    shutil.copytree(folder, small.root / step)
    before = len(files_of(folder))
    small.done(step_of(small, step, "undisturbed"))
    return Undisturbed(len(files_of(folder)) - before, contents(folder))


def kill_at(small: SmallLake, name: str, step: str, n_files: int, later: float) -> bool:
    """Starts a step and kills it once it has made so many files. Returns whether it was still at work then."""
    folder = small.root / name
    n_files += len(files_of(folder))
    running = subprocess.Popen(
        step_of(small, step, name), env=small.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    while running.poll() is None and len(files_of(folder)) < n_files:
        time.sleep(0.02)
    time.sleep(later)
    killed = running.poll() is None
    if killed:
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    return killed


def main() -> None:
    """Runs the whole exercise; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--first-seed", type=int, default=1)
    given = parser.parse_args()
    small = make_small_lake(given.out.absolute())
    undisturbed: dict[str, Undisturbed] = {}
    kills, equal = Counter[str](), Counter[str]()
    for seed in range(given.first_seed, given.first_seed + given.kills):
        draw, step, name = random.Random(seed), STEPS[(seed - 1) % len(STEPS)], f"killed_{seed}"  # noqa: S311 - moments
        for earlier in STEPS[: STEPS.index(step) + 1]:
            if earlier not in undisturbed:
                undisturbed[earlier] = undisturbed_run(small, earlier)
        shutil.rmtree(small.root / name, ignore_errors=True)
        shutil.copytree(small.root / step, small.root / name)
        n_files, expected = draw.randint(1, max(undisturbed[step].n_files, 1)), undisturbed[step].after
        killed = kill_at(small, name, step, n_files, draw.uniform(0, LATER))
        small.done(step_of(small, step, name))
        made = contents(small.root / name)
        differing = sorted(item for item in expected.keys() | made.keys() if expected.get(item) != made.get(item))
        kills[step] += killed
        equal[step] += killed and not differing
        _say(
            f"seed {seed}: {step} {'killed' if killed else 'ended before it was killed,'} after file {n_files} of"
            f" {undisturbed[step].n_files}; {len(expected) - len(differing)} of {len(expected)} tables and files equal"
            + (f"; differ: {', '.join(differing)}" if differing else "")
        )
        shutil.rmtree(small.root / name)
        if differing and not killed:
            sys.exit("a run that was not disturbed differs from the undisturbed run")
    _say("step: kills, of which equal when given again")
    _say("\n".join(f"{step}: {kills[step]}, {equal[step]}" for step in STEPS if kills[step]))
    _say(f"{equal.total()} of {kills.total()} killed steps, given again, equal the undisturbed run")
    sys.exit(1 if equal != kills else 0)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
