"""Disks that are full or read-only, and files damaged under a run: an exit code, the table or file, and no value."""

from __future__ import annotations

import hashlib
import subprocess
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.cli.main import main
from sos_spark.errors import EnvironmentFaultError, InputError, SosError
from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.lake import Lake
from sos_spark.machine.faults import SparkFaultError, faults_told
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.pipeline import PlannedStep, run_steps
from sos_spark.steps.results import write_result
from sos_spark.tables import CIN_MODULES, FILES, PANEL_CELLS
from tests.builders import frame
from tests.sources import a_child, a_referral, cin_xml, put, run_ingest

SECRET = "SECRET1"
Mount = Callable[[str], Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """A function that gives a disk of its own of some size, where this machine lets us mount one."""
    with ExitStack() as mounted:

        def of_size(size: str) -> Path:
            folder = tmp_path / f"disk {len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            done = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)],
                capture_output=True, check=False,
            )  # fmt: skip
            if done.returncode:
                pytest.skip("a small disk cannot be mounted here")
            mounted.callback(subprocess.run, ["umount", "-l", str(folder)], check=True)
            return folder

        yield of_size


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


def cells(spark: SparkSession, n_rows: int = 1) -> DataFrame:
    """Rows of panel.cells whose text does not compress."""
    row = {
        "study_id": SECRET, "outcome_id": "o", "unit_id": "926", "period": 0, "n": 1, "y_sum": 0,
        "period_start": date(2015, 4, 1),
    }  # fmt: skip
    one = frame(spark, PANEL_CELLS, [row])
    many = one.crossJoin(spark.range(n_rows)).withColumn("unit_id", F.sha2(F.col("id").cast("string"), 512))
    return many.select(*PANEL_CELLS.column_names)


def said(caught: pytest.ExceptionInfo[BaseException]) -> str:
    return "".join(traceback.format_exception(caught.value))


def fill(disk: Path) -> None:
    """Leaves no room."""
    with suppress(OSError), (disk / "ballast").open("wb", buffering=0) as handle:
        while True:
            handle.write(b"0" * 4096)


def test_a_write_on_a_full_disk_names_its_table(spark: SparkSession, mount: Mount) -> None:
    disk = mount("2m")
    lake = Lake(disk / "lake")
    lake.overwrite(cells(spark), PANEL_CELLS, fingerprint="before")
    with pytest.raises(EnvironmentFaultError, match="The disk is full") as caught:
        lake.overwrite(cells(spark, 100_000), PANEL_CELLS, fingerprint="after")
    assert "panel.cells" in caught.value.where
    assert caught.value.exit_code == 7
    assert SECRET not in said(caught)
    assert read_arrow(lake.root, PANEL_CELLS).num_rows == 1


def test_a_lock_on_a_full_disk_names_its_table(spark: SparkSession, mount: Mount) -> None:
    disk = mount("1m")
    lake = Lake(disk / "lake")
    lake.root.mkdir(mode=0o700)
    fill(disk)
    with pytest.raises(EnvironmentFaultError, match="The disk is full") as caught:
        lake.overwrite(cells(spark), PANEL_CELLS, fingerprint="1")
    assert "panel.cells" in caught.value.where


def test_a_read_only_lake_is_told(spark: SparkSession, mount: Mount) -> None:
    disk = mount("4m")
    lake = Lake(disk / "lake")
    lake.overwrite(cells(spark), PANEL_CELLS, fingerprint="before")
    with read_only(disk):
        assert lake.read(spark, PANEL_CELLS).count() == 1
        with pytest.raises(EnvironmentFaultError, match="read-only") as caught:
            lake.overwrite(cells(spark, 2), PANEL_CELLS, fingerprint="after")
    assert "panel.cells" in caught.value.where


def test_results_on_a_full_disk_are_named_and_the_manifest_hides_nothing(mount: Mount) -> None:
    disk = mount("64k")
    with pytest.raises(EnvironmentFaultError, match="The disk is full") as caught:
        write_result(disk / "estimates.csv", "0" * 100_000)
    assert caught.value.where.endswith("/estimates.csv")
    assert list(disk.iterdir()) == []


