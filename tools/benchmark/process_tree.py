"""A command measured with every process it starts: wall and CPU seconds and memory, sampled while it runs."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EVERY = 0.25
"""Seconds between samples."""

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Sample:
    """The tree at a time (seconds since the epoch): its CPU seconds so far, and resident bytes, shared pages twice."""

    at: float
    cpu_seconds: float
    memory: int


@dataclass(frozen=True)
class Measured:
    """A command that has ended.

    `cpu_seconds`: the kernel's sum over what the command waited for, or the most that a sample saw, whichever is more:
    a session's Java is ended and not waited for.
    """

    exit_code: int
    output: str
    started: float
    seconds: float
    cpu_seconds: float
    samples: tuple[Sample, ...]

    @property
    def peak_memory(self) -> int:
        """The most bytes that all processes held together in a sample."""
        return max((sample.memory for sample in self.samples), default=0)

    def cpu_between(self, start: float, end: float) -> float:
        """Returns the CPU seconds spent between two times, as near as samples tell."""
        return self._cpu_at(end) - self._cpu_at(start)

    def peak_between(self, start: float, end: float) -> int:
        """Returns the most bytes held in a sample between two times."""
        return max((sample.memory for sample in self.samples if start <= sample.at <= end), default=0)

    def _cpu_at(self, moment: float) -> float:
        before = Sample(self.started, 0.0, 0)
        for sample in self.samples:
            if sample.at >= moment:
                share = (moment - before.at) / (sample.at - before.at) if sample.at > before.at else 1.0
                return before.cpu_seconds + max(0.0, share) * (sample.cpu_seconds - before.cpu_seconds)
            before = sample
        return before.cpu_seconds


def measure(command: Sequence[str], *, environment: Mapping[str, str], errors: Path) -> Measured:
    """Runs a command to its end and returns what it took. Its stdout is kept, its stderr goes to a file."""
    samples: list[Sample] = []
    over = threading.Event()
    started, clock = time.time(), time.perf_counter()
    with errors.open("wb") as handle:
        process = subprocess.Popen(command, env=dict(environment), stdout=subprocess.PIPE, stderr=handle)
        sampler = threading.Thread(target=_sample, args=(process.pid, samples, over), daemon=True)
        sampler.start()
        assert process.stdout is not None  # noqa: S101 - it was asked for
        output = process.stdout.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - clock
        process.returncode = os.waitstatus_to_exitcode(status)
        over.set()
        sampler.join()
    cpu_seconds = max([used.ru_utime + used.ru_stime, *(sample.cpu_seconds for sample in samples)])
    return Measured(process.returncode, output, started, seconds, cpu_seconds, tuple(samples))


def cpu_seconds_of(root: int) -> float:
    """Returns the CPU seconds so far of a process and all below it, with those that have ended and were waited for."""
    return sum(one.cpu for one in _descendants(root, _processes())) / _TICKS


def _sample(root: int, samples: list[Sample], over: threading.Event) -> None:
    while not over.wait(EVERY):
        processes = _processes()
        tree = _descendants(root, processes)
        if tree:
            samples.append(Sample(time.time(), sum(one.cpu for one in tree) / _TICKS, _pages_of(tree) * _PAGE))


def _pages_of(tree: Iterable[_Process]) -> int:
    """The memory of processes. Java below Java is one that it is about to start, whose memory is its parent's still."""
    java = {one.pid for one in tree if one.program == "java"}
    return sum(one.pages for one in tree if not (one.pid in java and one.parent in java))


@dataclass(frozen=True)
class _Process:
    pid: int
    parent: int
    program: str
    cpu: int
    pages: int


def _processes() -> list[_Process]:
    """Every process that can be read; `cpu` holds that of the children it has waited for.

    `program` is the file that it runs: the kernel's name for a process is its first thread's, and what a thread starts
    bears that thread's name at first.
    """
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                # The name in brackets may hold blanks and brackets itself.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            cpu = sum(int(fields[place]) for place in (11, 12, 13, 14))
            found.append(_Process(int(folder.name), int(fields[1]), _program(folder), cpu, int(fields[21])))
    return found


def _program(folder: Path) -> str:
    """The file's name; empty of one that has ended and is not waited for yet, or is another user's."""
    try:
        return (folder / "exe").readlink().name
    except OSError:
        return ""


def _descendants(root: int, processes: Iterable[_Process]) -> list[_Process]:
    """The root and all below it."""
    of_parent: dict[int, list[_Process]] = {}
    found: list[_Process] = []
    for process in processes:
        of_parent.setdefault(process.parent, []).append(process)
        if process.pid == root:
            found.append(process)
    for process in found:
        found.extend(of_parent.get(process.pid, ()))
    return found
