"""The whole study, step by step, timed: flat tables in; Parquet, cells.csv, estimates.csv and steps.json out."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb

from tests.oracle.yardstick import observed, outcomes, silver, source
from tests.oracle.yardstick.study import Study, Variant, read_study


class Steps:
    """Runs steps and keeps when each began, its wall and CPU seconds (of all threads) and its rows."""

    def __init__(self) -> None:
        self.done: list[dict[str, object]] = []

    def run(self, name: str, step: Callable[[], int]) -> None:
        """Runs a step, which returns the rows it made."""
        started, wall, cpu = time.time(), time.perf_counter(), time.process_time()
        rows = step()
        self.done.append(
            {
                "step": name,
                "started": started,
                "seconds": round(time.perf_counter() - wall, 3),
                "cpu_seconds": round(time.process_time() - cpu, 3),
                "rows": rows,
            }
        )


def run_data(
    source_folder: Path, study: Study, out: Path, *, key: bytes, steps: Steps, threads: int = 2
) -> duckdb.DuckDBPyConnection:
    """Runs the study from flat tables to cells.csv. Returns the database, which holds every table of it."""
    (out / "silver").mkdir(parents=True, exist_ok=True)
    db = duckdb.connect(config={"threads": threads, "preserve_insertion_order": False})
    fields = source.open_tables(db, source_folder)

    def names() -> int:
        source.name_children(db, fields, key)
        silver.start_records(db)
        return _rows(db, "child_names")

    steps.run("pseudonyms", names)
    for name in silver.STEPS:
        steps.run(name, partial(_silver, db, name, fields, out))

    def cohort() -> int:
        observed.make_units(db, study)
        observed.make_coverage(db, study)
        observed.make_doubt(db)
        outcomes.prepare(db, study)
        for table in ("ledger", "rule_counts", "coverage"):
            db.execute(f"COPY {table} TO '{out / f'{table}.csv'}' (HEADER)")
        return _rows(db, "coverage")

    steps.run("observed", cohort)
    steps.run("outcomes", lambda: sum(_index_rows(db, study, variant, out) for variant in study.variants))
    steps.run("cells", lambda: outcomes.write_cells(db, study, out / "cells.csv"))
    return db


def rows_for_fits(db: duckdb.DuckDBPyConnection, study: Study, out: Path) -> dict[str, str]:
    """Returns the query of each variant's analysed rows: unit_id, period, period_start, y and the covariates."""
    db.execute("CREATE TYPE unit AS ENUM (SELECT DISTINCT unit_id FROM cells ORDER BY unit_id)")
    levels = [f"{outcomes.level(name)} AS {name}" for name in study.covariates]
    columns = ", ".join(["unit_id::unit AS unit_id", "period", "period_start", "y::DOUBLE AS y", *levels])
    return {
        variant.outcome_id: f"SELECT {columns} FROM '{out / 'index_rows' / f'{variant.outcome_id}.parquet'}'"
        " WHERE reason IS NULL"
        for variant in study.variants
    }


def run_fits(db: duckdb.DuckDBPyConnection, study: Study, out: Path, steps: Steps) -> None:
    """Fits every specification on the index rows that were written, and writes estimates.csv."""
    # Imported here: pyfixest compiles for seconds, which the data part does not wait for.
    from tests.oracle.yardstick.fits import fit_all

    def fits() -> int:
        estimates = fit_all(db, study, rows_for_fits(db, study, out))
        estimates.to_csv(out / "estimates.csv", index=False)
        return len(estimates)

    steps.run("fits", fits)


def _silver(db: duckdb.DuckDBPyConnection, step: str, fields: dict[str, source.Fields], out: Path) -> int:
    before = _received(db)
    silver.make_step(db, step, fields, out)
    return _received(db) - before


def _index_rows(db: duckdb.DuckDBPyConnection, study: Study, variant: Variant, out: Path) -> int:
    outcomes.make_index_rows(db, study, variant, out)
    return _rows(db, "index_rows")


def _rows(db: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def _received(db: duckdb.DuckDBPyConnection) -> int:
    return int(db.execute("SELECT coalesce(sum(n_received), 0) FROM ledger").fetchall()[0][0])


def main() -> None:
    """Runs the yardstick from a shell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", type=Path, required=True, help="a study file")
    parser.add_argument("--source", type=Path, required=True, help="a folder with tables/<module>/*.parquet")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--key-file", type=Path, required=True, help="the pseudonym key")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of DuckDB")
    parser.add_argument("--to", choices=("cells", "fits"), default="fits", help="the last step")
    options = parser.parse_args()
    study, steps = read_study(options.study), Steps()
    key = options.key_file.read_bytes().rstrip(b"\r\n")
    db = run_data(options.source, study, options.out, key=key, steps=steps, threads=options.threads)
    if options.to == "fits":
        run_fits(db, study, options.out, steps)
    (options.out / "steps.json").write_text(json.dumps(steps.done, indent=2) + "\n", encoding="utf-8")
    for step in steps.done:
        sys.stdout.write(f"{step['step']:<16}{step['seconds']:>9} s{step['cpu_seconds']:>9} cpu{step['rows']:>12,}\n")


if __name__ == "__main__":
    main()