def test_a_fit_on_a_full_disk_ends_with_7_and_the_files_name(
    mount: Mount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk = mount("64k")
    fill(disk)
    panel = tmp_path / "cells.csv"
    panel.write_text(
        "study_id,outcome_id,unit_id,period,period_start,n,y_sum,y_sumsq\n"
        + "".join(
            f"signs_of_safety,rereferral_nfa_6m,{unit},{period},{2013 + period // 4}-{1 + 3 * (period % 4):02}-01,"
            f"{50 + unit % 7},{10 + (unit + period) % 5},{10 + (unit + period) % 5}\n"
            for unit in (926, *range(301, 312))
            for period in range(12)
        )
    )
    study = tmp_path / "study.toml"
    study.write_text(
        """schema_version = 1
study_id = "signs_of_safety"
title = "t"
[window]
baseline = ["2013-01-01", "2014-07-01"]
follow_up = ["2014-07-01", "2016-01-01"]
period = "quarter"
data_ends = "2016-03-31"
[[pilots]]
la_code = "926"
go_live = 2014-07-01
[comparators]
kind = "all"
[[outcomes]]
outcome_id = "rereferral_nfa_6m"
kind = "rereferral_nfa"
[covariates]
categorical = []
[inference]
draws = 99
permutations = 99
"""
    )
    assert main(["fit", "--study", str(study), "--panel", str(panel), "--out", str(disk / "out")]) == 7
    told = capsys.readouterr().err
    assert "The disk is full" in told
    assert str(disk / "out") in told
    assert "Traceback" not in told


def test_a_damaged_file_of_the_lake_is_named(spark: SparkSession, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.overwrite(cells(spark), PANEL_CELLS, fingerprint="1")
    (damaged,) = lake.path(PANEL_CELLS).rglob("part-*.parquet")
    damaged.write_bytes(b"PAR1" + b"x" * 100 + b"PAR1")
    for checksum in lake.path(PANEL_CELLS).rglob(".part*.crc"):
        checksum.unlink()
    with pytest.raises(InputError) as caught:
        read_arrow(lake.root, PANEL_CELLS)
    assert damaged.name in caught.value.where

    with pytest.raises(InputError) as caught, faults_told("step fit"):
        lake.read(spark, PANEL_CELLS).collect()
    assert damaged.name in caught.value.where
    with pytest.raises(InputError) as caught:
        lake.overwrite(lake.read(spark, PANEL_CELLS), PANEL_CELLS, fingerprint="2")
    assert damaged.name in caught.value.where


def test_a_damaged_log_is_named(tmp_path: Path, spark: SparkSession) -> None:
    lake = Lake(tmp_path / "lake")
    lake.overwrite(cells(spark), PANEL_CELLS, fingerprint="1")
    for log in (lake.path(PANEL_CELLS) / "_delta_log").glob("*.json"):
        log.write_text("{")
    with pytest.raises(InputError, match="missing or damaged") as caught:
        lake.version(PANEL_CELLS)
    assert "panel.cells" in caught.value.where


def test_of_a_source_file_that_changes_under_the_ingest_what_was_hashed_is_taken(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, lake = tmp_path / "source", tmp_path / "lake"
    path = put(source / "cin" / "a.xml", cin_xml(a_child("C1", a_referral())))
    content, take = path.read_bytes(), Lake.take_files

    def meddled(self: Lake, *given: object, **named: object) -> int:
        path.write_text(cin_xml(a_child("C2", a_referral())))
        return take(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Lake, "take_files", meddled)
    run_ingest(spark, source, lake)
    assert path.read_bytes() != content
    assert [row["LAchildID"] for row in read_arrow(lake, CIN_MODULES["cin_details"]).to_pylist()] == ["C1"]
    (file,) = read_arrow(lake, FILES).to_pylist()
    assert file["file_sha256"] == hashlib.sha256(content).hexdigest()


def test_a_fault_of_spark_names_the_table_and_the_condition_and_no_value(spark: SparkSession, tmp_path: Path) -> None:
    broken = cells(spark).withColumn("y_sum", F.expr("CAST(study_id AS BIGINT)"))
    with pytest.raises(SparkFaultError) as caught:
        Lake(tmp_path / "lake").overwrite(broken, PANEL_CELLS, fingerprint="1")
    assert "panel.cells" in caught.value.where
    assert "CAST_INVALID_INPUT" in caught.value.found
    assert SECRET not in said(caught)


def test_an_unreadable_file_within_a_step_is_an_input_and_named(tmp_path: Path) -> None:
    source = tmp_path / "source"
    missing = source / "cin" / "a.xml"
    with pytest.raises(InputError) as caught, faults_told("step ingest", source=source):
        missing.read_bytes()
    assert str(missing) in caught.value.where


def test_a_manifest_that_cannot_be_written_does_not_hide_why_the_run_failed(
    mount: Mount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sos_spark.config.environment import Environment
    from sos_spark.steps import pipeline

    def failing(run: Run) -> StepReport:
        raise InputError("The panel is faulty")

    monkeypatch.setattr(pipeline, "step_function", lambda name: failing)
    monkeypatch.setattr(pipeline, "_require", lambda run, steps: None)
    disk = mount("64k")
    fill(disk)
    run = Run("r", Environment(out=disk / "out"), None, lambda: pytest.fail("no session"))

    @contextmanager
    def silent(name: str) -> Iterator[list[StepReport]]:
        yield []

    with pytest.raises(SosError, match="The panel is faulty"):
        run_steps(run, [PlannedStep("fit", None)], while_step=silent)
