"""Work shared between processes: the same results in order, errors as they were, and no helper that stays."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from sos_spark.errors import EnvironmentFaultError, InputError
from sos_spark.machine.side_by_side import MOST, PROCESSES, side_by_side, started, usable_processors

T = TypeVar("T")


def square(number: int) -> tuple[int, int]:
    """The square, and which process made it; slow enough for a helper to start."""
    time.sleep(0.25)
    return number**2, os.getpid()


def refuse(number: int) -> int:
    if number == 7:
        raise InputError("The seventh is refused", where="7", remedy="Give another")
    time.sleep(0.2)
    return number


def die_but_in(process: int, number: int) -> int:
    if os.getpid() != process:
        os._exit(9)
    time.sleep(0.2)
    return number**2


def ready(work: Callable[[int], T]) -> Callable[[int], T]:
    return work


def test_results_come_in_order_and_some_from_another_process() -> None:
    made = list(side_by_side(square, range(12), processes=2, there=partial(ready, square)))

    assert [found for found, _ in made] == [number**2 for number in range(12)]
    assert made[0][1] == os.getpid()
    assert len({made_by for _, made_by in made}) == 2


def test_one_process_starts_no_other() -> None:
    assert list(side_by_side(abs, [-1, -2], processes=1, there=pytest.fail)) == [1, 2]
    assert list(side_by_side(abs, [-1], processes=4, there=pytest.fail)) == [1]
    assert list(side_by_side(abs, [], processes=4, there=pytest.fail)) == []


def test_helpers_that_were_started_before_the_work_was_known_take_their_part() -> None:
    with started(1, there=partial(ready, square)) as helpers:
        made = [list(helpers.share(square, range(first, first + 8))) for first in (0, 8)]

    assert [found for part in made for found, _ in part] == [number**2 for number in range(16)]
    assert all(len({made_by for _, made_by in part}) == 2 for part in made)


def test_helpers_that_nothing_is_asked_of_end() -> None:
    with started(2, there=partial(ready, square)):
        pass

    assert multiprocessing.active_children() == []


def test_an_error_of_a_helper_is_the_error_that_it_was() -> None:
    with pytest.raises(InputError) as raised:
        list(side_by_side(refuse, range(8), processes=2, there=partial(ready, refuse)))

    assert (raised.value.where, raised.value.remedy) == ("7", "Give another")


def test_what_a_helper_that_dies_has_not_done_is_done_here() -> None:
    work = partial(die_but_in, os.getpid())

    assert list(side_by_side(work, range(8), processes=2, there=partial(ready, work))) == [n**2 for n in range(8)]


@pytest.mark.parametrize("given", ["0", "-1", "two", "", "1.5", "\u0661"])
def test_a_number_of_processes_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(EnvironmentFaultError, match=PROCESSES):
        usable_processors({PROCESSES: given})


def test_an_administrator_may_keep_a_run_to_one_process() -> None:
    assert usable_processors({PROCESSES: "1"}) == 1
    assert 1 <= usable_processors({}) <= MOST
    assert usable_processors({PROCESSES: "64"}) == len(os.sched_getaffinity(0))


SCRIPT = """
import os, sys, time
from functools import partial
from pathlib import Path
from typing import TypeVar
from sos_spark.machine.side_by_side import side_by_side
from tests.unit.test_side_by_side import ready, square
if __name__ == "__main__":
    for _, process in side_by_side(square, range(200), processes=2, there=partial(ready, square)):
        print(process, flush=True)
"""


def test_a_helper_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(2)
        children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False)
        helpers = [int(child) for child in children.stdout.split()]
        assert helpers
        process.send_signal(signal.SIGKILL)
        process.wait()
    until = time.monotonic() + 20
    while (alive := [helper for helper in helpers if Path(f"/proc/{helper}").exists()]) and time.monotonic() < until:
        time.sleep(0.1)

    assert alive == []
