"""Progress on a terminal: a bar per step with rows, seconds and what is known of the time left. Nothing where piped.

Of the time left only what was measured is said: how long the step took into the same results before, and how many of
Spark's tasks are done.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.text import Text

from sos_spark.steps.context import StepReport

T = TypeVar("T")


class StepProgress(Protocol):
    """Somewhere to say that a step began and what it did."""

    @contextmanager
    def step(self, name: str) -> Iterator[list[StepReport]]:
        """Wraps a step; the caller appends the step's report to the list."""
        ...


class _Seconds(ProgressColumn):
    def __init__(self, earlier: float | None) -> None:
        super().__init__()
        self._earlier = earlier

    def render(self, task: Task) -> Text:
        told = seconds_told(task.elapsed or 0, left=task.time_remaining, earlier=self._earlier, done=task.finished)
        return Text(told, style="progress.elapsed")


def seconds_told(elapsed: float, *, left: float | None, earlier: float | None, done: bool) -> str:
    """Returns a step's seconds and, while it runs, those left by what is done of it, else those it took before."""
    told = f"{elapsed:6.1f} s"
    if done or (left is None and earlier is None):
        return told
    return f"{told}, {earlier:.0f} s last time" if left is None else f"{told}, about {left:.0f} s left"


class _SparkTasks(ProgressColumn):
    """Spark's tasks of the stages at work; blank without Spark."""

    max_refresh = 1.0

    def render(self, task: Task) -> Text:
        return Text("" if task.finished else tasks_told(_stages_at_work()))


def tasks_told(stages: Iterable[tuple[int, int]]) -> str:
    """Returns how many of Spark's tasks are done; blank where none is to do. `stages`: tasks done and all, of each."""
    done, whole = (sum(counts) for counts in zip(*stages, strict=True)) if (stages := list(stages)) else (0, 0)
    return f"{done:,} of {whole:,} tasks" if whole else ""


def _stages_at_work() -> list[tuple[int, int]]:
    """Each active stage's tasks done and all. Looks at the session that runs and starts none."""
    pyspark = sys.modules.get("pyspark")
    context = None if pyspark is None else pyspark.SparkContext._active_spark_context
    if context is None:
        return []
    tracker = context.statusTracker()
    stages = [tracker.getStageInfo(number) for number in tracker.getActiveStageIds()]
    return [(stage.numCompletedTasks, stage.numTasks) for stage in stages if stage is not None]


class TerminalProgress:
    """Bars on stderr."""

    def __init__(self, names: list[str], earlier: Mapping[str, float]) -> None:
        self._width = max(map(len, names), default=0)
        self._earlier = earlier
        self._console = Console(stderr=True)
        self._at_work: tuple[Progress, TaskID] | None = None

    def counted(self, items: Sequence[T], /) -> Iterator[T]:
        """Gives a step's items one by one, and moves its bar as each is done."""
        for number, item in enumerate(items):
            self._advance(number, len(items))
            yield item
        self._advance(len(items), len(items))

    def _advance(self, done: int, whole: int) -> None:
        if self._at_work is not None:
            progress, task = self._at_work
            # One more than there is: a step has something left to do after its last item.
            progress.update(task, total=whole + 1, completed=done)

    @contextmanager
    def step(self, name: str) -> Iterator[list[StepReport]]:
        """Shows a moving bar while the step runs, then its rows and seconds."""
        reports: list[StepReport] = []
        with Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn(f"{{task.description:<{self._width}}}"),
            BarColumn(bar_width=24),
            _Seconds(self._earlier.get(name)),
            _SparkTasks(),
            TextColumn("{task.fields[rows]}"),
            console=self._console,
        ) as progress:
            task = progress.add_task(name, total=None, rows="")
            self._at_work = progress, task
            try:
                yield reports
            finally:
                self._at_work = None
            rows = sum(sum(report.rows.values()) for report in reports)
            progress.update(task, total=1, completed=1, rows=f"{rows:>12,} rows" if rows else "")


class SilentProgress:
    """Says nothing."""

    def counted(self, items: Sequence[T], /) -> Iterable[T]:
        """Gives the items."""
        return items

    @contextmanager
    def step(self, name: str) -> Iterator[list[StepReport]]:  # noqa: ARG002 - the protocol's name
        """Runs the step."""
        yield []


def progress_for(
    names: list[str], *, quiet: bool, earlier: Mapping[str, float] | None = None
) -> TerminalProgress | SilentProgress:
    """Returns bars where stderr is a terminal, else silence. `earlier`: the seconds that steps took before, by name."""
    return SilentProgress() if quiet or not Console(stderr=True).is_terminal else TerminalProgress(names, earlier or {})


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begins again at 0."""
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.perf_counter() - self._start


CLOCK = Stopwatch()
"""Runs from the start of the command: what it took a person, with all that no step counts."""
