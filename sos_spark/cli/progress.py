"""Progress on a terminal: a bar a step with rows and seconds. Nothing where stderr is piped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from sos_spark.steps.context import StepReport


class StepProgress(Protocol):
    """Somewhere to say that a step began and what it did."""

    @contextmanager
    def step(self, name: str) -> Iterator[list[StepReport]]:
        """Wraps a step; the caller appends the step's report to the list."""
        ...


class _Seconds(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.elapsed or 0:6.1f} s", style="progress.elapsed")


class TerminalProgress:
    """Bars on stderr."""

    def __init__(self, names: list[str]) -> None:
        self._width = max(map(len, names), default=0)
        self._console = Console(stderr=True)

    @contextmanager
    def step(self, name: str) -> Iterator[list[StepReport]]:
        """Shows a moving bar while the step runs, then its rows and seconds."""
        reports: list[StepReport] = []
        with Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn(f"{{task.description:<{self._width}}}"),
            BarColumn(bar_width=24),
            _Seconds(),
            TextColumn("{task.fields[rows]}"),
            console=self._console,
        ) as progress:
            task = progress.add_task(name, total=None, rows="")
            yield reports
            rows = sum(sum(report.rows.values()) for report in reports)
            progress.update(task, total=1, completed=1, rows=f"{rows:>12,} rows" if rows else "")


class SilentProgress:
    """Says nothing."""

    @contextmanager
    def step(self, name: str) -> Iterator[list[StepReport]]:  # noqa: ARG002 - the protocol's name
        """Runs the step."""
        yield []


def progress_for(names: list[str], *, quiet: bool) -> TerminalProgress | SilentProgress:
    """Returns bars where stderr is a terminal, else silence."""
    return SilentProgress() if quiet or not Console(stderr=True).is_terminal else TerminalProgress(names)


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.perf_counter() - self._start
