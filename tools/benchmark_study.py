"""Runs a study by the project and by the yardstick, one after the other, and writes a table of what each step took.

    python -m tools.benchmark_study --study STUDY.toml --source DIR --out DIR [--repeat 3] [--check]

The yardstick is the same study from the same flat tables in DuckDB and pyfixest (tests/oracle/yardstick). Both are run
`--repeat` times in turn, so that both meet the same machine; the table holds medians, benchmark.csv every run. Seconds
of the project's steps are its own (--json), those of the yardstick too; CPU seconds and memory are of all processes of
each command. CPU seconds of a step of the project, and its memory, are read from samples every quarter of a second.
`--check` compares the two results, row by row, cell by cell and estimate by estimate, and ends with 1 if they differ.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from tools.benchmark.event_log import read_stages, settings, total
from tools.benchmark.process_tree import Measured, measure
from tools.benchmark.table import WHOLE, StepRow, as_csv, as_markdown

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Runs both and writes benchmark.csv and benchmark.md; returns the exit code."""
    options = _options()
    out: Path = options.out
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = _key(out / "key")
    load = [os.getloadavg()[0]]
    runs = []
    for number in range(1, options.repeat + 1):
        rows = _yardstick(options, key, out / "yardstick")
        rows += _project(options, key, out / "project")
        load.append(os.getloadavg()[0])
        runs.append(rows)
        # After each: who stops it has what was measured.
        (out / "benchmark.csv").write_text(as_csv(runs), encoding="utf-8")
        table = as_markdown(runs, conditions=_conditions(options, load))
        (out / "benchmark.md").write_text(table, encoding="utf-8")
        _say(f"run {number} of {options.repeat} is over")
    _say((out / "benchmark.md").read_text(encoding="utf-8"))
    return _check(out) if options.check else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, required=True, help="a study file")
    parser.add_argument("--source", type=Path, required=True, help="a folder with flat tables")
    parser.add_argument("--out", type=Path, required=True, help="the folder to work in and to write the tables to")
    parser.add_argument("--repeat", type=int, default=3, help="how often both are run; the table holds medians")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="cores for each")
    parser.add_argument("--driver-memory", default="2g", help="the project's option of that name, and its default")
    parser.add_argument("--check", action="store_true", help="compare the results of both, too")
    return parser.parse_args()


def _yardstick(options: argparse.Namespace, key: Path, out: Path) -> list[StepRow]:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(mode=0o700)
    command = [sys.executable, "-m", "tests.oracle.yardstick", "--study", str(options.study)]
    command += ["--source", str(options.source), "--out", str(out), "--key-file", str(key)]
    done = _measured([*command, "--threads", str(options.threads)], {}, out)
    rows = [
        StepRow(
            "yardstick", step["step"], step["seconds"], step["cpu_seconds"], step["rows"],
            done.peak_between(step["started"], step["started"] + step["seconds"]),
        )
        for step in json.loads((out / "steps.json").read_text(encoding="utf-8"))
    ]  # fmt: skip
    return [*rows, _whole("yardstick", done, rows)]


def _project(options: argparse.Namespace, key: Path, out: Path) -> list[StepRow]:
    shutil.rmtree(out, ignore_errors=True)
    for name in ("", "events", "conf"):
        (out / name).mkdir(mode=0o700)
    (out / "conf" / "spark-defaults.conf").write_text(settings(out / "events"), encoding="utf-8")
    command = [sys.executable, "-m", "sos_spark.cli.main", "run", "--json", "--study", str(options.study)]
    command += ["--source", str(options.source), "--lake", str(out / "lake"), "--out", str(out / "results")]
    command += ["--key-file", str(key), "--driver-memory", options.driver_memory]
    done = _measured(
        [*command, "--master", f"local[{options.threads}]"], {"SPARK_CONF_DIR": str(out / "conf")}, out
    )  # fmt: skip
    stages = read_stages(out / "events")
    rows = []
    for step in json.loads(done.output)["steps"]:
        start, seconds = step["started"], step["seconds"]
        n_stages, sums = total(stages, start, start + seconds)
        rows.append(
            StepRow(
                "project", step["step"], seconds, round(done.cpu_between(start, start + seconds), 2),
                sum(step["rows"].values()), done.peak_between(start, start + seconds), n_stages, sums.read,
                sums.shuffled, sums.spilled, sums.written,
            )
        )  # fmt: skip
    return [*rows, _whole("project", done, rows)]


def _whole(implementation: str, done: Measured, rows: list[StepRow]) -> StepRow:
    made = sum(row.rows for row in rows)
    return StepRow(
        implementation, WHOLE, round(done.seconds, 2), round(done.cpu_seconds, 2), made, done.peak_memory
    )  # fmt: skip


def _measured(command: list[str], environment: Mapping[str, str], out: Path) -> Measured:
    done = measure(command, environment={**os.environ, "PYTHONPATH": str(ROOT), **environment}, errors=out / "stderr")
    if done.exit_code:
        raise SystemExit(f"{' '.join(command[2:4])} ended with {done.exit_code}; see {out / 'stderr'}")
    return done


def _key(path: Path) -> Path:
    """A key that only these simulated returns are named with; the same in each run."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(b"benchmark" * 4)
    return path


def _conditions(options: argparse.Namespace, load: list[float]) -> dict[str, str]:
    size = sum(path.stat().st_size for path in options.source.rglob("*.parquet"))
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "source": f"{options.source.name}, {size / 1e6:.0f} MB of Parquet; study {options.study.name}",
        "machine": f"{_processor()}, {options.threads} threads of {os.cpu_count()}, {_memory():.0f} GB,"
        f" {platform.system()} {platform.release()}",
        "load average before, and after each run": ", ".join(f"{one:.1f}" for one in load),
        "versions": f"code {commit}, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("pyspark", "delta-spark", "duckdb", "pyfixest")),
        "runs": f"{len(load) - 1}, the yardstick first each time; medians",
        "not in the yardstick": "rules of severity warning, the copy in bronze, suites, Delta, inference beyond CR1,"
        " the report",
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _check(out: Path) -> int:
    from tests.oracle.yardstick_comparison import results_differ

    found = results_differ(out / "project" / "lake", out / "project" / "results", out / "yardstick")
    _say("\n".join(found) if found else "every row, cell and estimate is the same")
    return 1 if found else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
