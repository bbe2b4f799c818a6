"""Runs a small simulated England on Spark's own cluster and compares tables and results with a local run's.

`python -m tools.trust.cluster_runs --out FOLDER [--ways client cluster ...]`. Master and two workers are
on loopback; each step goes through tools/submit.sh with a packed environment, to workers that have Java, Spark and a
bare Python:

- `client`: the driver is here;
- `cluster`: the driver is on a worker, and all steps are one application (jobs/run.py);
- `killed`: validate and outcome as `client`, and in the middle of each a worker dies with its executors; the other
  steps in local mode;
- `secure`: as `client`, by conf/spark/secure.conf; a worker dies in the middle of validate.

There are canaries in the returns, and everything that the servers' and drivers' processes left is searched for them,
for the key and for the cluster's secret; nobody else may read any of it but jars. A worker that dies leaves what it
spilled: only in the way `secure`, which encrypts it, must there be no canary in that either.

A local run comes first. Steps that the folder has from before, local or by a way, are not made again: an exercise that
was stopped goes on. Prints a line for each step and one for each way; ends with 1 where anything differs, or a canary
is found.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sos_spark.steps.pipeline import STEPS
from tools.cluster import Cluster, left_in, standalone
from tools.environment import is_older_than_sources, pack
from tools.trust.canaries import holding, plant_canaries, plant_in_every_field
from tools.trust.kill_runs import contents, files_of
from tools.trust.small_lake import SmallLake, make_small_lake

ROOT = Path(__file__).resolve().parents[2]
WAYS = ("client", "cluster", "killed", "secure")
KILLED = {"killed": {"validate": 0.5, "outcome": 0.4}, "secure": {"validate": 0.5}}
"""By way: steps in which a worker dies, and after which share of the files that the step makes undisturbed."""
SMALL = {
    "spark.executor.memory": "1g", "spark.executor.cores": "1", "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "4", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
}  # fmt: skip
"""Two cores hold master, workers and driver, and the rows are few."""
NOT_OF = {"fit": ("--key-file",)}
"""Options that a step does not take."""
OF_SERVERS = "known_to_servers"
"""The file that holds the secret of a secure cluster."""
SECURE_CONF = ROOT / "conf" / "spark" / "secure.conf"


@dataclass(frozen=True)
class Exercise:
    """The small England, what is shipped, and what is told."""

    small: SmallLake
    environment: Path

    def step(
        self, way: str, step: str, cluster: Cluster, options: list[str], environment: Mapping[str, str], *more: str
    ) -> float:
        """Submits one step and waits for its end; returns its seconds."""
        began = time.monotonic()
        self.ended(self.begin(way, step, cluster, options, environment, *more), f"{way}: {step}")
        return time.monotonic() - began

    def begin(
        self, way: str, step: str, cluster: Cluster, options: list[str], environment: Mapping[str, str], *more: str
    ) -> subprocess.Popen[bytes]:
        """Submits one step by tools/submit.sh, with `more` options; what it says goes to a file beside its lake."""
        folder = self.small.root / way
        command = self.small.command(step, lake=f"{way}/lake", out=f"{way}/out", more=more)
        given = _without(command[command.index(step) + 1 :], "--master", "--driver-memory", *NOT_OF.get(step, ()))
        settings = [text for name, value in SMALL.items() for text in ("--conf", f"{name}={value}")]
        with (folder / "said.txt").open("ab") as said:
            return subprocess.Popen(
                [ROOT / "tools" / "submit.sh", step, "--master", cluster.master, *options, *settings, "--", *given],
                env={**self.small.environment, "SOS_SPARK_ENVIRONMENT": str(self.environment), **environment},
                stdout=said,
                stderr=said,
            )

    def locally(self, step: str, folder: str) -> None:
        """Runs one step in local mode."""
        more = ["--from", step, "--to", step]
        self.small.done(self.small.command("run", lake=f"{folder}/lake", out=f"{folder}/out", more=more))

    @staticmethod
    def ended(step: subprocess.Popen[bytes], name: str) -> None:
        """Waits for a step.

        Raises:
            SystemExit: It failed.
        """
        if step.wait():
            sys.exit(f"{name} ended with {step.returncode}; see said.txt beside its lake, and the workers' folders")


def files_by_step(exercise: Exercise) -> dict[str, int]:
    """Runs the steps in local mode, but those that were; returns how many files each of them made."""
    small, kept = exercise.small, exercise.small.root / "files.json"
    made: dict[str, int] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    for step in STEPS[len(made) :]:
        before, began = len(files_of(small.root / "local")), time.monotonic()
        exercise.locally(step, "local")
        made[step] = len(files_of(small.root / "local")) - before
        kept.write_text(json.dumps(made), encoding="utf-8")
        say(f"local: {step} {time.monotonic() - began:.0f} s, {made[step]} files")
    return made


def run_way(exercise: Exercise, way: str, cluster: Cluster, *, last: str, files: Mapping[str, int]) -> None:
    """Submits the steps in one of the ways, up to the last that is asked for."""
    options = {"cluster": ["--deploy-mode", "cluster"], "secure": ["--properties-file", str(SECURE_CONF)]}.get(way, [])
    environment = {"_SPARK_AUTH_SECRET": cluster.environment.get("_SPARK_AUTH_SECRET", "")} if way == "secure" else {}
    folder = exercise.small.root / way
    if way == "cluster":
        say(f"{way}: run {exercise.step(way, 'run', cluster, options, environment, '--to', last):.0f} s")
        return
    done = folder / "done.txt"
    for step in STEPS[len(done.read_text(encoding="utf-8").split()) if done.exists() else 0 : STEPS.index(last) + 1]:
        if share := KILLED.get(way, {}).get(step):
            begin = partial(exercise.begin, way, step, cluster, options, environment)
            say(f"{way}: {step} {_with_a_loss(begin, folder, cluster, int(files[step] * share))}")
        elif way == "killed":
            exercise.locally(step, way)
        else:
            say(f"{way}: {step} {exercise.step(way, step, cluster, options, environment):.0f} s")
        with done.open("a", encoding="utf-8") as noted:
            noted.write(f"{step}\n")


def _with_a_loss(begin: Callable[[], subprocess.Popen[bytes]], folder: Path, cluster: Cluster, n_files: int) -> str:
    """Runs a step, and kills the worker that came first once the step has made so many files; then another joins.

    Returns:
        How long it took, and when the worker died.

    Raises:
        SystemExit: The step failed, or ended before the worker died.
    """
    began, n_files = time.monotonic(), n_files + len(files_of(folder))
    running = begin()
    while running.poll() is None and len(files_of(folder)) < n_files:
        time.sleep(0.1)
    at_work = running.poll() is None
    number, at = min(cluster.workers), time.monotonic() - began
    cluster.kill_worker(number)
    Exercise.ended(running, str(folder))
    if not at_work:
        sys.exit(f"{folder}: the step ended before the worker died")
    cluster.add_worker()
    return f"{time.monotonic() - began:.0f} s, worker {number} died with its executor after {at:.0f} s"


def _clusters(exercise: Exercise, way: str) -> list[Path]:
    """The folders of the clusters that served a way: one each time the exercise went on, and then the next."""
    folders = sorted(exercise.small.root.glob(f"{way}_cluster_*"))
    return [*folders, exercise.small.root / f"{way}_cluster_{len(folders) + 1}"]


def _cluster_of(exercise: Exercise, way: str, until: ExitStack) -> Cluster:
    folder = _clusters(exercise, way)[-1]
    if way != "secure":
        return until.enter_context(standalone(folder))
    asked = dict(line.split(None, 1) for line in SECURE_CONF.read_text(encoding="utf-8").splitlines() if " " in line)
    own = {
        name: value.strip() for name, value in asked.items() if name.startswith(("spark.authenticate", "spark.network"))
    }
    secret = exercise.small.root / OF_SERVERS
    return until.enter_context(standalone(folder, settings=own, secret=secret.read_text(encoding="utf-8")))


def prepare(root: Path) -> Exercise:
    """Makes the small England with canaries in its returns, and packs the environment, where they are not there yet."""
    fresh = not (root / "returns").is_dir()
    small = make_small_lake(root)
    if fresh:
        plant_canaries(small.returns)
        plant_in_every_field(small.returns, but_of=set(re.findall(r'"(\d{3})"', (root / "study.toml").read_text())))
    if not (root / OF_SERVERS).exists():
        (root / OF_SERVERS).touch(mode=0o600)
        (root / OF_SERVERS).write_text(secrets.token_hex(32), encoding="utf-8")
    environment = root / "sos_spark_environment.zip"
    if is_older_than_sources(environment):
        say(f"environment: {pack(environment) / 1e6:.0f} MB")
    return Exercise(small, environment)


def main() -> None:
    """Runs the whole exercise; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--to", dest="last", choices=STEPS, default=STEPS[-1])
    given = parser.parse_args()
    # A run that is stopped takes its servers along.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    exercise = prepare(given.out.absolute())
    files, failed = files_by_step(exercise), False
    expected = contents(exercise.small.root / "local")
    for way in given.ways:
        (exercise.small.root / way).mkdir(mode=0o700, exist_ok=True)
        began = time.monotonic()
        with ExitStack() as until:
            run_way(exercise, way, _cluster_of(exercise, way, until), last=given.last, files=files)
        say(f"{way}: {time.monotonic() - began:.0f} s")
        whole = given.last == STEPS[-1]
        failed |= is_different(exercise, way, expected, whole=whole) | is_leaking(exercise, way)
    sys.exit(failed)


