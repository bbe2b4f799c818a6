"""Measures what Spark takes to move a lake's records as validate must at least, without any of its rules.

    python -m tools.benchmark_engine --lake LAKE --out DIR [--threads 2] [--driver-memory 4g]

Each module that silver is made from is read from bronze, its ids are replaced by pseudonyms, and its rows are brought
together by authority, sorted by child and return, numbered in one window and written once as Parquet: nothing is typed,
joined, judged or counted, and nothing is written twice. That is the least that any plan of validate does on this
engine: what it takes beside the yardstick bounds what a better plan could gain. Seconds and CPU seconds are of the
whole command, start of Java included.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from pyspark.sql import Window
from pyspark.sql import functions as F

from sos_spark.lake.lake import Lake
from sos_spark.machine.session import start_session
from sos_spark.silver.classify import NEEDED_MODULES
from sos_spark.silver.pseudonyms import CHILD, by_authority, key_frame, with_pseudonyms
from sos_spark.tables import BRONZE_MODULES
from tools.benchmark.process_tree import measure

ROOT = Path(__file__).resolve().parents[1]
_KEY = b"benchmark" * 4


def main() -> int:
    """Runs the exercise in a process of its own, and says what it took; see the module's docstring."""
    options = _options()
    if options.itself:
        _move(options)
        return 0
    options.out.mkdir(parents=True, mode=0o700, exist_ok=True)
    done = measure(
        [sys.executable, "-m", "tools.benchmark_engine", "--itself", *sys.argv[1:]],
        environment={**os.environ, "PYTHONPATH": str(ROOT)},
        errors=options.out / "stderr",
    )
    sys.stdout.write(f"{done.output}seconds {done.seconds:.1f}, CPU seconds {done.cpu_seconds:.1f}\n")
    return done.exit_code


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lake", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="where the moved rows are written; emptied at the end")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--driver-memory", default="4g")
    parser.add_argument("--itself", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _move(options: argparse.Namespace) -> None:
    spark = start_session(master=f"local[{options.threads}]", driver_memory=options.driver_memory)
    lake, key = Lake(options.lake), key_frame(spark, _KEY)
    in_order = Window.partitionBy(*CHILD).orderBy(F.desc("census_year"), "file_id", "record_position")
    n_rows = 0
    for module in NEEDED_MODULES:
        named = with_pseudonyms(lake.read_or_empty(spark, BRONZE_MODULES[module]), key)
        rows = by_authority(named).withColumn("position", F.row_number().over(in_order))
        written = options.out / module
        shutil.rmtree(written, ignore_errors=True)
        rows.write.parquet(str(written))
        n_rows += spark.read.parquet(str(written)).count()
        shutil.rmtree(written)
    sys.stdout.write(f"{n_rows:,} records of {len(NEEDED_MODULES)} modules\n")
    spark.stop()


if __name__ == "__main__":
    sys.exit(main())
