"""The private folder that Spark spills to: children's records may be in what it leaves there.

Each process has one, of mode 0700, under the system's folder of temporary files or the one that spark-submit names. It
goes when the process ends; what a killed one left goes when the next one starts. A lock held on a file in it says that
its owner lives, whichever way the owner ends; the Java process, which may outlive it for a moment, is named there.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from sos_spark.errors import EnvironmentFaultError
from sos_spark.machine.processes import opened_privately, process_start

PREFIX = "sos_spark_scratch_"
_OWNER = "owner.lock"


class Scratch:
    """A private folder of this process, held until `remove`, or until the process ends."""

    def __init__(self, parent: Path) -> None:
        """Makes the folder, after removing those under `parent` whose owners are gone.

        Raises:
            EnvironmentFaultError: No folder can be made there.
        """
        try:
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            remove_abandoned(parent)
            self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            self._process = os.getpid()
            self._handle = opened_privately(self.folder / _OWNER)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise EnvironmentFaultError(
                "Spark's private folder of temporary files cannot be made",
                where=str(parent),
                expected="a folder that we may write to, with room",
                found=type(error).__name__,
                remedy="Name another folder in TMPDIR",
            ) from None
        atexit.register(self.remove)

    def note_java(self, process: int) -> None:
        """Notes which Java process uses the folder too."""
        self._handle.truncate(0)
        json.dump({"java_process": process, "java_started": process_start(process)}, self._handle)
        self._handle.flush()

    def remove(self) -> None:
        """Removes the folder. A process forked from its owner leaves it alone."""
        if os.getpid() == self._process:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._handle.close()


def remove_abandoned(parent: Path) -> list[Path]:
    """Removes the private folders of ours under `parent` whose processes have ended. Returns them."""
    removed = []
    for folder in sorted(parent.glob(f"{PREFIX}*")):
        # Another user's folder cannot be entered; one that another start removes meanwhile is gone: neither is ours.
        with suppress(OSError):
            if folder.stat().st_uid == os.getuid() and not folder.is_symlink() and _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)
                removed.append(folder)
    return removed


def _is_abandoned(folder: Path) -> bool:
    """A folder without its lock file is one that is being made, or removed, at this moment."""
    with (folder / _OWNER).open("r+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return not _java_lives(handle)


def _java_lives(handle: IO[str]) -> bool:
    try:
        noted = json.loads(handle.read() or "{}")
    except ValueError:
        return False
    process, started = noted.get("java_process"), noted.get("java_started")
    return process is not None and started is not None and process_start(process) == started
