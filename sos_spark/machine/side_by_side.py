"""Pure computing shared between this process and helpers, on processors that would idle.

A helper is a process started anew, not a copy of this one, which may hold Java and its sockets. It gets what it needs
once, does items from the end while this process does them from the start, and ends with it. What a helper that dies has
not done, this process does. Starting takes a second or two, which may pass beside something else.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sos_spark.errors import EnvironmentFaultError

T = TypeVar("T")
R = TypeVar("R")

MOST = 4
"""Processes at most, this one included: each holds the libraries and the input once more."""
PROCESSES = "SOS_SPARK_PROCESSES"
"""The environment variable that says how many at most, on a machine that others use."""


def usable_processors(environment: Mapping[str, str], *, most: int = MOST) -> int:
    """Returns how many processes may compute at once.

    As many as this one may use processors, and at most `most`, or what `PROCESSES` says.

    Raises:
        EnvironmentFaultError: That is no number from 1 on.
    """
    given = environment.get(PROCESSES, str(most))
    if not (given.isascii() and given.isdigit() and int(given) > 0):
        raise EnvironmentFaultError(
            "The number of processes is none", where=PROCESSES, expected="1 or more", remedy="Correct it, or unset it"
        )
    can_tell = hasattr(os, "sched_getaffinity")
    return min(int(given), len(os.sched_getaffinity(0)) if can_tell else os.cpu_count() or 1)


def side_by_side(
    work: Callable[[T], R], items: Sequence[T], *, processes: int, there: Callable[[], Callable[[T], R]]
) -> Generator[R]:
    """Gives work(item) of every item, in order; the same whatever the number of processes.

    Args:
        work: What this process does with an item.
        items: The items; a helper takes the last first.
        processes: How many processes, this one included.
        there: Makes, in a helper, what does the same as `work`. It and the items must be picklable.

    Raises:
        Exception: What `work` raises of the first item that fails.
    """
    with started(min(processes, len(items)) - 1, there=there) as helpers:
        yield from helpers.share(work, items)


@contextmanager
def started(n_helpers: int, *, there: Callable[[], Callable[[Any], Any]]) -> Iterator[Helpers]:
    """Starts helpers, none for less than one, which get ready while this process does something else.

    `there` as of `side_by_side`.
    """
    if n_helpers < 1:
        yield Helpers(None, 0)
        return
    anew = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_helpers, mp_context=anew, initializer=_begin, initargs=(there,)) as pool:
        with suppress(BrokenExecutor):
            for _ in range(n_helpers):
                pool.submit(_is_ready)  # a process is not started before it has something to do
        yield Helpers(pool, n_helpers)


def as_it_is(work: Callable[[T], R]) -> Callable[[T], R]:
    """Returns the work: with it what a helper does, as `there`, where the work itself can be sent."""
    return work


class Helpers:
    """Processes that have been started, and do one kind of work."""

    def __init__(self, pool: ProcessPoolExecutor | None, n_helpers: int) -> None:
        self._pool, self._n_helpers = pool, n_helpers

    def share(self, work: Callable[[T], R], items: Sequence[T]) -> Generator[R]:
        """Gives work(item) of every item, as `side_by_side` does."""
        if self._pool is None:
            yield from map(work, items)
            return
        pile = _Pile(self._pool, items)
        try:
            for _ in range(self._n_helpers):
                pile.hand_on()
            for number, item in enumerate(items):
                made = pile.made_of(number)
                yield work(item) if made is None else made[0]
        finally:
            pile.clear()


class _Pile:
    """Items that nobody has begun: this process takes the first of them, a helper that is free the last."""

    def __init__(self, helpers: ProcessPoolExecutor, items: Sequence[Any]) -> None:
        self._helpers, self._items = helpers, items
        self._left = deque(range(len(items)))
        self._handed: dict[int, Future[Any]] = {}
        self._lock = threading.Lock()

    def hand_on(self, _done: Future[Any] | None = None) -> None:
        """Gives the last item to a helper, and the next when that is done; helpers that have died get none."""
        with self._lock:
            if not self._left:
                return
            number = self._left.pop()
            try:
                handed = self._helpers.submit(_do, self._items[number])
            except BrokenExecutor:
                self._left.append(number)
                return
            self._handed[number] = handed
        handed.add_done_callback(self.hand_on)

    def made_of(self, number: int) -> tuple[Any] | None:
        """Returns what a helper made of the first item left; None where no helper has it, or its process has died."""
        with self._lock:
            if self._left and self._left[0] == number:
                self._left.popleft()
                return None
        try:
            return (self._handed[number].result(),)
        except BrokenExecutor:
            return None

    def clear(self) -> None:
        """Leaves what nobody has begun."""
        with self._lock:
            self._left.clear()


def _unready(_item: Any) -> Any:
    raise RuntimeError("This process is no helper")


_work: Callable[[Any], Any] = _unready
"""What a helper does with an item."""


def _begin(there: Callable[[], Callable[[Any], Any]]) -> None:
    """Makes a helper ready: it leaves Ctrl-C to the process that it helps, and does not outlive it."""
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _work = there()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _is_ready() -> None:
    """Nothing: a helper that has done it is ready."""


def _do(item: T) -> Any:
    return _work(item)
