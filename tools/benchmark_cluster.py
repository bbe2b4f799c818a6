"""Times a study on two workers of one core and in local mode with two threads, and compares the results.

    python -m tools.benchmark_cluster --study STUDY.toml --source DIR --out DIR [--where local cluster]

The cluster is Spark's own, on loopback, with a packed environment (tools/cluster.py, tools/environment.py); all steps
are one application, by tools/submit.sh. Seconds are of the whole command; CPU seconds of all its processes and of the
workers' (those start before the clock, as the environment is packed before); bytes from Spark's event log. `--where`
runs one of both, so that each may have a machine to itself: what the other took is read from the folder. Ends with 1 if
results differ.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path

from tools.benchmark.event_log import read_stages, settings
from tools.benchmark.process_tree import Measured, cpu_seconds_of, measure
from tools.cluster import Cluster, standalone
from tools.environment import is_older_than_sources, pack

ROOT = Path(__file__).resolve().parents[1]
WHERE = ("local", "cluster")
SAME = ("cells.csv", "estimates.csv", "estimates.json", "event_study.csv", "flow.csv", "sensitivity.csv", "quality.csv")
"""Results that must be the same, byte for byte."""
DRIVER_MEMORY = {"local": "4g", "cluster": "2g"}
"""In local mode the driver is all of Spark."""
EXECUTOR_MEMORY, WORKER_MEMORY = "3g", "4g"
REAPED_SECONDS = 5.0
"""How long a worker may take to note that its executor has ended."""


def main() -> int:
    """Runs what is asked for, says what it took, and compares what is there; returns the exit code."""
    options = _options()
    out: Path = options.out.absolute()
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = out / "key"
    key.touch(mode=0o600)
    key.write_bytes(b"benchmark" * 4)
    for where in options.where:
        _run(options, out / where, where, key)
    told = {where: out / where / "took.json" for where in WHERE}
    for where, file in told.items():
        if file.exists():
            _say(f"{where}: {file.read_text(encoding='utf-8')}")
    if not all(file.exists() for file in told.values()):
        return 0
    here, there = (out / where / "results" for where in WHERE)
    differing = [name for name in SAME if (here / name).read_bytes() != (there / name).read_bytes()]
    _say(f"results that differ, of {len(SAME)}: {', '.join(differing) or 'none'}")
    return 1 if differing else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--where", nargs="+", choices=WHERE, default=list(WHERE))
    return parser.parse_args()


def _run(options: argparse.Namespace, folder: Path, where: str, key: Path) -> None:
    """Runs the study from nothing in one of the ways, and notes what it took."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("", "events", "conf"):
        (folder / name).mkdir(mode=0o700)
    (folder / "conf" / "spark-defaults.conf").write_text(settings(folder / "events"), encoding="utf-8")
    places = {
        "--study": options.study, "--source": options.source, "--lake": folder / "lake", "--out": folder / "results",
        "--key-file": key,
    }  # fmt: skip
    given = [text for option, path in places.items() for text in (option, str(path.absolute()))]
    load = os.getloadavg()[0]
    if where == "local":
        command = [sys.executable, "-m", "sos_spark.cli.main", "run", *given, "--json", "--master", "local[2]"]
        done = _measured([*command, "--driver-memory", DRIVER_MEMORY[where]], folder, {})
        of_servers = 0.0
    else:
        environment = folder.with_name("sos_spark_environment.zip")
        if is_older_than_sources(environment):
            pack(environment)
        with standalone(folder / "servers", memory=WORKER_MEMORY) as cluster:
            submit = [str(ROOT / "tools" / "submit.sh"), "run", "--master", cluster.master]
            submit += ["--driver-memory", DRIVER_MEMORY[where], "--executor-memory", EXECUTOR_MEMORY]
            submit += ["--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.driver.bindAddress=127.0.0.1"]
            before = _of_servers(cluster)
            done = _measured([*submit, "--", *given, "--json"], folder, {"SOS_SPARK_ENVIRONMENT": str(environment)})
            time.sleep(REAPED_SECONDS)
            of_servers = _of_servers(cluster) - before
    stages = read_stages(folder / "events")
    took = {
        "seconds": round(done.seconds, 1),
        "cpu_seconds": round(done.cpu_seconds + of_servers, 1),
        "steps": _seconds_of_steps(folder / "results" / "manifest.json"),
        "shuffled_megabytes": round(sum(stage.shuffled for stage in stages) / 1e6, 1),
        "spilled_megabytes": round(sum(stage.spilled for stage in stages) / 1e6, 1),
        "stages": len(stages),
        "load_before": round(load, 1),
    }
    (folder / "took.json").write_text(json.dumps(took), encoding="utf-8")


def _seconds_of_steps(manifest: Path) -> dict[str, float]:
    """What each step took by the run's own manifest: spark-submit prints more than a run's JSON."""
    steps = json.loads(manifest.read_text(encoding="utf-8"))["steps"]
    return {name: round(step["seconds"], 1) for name, step in steps.items()}


def _measured(command: list[str], folder: Path, environment: dict[str, str]) -> Measured:
    beside = {"PYTHONPATH": str(ROOT), "SPARK_CONF_DIR": str(folder / "conf"), **environment}
    done = measure(command, environment={**os.environ, **beside}, errors=folder / "stderr")
    if done.exit_code:
        sys.exit(f"{folder.name}: the run ended with {done.exit_code}; see {folder / 'stderr'}")
    return done


def _of_servers(cluster: Cluster) -> float:
    """CPU seconds of the workers so far, with those of executors that have ended."""
    return sum(cpu_seconds_of(worker.pid) for worker in cluster.workers.values())


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