def is_different(exercise: Exercise, way: str, expected: Mapping[str, str], *, whole: bool) -> bool:
    """Tells how many tables and files are not those of the local run; returns whether any is."""
    made = contents(exercise.small.root / way)
    asked = expected.keys() | made.keys() if whole else made.keys()
    wrong = sorted(item for item in asked if expected.get(item) != made.get(item))
    say(
        f"  {len(asked) - len(wrong)} of {len(asked)} tables and files equal"
        + "".join(f"\n  differs: {n}" for n in wrong)
    )
    return bool(wrong)


def is_leaking(exercise: Exercise, way: str) -> bool:
    """Tells what was left that holds what nobody may read; returns whether that matters in this way."""
    left = [path for cluster in _clusters(exercise, way)[:-1] for path in left_in(cluster)]
    spilled = [path for path in left if "spilled" in path.parts]
    told = [exercise.small.root / way / "said.txt", *(path for path in left if "spilled" not in path.parts)]
    hidden = [(exercise.small.root / name).read_bytes() for name in ("key", OF_SERVERS)]

    def leaking(paths: list[Path]) -> list[Path]:
        found = ((path, path.read_bytes()) for path in paths)
        return [path for path, content in found if holding(content) or any(secret in content for secret in hidden)]

    by_told, by_spilled = leaking(told), leaking(spilled)
    opened = [path for path in left if path.stat().st_mode & 0o077 and path.suffix != ".jar"]
    say(
        f"  canaries, key or secret in {len(by_told)} of {len(told)} files of servers and drivers,"
        f" in {len(by_spilled)} of {len(spilled)} that dead workers spilled;"
        f" {len(opened)} of {len(left)} can be read by others"
        + "".join(f"\n  leak in {path}" for path in (*by_told, *by_spilled))
        + "".join(f"\n  open to others: {path}" for path in opened)
    )
    return bool(by_told or opened) or (way == "secure" and bool(by_spilled))


def _without(options: list[str], *names: str) -> list[str]:
    """The options without those of these names, and their values."""
    pairs = zip(options[::2], options[1::2], strict=True)
    return [text for name, value in pairs if name not in names for text in (name, value)]


def say(text: str) -> None:
    """Writes a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
