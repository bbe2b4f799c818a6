"""Measures what a corrected return, and one more year, cost beside a full run, and compares tables with a rebuild.

    python -m tools.benchmark_change --study STUDY.toml --source DIR --out DIR [--la-code 926] [--threads 2]

`--source` holds flat tables. Its last census year is held back for the second change. In turn: a full run to the panel
of the years before; a run after the return of one authority in the year before has come again with every fiftieth
record left out; a run after the last year has come. Then the same returns are ingested into another lake and everything
is computed at once, and every table of records, quality, outcome and panel is compared row by row. Seconds and CPU
seconds are of whole commands, start of Java and quality suites included. Ends with 1 where a table differs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
from deltalake import DeltaTable
from pyarrow import dataset, parquet

from sos_spark.tables import TABLES
from tools.benchmark.process_tree import Measured, measure

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = 50
"""Of the corrected return one record in so many is left out."""
OF_RUNS = ("dq.results",)
"""Tables that hold a row for each run, not compared."""


def main() -> int:
    """Runs the exercise; see the module's docstring."""
    options = _options()
    out: Path = options.out.absolute()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(mode=0o700, parents=True)
    (out / "key").touch(mode=0o600)
    (out / "key").write_bytes(b"benchmark" * 4)
    years = _years(options.source)
    year, la_code = dataset.field("census_year"), dataset.field("la_code")
    sources = {
        "full": _part(options.source, out / "full", year < years[-1]),
        "corrected": _part(
            options.source,
            out / "corrected",
            (la_code == options.la_code) & (year == years[-2]),
            but_every=LEFT_OUT,
        ),
        "one more year": _part(options.source, out / "year", year == years[-1]),
    }
    took = {name: _run(options, out, "lake", source) for name, source in sources.items()}
    for source in sources.values():
        _command(options, out, "rebuilt", source, last="ingest")
    took["rebuilt"] = _run(options, out, "rebuilt", sources["one more year"])
    whole = took["rebuilt"].seconds
    for name, done in took.items():
        _say(f"{name}: {done.seconds:.1f} s, {done.cpu_seconds:.1f} CPU s, {100 * done.seconds / whole:.0f} % of the"
             f" rebuild's seconds; {_recomputed(done)}")  # fmt: skip
    differing = [name for name in TABLES if name not in OF_RUNS and not _equal(out, name)]
    _say(f"tables that differ from the rebuild: {', '.join(differing) or 'none'}")
    return 1 if differing else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--la-code", default="926")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--driver-memory", default="4g")
    return parser.parse_args()


def _years(source: Path) -> list[int]:
    found = dataset.dataset(source / "tables" / "cin_details").to_table(columns=["census_year"])
    return sorted(found["census_year"].unique().to_pylist())


def _part(source: Path, to: Path, kept: dataset.Expression, *, but_every: int | None = None) -> Path:
    """Writes a source's rows for which a condition holds, but every n-th where asked. Returns the folder."""
    for path in sorted((source / "tables").rglob("*.parquet")):
        rows = dataset.dataset(path).to_table(filter=kept)
        if but_every is not None:
            rows = rows.filter(pa.array([number % but_every != 0 for number in range(rows.num_rows)], pa.bool_()))
        if rows.num_rows:
            written = to / path.relative_to(source)
            written.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            parquet.write_table(rows, written)
    if (source / "truth.json").exists():
        shutil.copy(source / "truth.json", to)
    return to


def _run(options: argparse.Namespace, out: Path, lake: str, source: Path) -> Measured:
    done = _command(options, out, lake, source, last="panel")
    _say(f"{lake}, {source.name}: {done.seconds:.1f} s")
    return done


def _command(options: argparse.Namespace, out: Path, lake: str, source: Path, *, last: str) -> Measured:
    command = [sys.executable, "-m", "sos_spark.cli.main", "run", "--json", "--study", str(options.study), "--to", last]
    command += ["--source", str(source), "--lake", str(out / lake), "--out", str(out / f"{lake}_results")]
    command += ["--key-file", str(out / "key"), "--driver-memory", options.driver_memory]
    command += ["--master", f"local[{options.threads}]"]
    done = measure(command, environment={**os.environ, "PYTHONPATH": str(ROOT)}, errors=out / "stderr")
    if done.exit_code:
        raise SystemExit(f"the run of {source.name} ended with {done.exit_code}; see {out / 'stderr'}")
    return done


def _recomputed(done: Measured) -> str:
    """What each step took, and what it made again."""
    told = []
    for step in json.loads(done.output)["steps"]:
        why = step.get("recomputed")
        told.append(f"{step['step']} {step['seconds']:.1f} s" + (f" ({why})" if why else ""))
    return ", ".join(told)


def _equal(out: Path, name: str) -> bool:
    """Whether a table holds the same rows in both lakes; it may be in neither."""
    folders = [out / lake / name.replace(".", "/", 1) for lake in ("lake", "rebuilt")]
    if not any(folder.exists() for folder in folders):
        return True
    columns = TABLES[name].column_names
    database = duckdb.connect()
    one, other = (
        database.from_arrow(DeltaTable(str(folder)).to_pyarrow_dataset()).select(*columns) for folder in folders
    )
    # Of bags: a row that is there twice is not one that is there once.
    return not any(len(a.except_(b).limit(1).fetchall()) for a, b in ((one, other), (other, one)))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
