"""What the benchmark command measures with: process trees, Spark's event log, medians and the table."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.benchmark.event_log import read_stages, settings, total
from tools.benchmark.process_tree import Measured, Sample, _descendants, _pages_of, _processes, cpu_seconds_of, measure
from tools.benchmark.table import WHOLE, StepRow, as_csv, as_markdown, medians

CHILD = """
import subprocess, sys, time
held = bytearray(60_000_000)
held[::4096] = b"x" * len(held[::4096])
end = time.process_time() + 0.6
while time.process_time() < end:
    pass
time.sleep(0.6)
"""
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}], check=True); print('over')"


def test_a_command_is_measured_with_the_processes_it_starts(tmp_path: Path) -> None:
    before = cpu_seconds_of(os.getpid())
    done = measure([sys.executable, "-c", PARENT], environment=os.environ, errors=tmp_path / "stderr")
    assert done.exit_code == 0
    assert cpu_seconds_of(os.getpid()) - before >= 0.6
    assert done.output == "over\n"
    assert done.cpu_seconds >= 0.6
    assert done.seconds >= 1.2
    assert done.peak_memory >= 60_000_000
    middle = done.started + done.seconds / 2
    parts = done.cpu_between(done.started, middle) + done.cpu_between(middle, done.started + done.seconds)
    assert 0.3 < parts <= done.cpu_seconds + 0.05


def test_what_java_is_about_to_start_holds_no_memory_of_its_own(tmp_path: Path) -> None:
    """Between fork and exec the child has its parent's memory, and the name of the thread that forked."""
    java = shutil.copy(shutil.which("sh") or "", tmp_path / "java")
    with subprocess.Popen([java, "-c", "(read line; true); true"], stdin=subprocess.PIPE) as parent:
        end = time.monotonic() + 10
        while len(tree := _descendants(parent.pid, _processes())) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        parent.communicate(b"\n")
    assert [one.program for one in tree] == ["java", "java"]
    assert _pages_of(tree) == tree[0].pages > 0


def test_what_a_command_says_on_stderr_and_its_exit_code_are_kept(tmp_path: Path) -> None:
    errors = tmp_path / "stderr"
    done = measure([sys.executable, "-c", "import sys; sys.exit('no')"], environment=os.environ, errors=errors)
    assert done.exit_code == 1
    assert errors.read_text() == "no\n"


def test_cpu_seconds_between_two_times_are_read_between_samples() -> None:
    done = Measured(0, "", 100.0, 4.0, 6.0, (Sample(102.0, 4.0, 7), Sample(104.0, 6.0, 9)))
    assert done.cpu_between(100.0, 101.0) == pytest.approx(2.0)
    assert done.cpu_between(101.0, 103.0) == pytest.approx(3.0)
    assert done.cpu_between(103.0, 109.0) == pytest.approx(1.0)
    assert done.peak_between(103.0, 105.0) == 9
    assert done.peak_between(105.0, 106.0) == 0


def test_stages_are_read_from_the_event_log_and_summed_by_time(tmp_path: Path) -> None:
    def stage(ended: int, **metrics: int) -> str:
        accumulables = [
            *({"Name": f"internal.metrics.{name.replace('_', '.')}", "Value": n} for name, n in metrics.items()),
            {"Name": "number of output rows", "Value": "3"},
        ]
        info = {"Completion Time": ended, "Accumulables": accumulables}
        return json.dumps({"Event": "SparkListenerStageCompleted", "Stage Info": info})

    lines = [
        json.dumps({"Event": "SparkListenerLogStart"}),
        stage(1_000, shuffle_write_bytesWritten=5, output_bytesWritten=7),
        stage(2_500, shuffle_write_bytesWritten=11, input_bytesRead=13),
        stage(4_000, output_bytesWritten=17),
    ]
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "events_1").write_text("\n".join(lines) + "\n")
    n, sums = total(read_stages(tmp_path), 1.0, 4.0)
    assert n == 2
    assert (sums.shuffled, sums.written, sums.read, sums.spilled) == (16, 7, 13, 0)


def test_the_settings_name_the_folder_of_events(tmp_path: Path) -> None:
    assert f"spark.eventLog.dir {tmp_path.as_uri()}\n" in settings(tmp_path)


def _runs() -> list[list[StepRow]]:
    return [
        [
            StepRow("yardstick", "outcomes", seconds, 1.0, 10, 100),
            StepRow("yardstick", WHOLE, seconds + 1, 2.0, 10, 2_000_000_000),
            StepRow("project", "outcome", 3 * seconds, 4.0, 20, 300, 5, 1, 2_000_000, 0, 4),
            StepRow("project", WHOLE, 4 * seconds, 5.0, 20, 3_000_000_000),
        ]
        for seconds in (2.0, 9.0, 4.0)
    ]


def test_medians_are_of_each_number_of_each_step() -> None:
    found = {(row.implementation, row.step): row for row in medians(_runs())}
    assert found["yardstick", "outcomes"].seconds == 4.0
    assert found["project", "outcome"].stages == 5
    assert found["project", WHOLE].stages is None


def test_the_csv_holds_every_run_and_the_medians() -> None:
    rows = list(csv.DictReader(as_csv(_runs()).splitlines()))
    assert [row["seconds"] for row in rows if row["step"] == "outcome"] == ["6.0", "27.0", "12.0", "12.0"]
    assert [row["run"] for row in rows if row["step"] == WHOLE] == ["1", "1", "2", "2", "3", "3", "0", "0"]


def test_the_table_sets_steps_side_by_side_with_their_ratio() -> None:
    text = as_markdown(_runs(), conditions={"machine": "two cores"})
    assert "- machine: two cores\n" in text
    assert "| outcomes | 12.0 | 4.0 | 4.0 | 1.0 | 3.00 | 4.00 |\n" in text
    assert "| **whole** | 16.0 | 5.0 | 5.0 | 2.0 | 3.20 | 2.50 |\n" in text
    assert "project 3.0 GB, yardstick 2.0 GB" in text
    assert "| project: outcome | 12.0 | 4.0 | 20 | 0.00 | 5 | 0 | 2 | 0 | 0 |\n" in text
