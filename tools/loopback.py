"""Servers of this machine that live as long as a context: their ports, their Java, their logs."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
_ENDS = {signal.SIGINT, signal.SIGTERM}


def free_port() -> int:
    """Returns a port of loopback that nothing listens on at this moment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def empty_folder(name: str) -> Path:
    """Returns the folder of a command line, which is empty or not there yet.

    Raises:
        argparse.ArgumentTypeError: There is something in it.
    """
    folder = Path(name)
    if folder.exists() and any(folder.iterdir()):
        raise argparse.ArgumentTypeError(f"{folder} is not empty: servers keep nothing from before")
    return folder


def java_command(environment: Mapping[str, str]) -> str:
    """Returns the command of the Java that an environment names."""
    home = environment.get("JAVA_HOME")
    return str(Path(home) / "bin" / "java") if home else "java"


def start(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Starts a server in a process group of its own, with what it starts; its files are its owner's alone."""
    with open(log, "ab", opener=_for_its_owner) as told:
        return subprocess.Popen(
            command, env=environment, stdout=told, stderr=subprocess.STDOUT, start_new_session=True, umask=0o077
        )


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def kill(server: subprocess.Popen[bytes]) -> None:
    """Kills a server and what it started, as a machine that fails does."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


@contextmanager
def serving(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """A server while the context lives."""
    server = start(command, log, environment)
    try:
        yield
    finally:
        kill(server)


def run_until_interrupted(served: AbstractContextManager[T], *, where: Callable[[T], str] = str) -> None:
    """Runs what a context serves, says where it is, and ends it when the command is interrupted."""
    # Blocked before anything starts, so that an interrupt is waited for and ends nothing half way.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    with served as server:
        sys.stdout.write(f"{where(server)}\n")
        sys.stdout.flush()
        signal.sigwait(_ENDS)
