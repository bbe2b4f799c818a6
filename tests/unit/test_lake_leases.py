"""Leases on a lake that machines share: one writer, or several readers, and what becomes of a dead holder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace

import pytest

from sos_spark.errors import ConflictError
from sos_spark.lake import leases
from sos_spark.lake.leases import Holder, Lease, leased
from sos_spark.machine.processes import machine_id, process_start
from sos_spark.places import RemotePlace, write_whole
from tests.stores import a_bucket

FOLDER = "lake/.locks/records"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> RemotePlace:
    return a_bucket(monkeypatch) / FOLDER


def holder(**said: object) -> Holder:
    """Of another machine, for long."""
    given = Holder("other", "elsewhere", 1, 1, None, None, is_shared=False, until=9e9)
    return replace(given, **said)  # type: ignore[arg-type]


def left(folder: RemotePlace, *holders: Holder, number: int = 1) -> None:
    write_whole(folder / f"{number:012d}.json", json.dumps([asdict(one) for one in holders]).encode())


def held(folder: RemotePlace) -> list[str]:
    """The holders that the newest file names."""
    newest = max(folder.glob("*.json"))
    return [one["holder_id"] for one in json.loads(newest.read_text())]


def taken_over(folder: RemotePlace, lease: Lease) -> None:
    left(folder, holder(), number=2)
    lease.renew()
    lease.require_held()


def test_a_lease_is_held_by_one_and_let_go(folder: RemotePlace) -> None:
    with leased(folder, "the records", patience_seconds=0) as lease:
        lease.require_held()
        assert len(held(folder)) == 1
        with pytest.raises(ConflictError, match=f"process {os.getpid()}"), leased(folder, "it", patience_seconds=0):
            pass
    assert held(folder) == []
    with leased(folder, "the records", patience_seconds=0):
        pass


def test_readers_share_what_a_writer_holds_alone(folder: RemotePlace) -> None:
    with leased(folder, "it", shared=True, patience_seconds=0), leased(folder, "it", shared=True, patience_seconds=0):
        assert len(held(folder)) == 2
        with pytest.raises(ConflictError), leased(folder, "it", patience_seconds=0):
            pass
    with (
        leased(folder, "it", patience_seconds=0),
        pytest.raises(ConflictError),
        leased(folder, "it", shared=True, patience_seconds=0),
    ):
        pass


def test_a_lease_that_was_not_renewed_is_taken_over(folder: RemotePlace) -> None:
    left(folder, holder(until=1.0))
    with leased(folder, "it", patience_seconds=0):
        assert held(folder) != ["other"]


def test_one_of_another_machine_stands_until_it_runs_out(folder: RemotePlace) -> None:
    left(folder, holder())
    with pytest.raises(ConflictError, match="another machine"), leased(folder, "it", patience_seconds=0):
        pass


def test_one_of_a_process_of_this_machine_that_is_gone_is_taken_over_at_once(folder: RemotePlace) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left(folder, holder(machine=machine_id(), process=gone.pid, started=1))
    with leased(folder, "it", patience_seconds=0):
        pass


def test_one_whose_java_still_lives_is_not(folder: RemotePlace) -> None:
    started = process_start(os.getpid())
    left(folder, holder(machine=machine_id(), started=1, java_process=os.getpid(), java_started=started))
    with pytest.raises(ConflictError), leased(folder, "it", patience_seconds=0):
        pass


def test_a_holder_that_another_took_over_from_is_told_before_it_writes(folder: RemotePlace) -> None:
    with pytest.raises(ConflictError, match="ran out"), leased(folder, "it", patience_seconds=0) as lease:
        taken_over(folder, lease)
    assert held(folder) == ["other"]


def test_one_that_was_not_renewed_in_time_is_told_too(folder: RemotePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConflictError, match="ran out"), leased(folder, "it", patience_seconds=0):
        monkeypatch.setattr(time, "monotonic", lambda: 1e12)


def test_renewing_keeps_the_lease_and_leaves_few_files(folder: RemotePlace) -> None:
    with leased(folder, "it", patience_seconds=0) as lease:
        before = held(folder)
        for _ in range(5):
            lease.renew()
        lease.require_held()
        assert held(folder) == before
    assert len(list(folder.glob("*"))) == 2


def test_a_number_that_others_left_behind_long_ago_does_not_count(folder: RemotePlace) -> None:
    """A writer that read number 1, and slept while it was taken away, must not take what number 9 says is another's."""
    left(folder, holder(), number=9)
    assert not leases._swap(folder, 1, [])
    assert [place.stem for place in folder.glob("*.json")] == ["000000000009"]
