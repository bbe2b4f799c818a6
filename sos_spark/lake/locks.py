"""One writer a table: local file systems give Delta no atomic put-if-absent between processes.

On a file system that machines share a lock is a lease (`leases`). On this machine it is an advisory lock of the system
on a small file beside the tables, so it ends with its process whichever way that ends. A killed Python leaves its Java
process alive for a moment, and that one may still be committing; the file therefore names the Java process, and the
next holder waits for it to be gone.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from sos_spark.lake.faults import conflict
from sos_spark.lake.leases import Lease, leased
from sos_spark.machine.processes import opened_privately, process_start
from sos_spark.places import Place, RemotePlace
from sos_spark.tables import Table

ORPHAN_PATIENCE_SECONDS = 30.0
_FOLDER = ".locks"
_RECORDS = "the lake's records"


@contextmanager
def locked(root: Place, table: Table, *, java_process: int | None, patience_seconds: float = 0.0) -> Iterator[None]:
    """Holds the table's lock. `java_process` is the process id of this process's Spark.

    Raises:
        ConflictError: Another live process holds it and does not let go within `patience_seconds`.
    """
    if isinstance(root, RemotePlace):
        lease = root / _FOLDER / table.name
        with leased(lease, table.name, java_process=java_process, patience_seconds=patience_seconds):
            yield
        return
    folder = root / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    with opened_privately(folder / f"{table.name}.lock") as handle:
        _acquire(handle, table.name, patience_seconds)
        _wait_for_orphan(handle, table)
        _write(handle, java_process)
        try:
            yield
        finally:
            handle.truncate(0)
            fcntl.flock(handle, fcntl.LOCK_UN)


@contextmanager
def records_held(root: Place, *, to_write: bool, patience_seconds: float = 0.0) -> Iterator[Lease | None]:
    """Holds the lake's records (bronze, silver, quarantine, dq) for a run: one that writes them, or many that read.

    Table locks keep a table whole; this keeps tables of one run together, so that no cohort is drawn from referrals of
    one ingest and assessments of the next. Gives the lease, where it is one: it may be lost before the run ends.

    Raises:
        ConflictError: Another live run holds them the other way.
    """
    if isinstance(root, RemotePlace):
        lease = root / _FOLDER / "records"
        with leased(lease, _RECORDS, shared=not to_write, patience_seconds=patience_seconds) as held:
            yield held
        return
    (root / _FOLDER).mkdir(mode=0o700, exist_ok=True)
    with opened_privately(root / _FOLDER / "records.lock") as handle:
        _acquire(handle, _RECORDS, patience_seconds, shared=not to_write)
        yield None


def _acquire(handle: IO[str], what: str, patience_seconds: float, *, shared: bool = False) -> None:
    wanted = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(handle, wanted)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = _read(handle).get("process")
                raise conflict(what, found=f"held by process {holder}" if holder else "held by another run") from None
            time.sleep(0.1)


def _wait_for_orphan(handle: IO[str], table: Table) -> None:
    """Waits for the Java process of a holder that died without letting go."""
    left = _read(handle)
    process, started = left.get("java_process"), left.get("java_started")
    if process is None or started is None or left.get("process") == os.getpid():
        return
    deadline = time.monotonic() + ORPHAN_PATIENCE_SECONDS
    while process_start(process) == started:
        if time.monotonic() >= deadline:
            raise conflict(table.name, found=f"process {process}, left by a run that was killed, may still be writing")
        time.sleep(0.1)


def _write(handle: IO[str], java_process: int | None) -> None:
    started = process_start(java_process) if java_process is not None else None
    handle.truncate(0)
    json.dump({"process": os.getpid(), "java_process": java_process, "java_started": started}, handle)
    handle.flush()


def _read(handle: IO[str]) -> dict[str, int | None]:
    handle.seek(0)
    try:
        content = json.loads(handle.read())
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
