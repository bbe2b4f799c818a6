"""Drafts come back equal, and their folder is gone afterwards, whoever made it."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from chispa import assert_df_equality
from pyspark.sql import SparkSession

from sos_spark.lake import drafts as drafts_module
from sos_spark.lake.drafts import drafts


def test_a_frame_comes_back_as_it_was_from_a_private_folder(spark: SparkSession, tmp_path: Path) -> None:
    rows = spark.createDataFrame([("a", 1, None), ("b", None, ["x"])], "child STRING, n INT, codes ARRAY<STRING>")

    with drafts(tmp_path) as drafted:
        assert_df_equality(drafted.keep(rows, "rows"), rows, ignore_row_order=True)
        [folder] = tmp_path.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    assert list(tmp_path.iterdir()) == []


def test_a_reader_of_one_fate_reads_no_row_of_another(spark: SparkSession, tmp_path: Path) -> None:
    rows = spark.createDataFrame(
        [("a", "silver", 1), ("b", "quarantined", 2), ("c", "silver", 3)], "c STRING, fate STRING, n INT"
    )

    with drafts(tmp_path) as drafted:
        staged = drafted.keep(rows, "rows", part_by=("fate",))
        assert_df_equality(staged, rows, ignore_row_order=True, ignore_column_order=True)
        wanted = staged.where("fate = 'quarantined'")
        plan = wanted._jdf.queryExecution().executedPlan().toString()
        assert re.search(r"PartitionFilters: \[[^]]*fate", plan)
        assert [tuple(row) for row in wanted.select("c", "n").collect()] == [("b", 2)]


def test_the_folder_goes_when_the_step_fails(spark: SparkSession, tmp_path: Path) -> None:
    def a_step_that_fails() -> None:
        with drafts(tmp_path) as drafted:
            drafted.keep(spark.range(1), "rows")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        a_step_that_fails()

    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_process_left_goes_and_what_a_living_one_holds_stays(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = {who: f".staged-{drafts_module._host()}-{who}-x" for who in (ended.pid, os.getppid())}
    for name in names.values():
        (tmp_path / name).mkdir()

    with drafts(tmp_path):
        held = {path.name for path in tmp_path.iterdir()}

    assert names[ended.pid] not in held
    assert names[os.getppid()] in held
