"""The study with returns, lake and results in a Hadoop file system: the same numbers, and writers that take turns."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.versions import version_of
from sos_spark.places import RemotePlace, mode_of, place_of
from sos_spark.tables import FILES, PANEL_CELLS, TABLES
from tests.end_to_end.conftest import WholeRun, command
from tests.end_to_end.elsewhere import SAME, options, put_there
from tools.hdfs import hdfs

pytestmark = [pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def shared(whole_run: WholeRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemotePlace]:
    """A Hadoop file system that holds the returns of the whole run, and its key."""
    with hdfs(tmp_path_factory.mktemp("hdfs")) as uri:
        root = place_of(f"{uri}/study")
        assert isinstance(root, RemotePlace)
        put_there(whole_run, root)
        yield root


@pytest.fixture(scope="module")
def out(whole_run: WholeRun, shared: RemotePlace) -> RemotePlace:
    """What a run there left."""
    done = command("run", *options(whole_run, shared), "--driver-memory", "2g")
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"report: {shared / 'out' / 'report.html'}" in done.stdout
    return shared / "out"


@pytest.mark.parametrize("name", SAME)
def test_the_numbers_are_those_of_a_local_run_to_the_last_digit(
    name: str, whole_run: WholeRun, out: RemotePlace
) -> None:
    assert (out / name).read_bytes() == (whole_run.out / name).read_bytes()


def test_the_lake_is_its_owner_s_alone(out: RemotePlace) -> None:
    assert mode_of(out.parent / "lake") == 0o700
    assert mode_of(out / "cells.csv") == 0o600
    assert mode_of(out.parent / "key") == 0o600


def test_commands_without_spark_look_after_it(whole_run: WholeRun, out: RemotePlace) -> None:
    lake = str(out.parent / "lake")
    verified = command("lake", "verify", "--lake", lake)
    assert verified.returncode == 0, verified.stdout
    assert command("lake", "maintain", "--lake", lake, "--keep", str(out)).returncode == 0
    assert "0 files" not in command("lake", "history", "--lake", lake).stdout
    compared = command("compare", str(whole_run.out), str(out))
    assert compared.returncode == 0, compared.stderr
    doctor = command("doctor", "--lake", lake)
    assert "mode 0700" in doctor.stdout, doctor.stdout


def test_a_run_that_was_killed_goes_on_where_it_stopped(whole_run: WholeRun, shared: RemotePlace) -> None:
    given = options(whole_run, shared, lake="killed", out="killed out")
    lake = shared / "killed"
    process = begun("run", *given)
    wait_for(lambda: version_of(lake, TABLES["bronze.cin_details"]) is not None)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert version_of(lake, PANEL_CELLS) is None
    done = command("run", *given, "--driver-memory", "2g")
    assert done.returncode == 0, done.stderr[-3000:]
    assert (shared / "killed out" / "cells.csv").read_bytes() == (whole_run.out / "cells.csv").read_bytes()


def test_of_two_runs_at_once_none_leaves_a_mixed_table(whole_run: WholeRun, shared: RemotePlace) -> None:
    lake = shared / "both"
    runs = [begun("run", *options(whole_run, shared, lake="both", out=f"both {n}"), "--to", "validate") for n in (1, 2)]
    codes = sorted(process.wait() for process in runs)
    assert codes in ([0, 0], [0, 5]), codes
    assert version_of(lake, FILES) == 1
    for name in ("silver.referrals", "silver.assessments"):
        there, here = (read_arrow(root, TABLES[name]).num_rows for root in (lake, whole_run.lake))
        assert there == here


def begun(*arguments: str) -> subprocess.Popen[bytes]:
    """Starts a command in a process group of its own, with its Java."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYSPARK", "SPARK"))}
    return subprocess.Popen(
        [sys.executable, "-m", "sos_spark.cli.main", *arguments, "--driver-memory", "1g"],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def wait_for(holds: Callable[[], bool], *, seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)
