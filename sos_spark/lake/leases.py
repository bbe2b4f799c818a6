"""Leases on a lake that machines share: who may write, told in the lake itself.

A lease is a register (files `<number>.json`, the highest counts) that is changed only by writing the next number where
there is none, which every store of ours does for one writer of several. It names its holders: one alone, or several
that share it. A holder renews its lease while it lives; one that has not for LEASE_SECONDS is taken for dead, and at
once where its process was of this machine and is gone. So machines' clocks must agree to well within that time.

A holder that slept longer than its lease lasts finds it lost before it writes. Should it already be in the middle of a
commit, Delta lets one of the two through (see `Lake`). For S3 Spark's Delta knows writers of one driver only: the lease
makes that one driver.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from threading import Event, Thread
from uuid import uuid4

from sos_spark.lake.faults import conflict
from sos_spark.machine.processes import machine_id, process_start
from sos_spark.places import RemotePlace, write_new

LEASE_SECONDS = 60.0
_RENEWED_EVERY_SECONDS = 15.0
_POLL_SECONDS = 0.5
_KEPT = 2


@dataclass(frozen=True)
class Holder:
    """Who holds a lease, and until when (seconds since 1970). `java_process` may outlive a killed `process`."""

    holder_id: str
    machine: str
    process: int
    started: int | None
    java_process: int | None
    java_started: int | None
    is_shared: bool
    until: float

    @property
    def is_dead(self) -> bool:
        """Whether nothing of it can write any more, as far as can be told."""
        if self.machine == machine_id() and self.started is not None:
            processes = [(self.process, self.started), (self.java_process, self.java_started)]
            if not any(process is not None and process_start(process) == start for process, start in processes):
                return True
        return time.time() > self.until


class Lease:
    """A lease that is held. Renewed in the background until it is let go."""

    def __init__(self, folder: RemotePlace, what: str, holder: Holder) -> None:
        self._folder, self._what, self._holder = folder, what, holder
        self._held_until = time.monotonic() + LEASE_SECONDS
        self._is_lost = False
        self._let_go = Event()
        self._thread = Thread(target=self._renew_often, name=f"lease of {what}", daemon=True)
        self._thread.start()

    def require_held(self) -> None:
        """Checks that nobody can have taken the lease over.

        Raises:
            ConflictError: It was not renewed in time, or another run has taken it.
        """
        if self._is_lost or time.monotonic() >= self._held_until:
            raise conflict(self._what, found="this run's lease ran out, as when its machine slept")

    def renew(self) -> None:
        """Makes the lease last LEASE_SECONDS from now, unless it is lost."""
        asked = time.monotonic()
        while not self._is_lost:
            number, holders = _read(self._folder)
            if self._holder.holder_id not in {one.holder_id for one in holders}:
                self._is_lost = True
                return
            others = [one for one in holders if one.holder_id != self._holder.holder_id]
            if _swap(self._folder, number, [*others, replace(self._holder, until=time.time() + LEASE_SECONDS)]):
                self._held_until = asked + LEASE_SECONDS
                return

    def let_go(self) -> None:
        """Ends the lease; one that was lost is another's."""
        self._let_go.set()
        self._thread.join()
        while True:
            number, holders = _read(self._folder)
            others = [one for one in holders if one.holder_id != self._holder.holder_id]
            if len(others) == len(holders) or _swap(self._folder, number, others):
                return

    def _renew_often(self) -> None:
        while not self._let_go.wait(_RENEWED_EVERY_SECONDS):
            # A store that does not answer now may the next time; until the lease runs out, it is ours.
            with suppress(OSError):
                self.renew()


@contextmanager
def leased(
    folder: RemotePlace, what: str, *, shared: bool = False, java_process: int | None = None, patience_seconds: float
) -> Iterator[Lease]:
    """Holds the lease in a folder, alone or with others that share it.

    Raises:
        ConflictError: Another run holds it and does not let go within `patience_seconds`, or it was lost meanwhile.
    """
    lease = _acquire(folder, what, _this_process(shared, java_process), patience_seconds)
    try:
        yield lease
        lease.require_held()
    finally:
        lease.let_go()


def _acquire(folder: RemotePlace, what: str, holder: Holder, patience_seconds: float) -> Lease:
    deadline = time.monotonic() + patience_seconds
    while True:
        number, holders = _read(folder)
        # Its own may be there already: a store that wrote and could not say so was asked again.
        living = [one for one in holders if not one.is_dead and one.holder_id != holder.holder_id]
        if all(one.is_shared and holder.is_shared for one in living):
            mine = replace(holder, until=time.time() + LEASE_SECONDS)
            if _swap(folder, number, [*living, mine]):
                return Lease(folder, what, mine)
            continue
        if time.monotonic() >= deadline:
            first = living[0]
            here = "" if first.machine == machine_id() else " of another machine"
            raise conflict(what, found=f"leased by process {first.process}{here}") from None
        time.sleep(_POLL_SECONDS)


def _this_process(shared: bool, java_process: int | None) -> Holder:
    return Holder(
        holder_id=uuid4().hex,
        machine=machine_id(),
        process=os.getpid(),
        started=process_start(os.getpid()),
        java_process=java_process,
        java_started=None if java_process is None else process_start(java_process),
        is_shared=shared,
        until=0.0,
    )


def _read(folder: RemotePlace) -> tuple[int, list[Holder]]:
    """The register's number and its holders; number 0 and nobody where it was never written."""
    while True:
        numbers = _numbers(folder)
        if not numbers:
            return 0, []
        try:
            content = json.loads((folder / _name(max(numbers))).read_text(encoding="utf-8"))
        except FileNotFoundError:
            # Another writer took it away, having written the next.
            continue
        return max(numbers), [Holder(**one) for one in content]


def _swap(folder: RemotePlace, number: int, holders: list[Holder]) -> bool:
    """Writes the next number. Returns whether it counts: of several that follow the same number one does."""
    content = json.dumps([asdict(one) for one in holders]).encode()
    if not write_new(folder / _name(number + 1), content):
        return False
    numbers = _numbers(folder)
    if max(numbers, default=0) > number + 1:
        # It was written and taken away by others long ago: what was read is out of date.
        (folder / _name(number + 1)).unlink(missing_ok=True)
        return False
    for old in numbers:
        if old <= number + 1 - _KEPT:
            (folder / _name(old)).unlink(missing_ok=True)
    return True


def _numbers(folder: RemotePlace) -> list[int]:
    return [int(place.stem) for place in folder.glob("*.json") if place.stem.isdigit()]


def _name(number: int) -> str:
    return f"{number:012d}.json"
