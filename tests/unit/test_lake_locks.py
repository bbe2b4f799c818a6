"""Locks: one writer a table, whichever way the other one ends."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sos_spark.errors import ConflictError
from sos_spark.lake import locks
from sos_spark.lake.lake import Lake
from sos_spark.lake.locks import locked, records_held
from sos_spark.machine.processes import process_start
from sos_spark.tables import Column, Table

THINGS = Table("silver.things", "a thing", (Column("name", "STRING"),))
OTHERS = Table("silver.others", "another thing", (Column("name", "STRING"),))

HOLD = """
import sys, time
from pathlib import Path
from sos_spark.lake.locks import locked
from sos_spark.tables import Column, Table
with locked(Path(sys.argv[1]), Table("silver.things", "", (Column("name", "STRING"),)), java_process=None):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def another_holder(root: Path) -> Iterator[subprocess.Popen[str]]:
    """A live process that holds the lock of silver.things."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(root)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


def test_a_table_held_by_a_live_process_is_a_conflict_that_names_it(tmp_path: Path) -> None:
    with another_holder(tmp_path) as holder:
        with pytest.raises(ConflictError) as caught, locked(tmp_path, THINGS, java_process=None):
            pass
        assert caught.value.exit_code == 5
        assert str(holder.pid) in caught.value.found
        assert caught.value.remedy


def test_another_table_is_free(tmp_path: Path) -> None:
    with another_holder(tmp_path), locked(tmp_path, OTHERS, java_process=None):
        assert (tmp_path / ".locks" / "silver.others.lock").exists()


def test_the_lock_of_a_killed_process_does_not_block(tmp_path: Path) -> None:
    with another_holder(tmp_path) as holder:
        holder.kill()
        holder.wait()
        with locked(tmp_path, THINGS, java_process=None):
            left = json.loads((tmp_path / ".locks" / "silver.things.lock").read_text())
    assert left["process"] == os.getpid()


def test_a_patient_writer_gets_its_turn(tmp_path: Path) -> None:
    with another_holder(tmp_path) as holder:
        subprocess.Popen(["sh", "-c", f"sleep 0.5; kill {holder.pid}"])
        with locked(tmp_path, THINGS, java_process=None, patience_seconds=20):
            assert holder.poll() is not None or holder.wait(5) is not None


def test_the_next_holder_waits_for_the_java_process_of_a_killed_one(tmp_path: Path) -> None:
    orphan = subprocess.Popen(["sleep", "1"])
    _leave_behind(tmp_path, orphan.pid, process_start(orphan.pid))
    start = time.monotonic()
    with locked(tmp_path, THINGS, java_process=None):
        assert time.monotonic() - start > 0.5
    assert orphan.wait() == 0


def test_an_orphan_that_does_not_end_is_a_conflict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "ORPHAN_PATIENCE_SECONDS", 0.2)
    orphan = subprocess.Popen(["sleep", "30"])
    try:
        _leave_behind(tmp_path, orphan.pid, process_start(orphan.pid))
        with pytest.raises(ConflictError, match="still be writing"), locked(tmp_path, THINGS, java_process=None):
            pass
    finally:
        orphan.kill()
        orphan.wait()


def test_a_process_id_used_again_is_not_the_orphan(tmp_path: Path) -> None:
    _leave_behind(tmp_path, os.getpid(), (process_start(os.getpid()) or 0) - 1)
    with locked(tmp_path, THINGS, java_process=None):
        pass


def test_a_damaged_lock_file_does_not_block(tmp_path: Path) -> None:
    (tmp_path / ".locks").mkdir()
    (tmp_path / ".locks" / "silver.things.lock").write_text("{half a no")
    with locked(tmp_path, THINGS, java_process=None):
        pass


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), locked(tmp_path, THINGS, java_process=None):
        raise RuntimeError
    with locked(tmp_path, THINGS, java_process=None):
        pass


def test_many_runs_may_read_the_records_and_none_writes_them_meanwhile(tmp_path: Path) -> None:
    reading = records_held(tmp_path, to_write=False)
    another = records_held(tmp_path, to_write=False)
    writing = records_held(tmp_path, to_write=True)
    with reading, another, pytest.raises(ConflictError, match="records"), writing:
        pass


@pytest.mark.parametrize("to_write", [True, False])
def test_a_run_that_writes_the_records_has_them_alone(tmp_path: Path, to_write: bool) -> None:
    other = records_held(tmp_path, to_write=to_write)
    with records_held(tmp_path, to_write=True), pytest.raises(ConflictError), other:
        pass
    with records_held(tmp_path, to_write=to_write):
        pass


def test_a_lake_that_is_not_there_is_not_made_by_reading_it(tmp_path: Path) -> None:
    with Lake(tmp_path / "typo").hold_records(to_write=False):
        assert not (tmp_path / "typo").exists()
    with Lake(tmp_path / "new").hold_records(to_write=True):
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def _leave_behind(root: Path, java_process: int, started: int | None) -> None:
    """A lock file as a killed holder leaves it."""
    (root / ".locks").mkdir()
    left = {"process": 999_999_999, "java_process": java_process, "java_started": started}
    (root / ".locks" / "silver.things.lock").write_text(json.dumps(left))
