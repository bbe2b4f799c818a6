"""Steps of both implementations as rows, medians over runs, and the table that people read."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from io import StringIO
from statistics import median

GROUPS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "returns to silver": (
        ("ingest", "quality bronze", "validate", "quality silver"),
        ("pseudonyms", "children", "referrals", "under referrals", "care"),
    ),
    "days observed": (("cohort",), ("observed",)),
    "outcomes": (("outcome",), ("outcomes",)),
    "cells": (("panel", "quality panel"), ("cells",)),
    "fits and report": (("fit", "report"), ("fits",)),
}
"""Which steps of the project stand beside which of the yardstick's."""
DATA = ("returns to silver", "days observed", "outcomes", "cells")
WHOLE = "whole command"
"""The step that holds all of a command: its start and its end too."""


@dataclass(frozen=True)
class StepRow:
    """A step of one run, or its medians. `stages` and the bytes but `peak_bytes` are None where Spark has no part."""

    implementation: str
    step: str
    seconds: float
    cpu_seconds: float
    rows: int
    peak_bytes: int
    stages: int | None = None
    read_bytes: int | None = None
    shuffled_bytes: int | None = None
    spilled_bytes: int | None = None
    written_bytes: int | None = None


def medians(runs: Sequence[Sequence[StepRow]]) -> list[StepRow]:
    """Returns the median of each number of each step over runs, in the steps' first order."""
    of_step: dict[tuple[str, str], list[StepRow]] = {}
    for run in runs:
        for row in run:
            of_step.setdefault((row.implementation, row.step), []).append(row)
    found = []
    for key, rows in of_step.items():
        numbers = {
            field.name: _median(field.name, [getattr(row, field.name) for row in rows])
            for field in fields(StepRow)
            if field.name not in ("implementation", "step")
        }
        found.append(StepRow(*key, **numbers))  # type: ignore[arg-type]
    return found


def _median(name: str, values: list[float | None]) -> float | int | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    middle = median(known)
    return round(middle, 2) if name in ("seconds", "cpu_seconds") else round(middle)


def as_csv(runs: Sequence[Sequence[StepRow]]) -> str:
    """Returns every step of every run, and last the medians as run 0."""
    text = StringIO()
    names = [field.name for field in fields(StepRow)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", *names])
    for number, run in [*enumerate(runs, start=1), (0, medians(runs))]:
        writer.writerows([number, *asdict(row).values()] for row in run)
    return text.getvalue()


def as_markdown(runs: Sequence[Sequence[StepRow]], *, conditions: Mapping[str, str]) -> str:
    """Returns the table of medians: each group of steps beside the yardstick's, then the project's steps."""
    rows = {(row.implementation, row.step): row for row in medians(runs)}
    lines = [f"- {name}: {value}" for name, value in conditions.items()]
    lines += [
        "",
        "| | project s | CPU s | yardstick s | CPU s | ratio | ratio of CPU |",
        "|---|---|---|---|---|---|---|",
    ]
    sums = {name: [_sum(rows, side, steps) for side, steps in _sides(groups)] for name, groups in GROUPS.items()}
    for name, pair in sums.items():
        lines.append(_compared(name, *pair))
    lines.append(_compared("**data part**", *(_added(sums[name][side] for name in DATA) for side in (0, 1))))
    lines.append(_compared("**whole**", *(_sum(rows, side, (WHOLE,)) for side in ("project", "yardstick"))))
    peaks = [rows[side, WHOLE].peak_bytes / 1e9 for side in ("project", "yardstick")]
    lines += ["", f"Peak memory of all processes: project {peaks[0]:.1f} GB, yardstick {peaks[1]:.1f} GB.", ""]
    lines += ["| step | s | CPU s | rows | peak GB | stages | read MB | shuffled MB | spilled MB | written MB |"]
    lines += ["|---|---|---|---|---|---|---|---|---|---|"]
    lines += [_detail(row) for (side, _), row in rows.items() if side == "project"]
    lines += [_detail(row) for (side, _), row in rows.items() if side == "yardstick"]
    return "\n".join(lines) + "\n"


def _sides(groups: tuple[tuple[str, ...], tuple[str, ...]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return ("project", groups[0]), ("yardstick", groups[1])


def _sum(rows: Mapping[tuple[str, str], StepRow], side: str, steps: Iterable[str]) -> tuple[float, float]:
    found = [rows[side, step] for step in steps if (side, step) in rows]
    return sum(row.seconds for row in found), sum(row.cpu_seconds for row in found)


def _added(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    walls, cpus = zip(*pairs, strict=True)
    return sum(walls), sum(cpus)


def _compared(name: str, project: tuple[float, float], yardstick: tuple[float, float]) -> str:
    ratios = [f"{ours / theirs:.2f}" if theirs else "" for ours, theirs in zip(project, yardstick, strict=True)]
    return "| " + " | ".join([name, *(f"{number:.1f}" for number in (*project, *yardstick)), *ratios]) + " |"


def _detail(row: StepRow) -> str:
    megabytes = (row.read_bytes, row.shuffled_bytes, row.spilled_bytes, row.written_bytes)
    cells = [
        f"{row.implementation}: {row.step}", f"{row.seconds:.1f}", f"{row.cpu_seconds:.1f}", f"{row.rows:,}",
        f"{row.peak_bytes / 1e9:.2f}", "" if row.stages is None else str(row.stages),
        *("" if size is None else f"{size / 1e6:,.0f}" for size in megabytes),
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"
