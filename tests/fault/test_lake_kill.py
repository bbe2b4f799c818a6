"""A run killed in the middle of a write, and the same run again."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.lake import Lake
from sos_spark.machine.processes import process_start
from sos_spark.machine.scratch import PREFIX, Scratch
from sos_spark.tables import PANEL_CELLS

WRITER = """
import sys
from pathlib import Path
from sos_spark.lake.lake import Lake
from sos_spark.machine.session import start_session
from sos_spark.tables import PANEL_CELLS

spark = start_session(master="local[2]", shuffle_partitions=2, driver_memory="1g")
lake = Lake(Path(sys.argv[1]))

def cells(unit, n_rows, pause):
    return spark.range(0, n_rows, 1, 2).selectExpr(
        "'study' AS study_id", "'outcome' AS outcome_id", f"'{unit}' AS unit_id", "CAST(id AS INT) AS period",
        "DATE'2015-04-01' AS period_start", "CAST(NULL AS STRING) AS age_band", "CAST(NULL AS STRING) AS sex",
        "CAST(NULL AS STRING) AS ethnicity", "CAST(NULL AS STRING) AS primary_need",
        f"CAST(1 AS BIGINT) + coalesce(length({pause}), 0) AS n", "CAST(0 AS BIGINT) AS y_sum",
        "CAST(0 AS BIGINT) AS y_sumsq",
    )

lake.overwrite(cells("before", 3, "NULL"), PANEL_CELLS, fingerprint="before")
print("writing", flush=True)
slow = "CAST(java_method('java.lang.Thread', 'sleep', 500L + 0 * id) AS STRING)"
lake.overwrite(cells("after", 200, slow), PANEL_CELLS, fingerprint="after")
print("written", flush=True)
"""


@pytest.mark.slow
def test_a_table_is_whole_after_a_kill_and_the_next_run_waits_for_no_corpse(
    tmp_path: Path, spark: SparkSession
) -> None:
    root = tmp_path / "lake"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(root)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    _wait_for_files_of_an_unfinished_write(root)
    (spilled,) = temporary.glob(f"{PREFIX}*")
    assert stat.S_IMODE(spilled.stat().st_mode) == 0o700
    assert list(spilled.glob("blockmgr-*")), "Spark spills to the private folder"
    assert [path for path in temporary.iterdir() if path != spilled] == []
    java = json.loads((spilled / "owner.lock").read_text())["java_process"]
    os.kill(java, signal.SIGKILL)
    os.kill(writer.pid, signal.SIGKILL)
    assert writer.wait() == -signal.SIGKILL
    assert writer.stdout.read() == ""
    writer.stdout.close()
    # Nobody's child by now: the kernel takes its memory apart before it counts as ended.
    deadline = time.monotonic() + 30
    while process_start(java) is not None and time.monotonic() < deadline:
        time.sleep(0.05)

    assert spilled.exists()
    Scratch(temporary).remove()
    assert list(temporary.iterdir()) == [], "the next start removes what the killed one spilled"

    assert read_arrow(root, PANEL_CELLS)["unit_id"].to_pylist() == ["before"] * 3
    lake = Lake(root)
    assert list(root.glob(".staged-*"))
    again = lake.read(spark, PANEL_CELLS).replace("before", "after")
    version = lake.overwrite(again, PANEL_CELLS, fingerprint="after")
    assert read_arrow(root, PANEL_CELLS)["unit_id"].to_pylist() == ["after"] * 3
    assert lake.overwrite(again, PANEL_CELLS, fingerprint="after") == version
    assert [commit.fingerprint for commit in lake.history(PANEL_CELLS)] == ["after", "before"]
    assert not list(root.glob(".staged-*")), "the next writer removes what the killed one drafted"


def _wait_for_files_of_an_unfinished_write(root: Path) -> None:
    """Until the lake holds a draft's rows that no commit names."""
    deadline = time.monotonic() + 120
    while not list(root.glob(".staged-*/**/*.parquet")):
        assert time.monotonic() < deadline, "the write never began"
        time.sleep(0.05)
