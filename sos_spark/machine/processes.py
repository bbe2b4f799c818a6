"""Processes of this machine by their ids, and small private files by which they know of each other."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def opened_privately(path: Path) -> IO[str]:
    """Opens a small file to read and append; a new one is its owner's alone, whatever the process's file mask."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+", encoding="utf-8")


def java_process(session: SparkSession) -> int:
    """Returns the process id of a session's Java."""
    jvm: Any = session._jvm
    return int(jvm.java.lang.ProcessHandle.current().pid())


def process_start(process: int) -> int | None:
    """Returns when a process started, in the kernel's ticks; None if there is no such process, or no /proc.

    A process id may be used again; with its start time it names one process.
    """
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    # The second field, the command's name, is in brackets and may hold anything; a zombie (Z) writes nothing more.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


@cache
def machine_id() -> str:
    """Returns what names this machine since it was started, and the space in which its process ids count."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)
