"""What Spark's event log says of each stage: when it ended, and the bytes it read, shuffled, spilled and wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_METRICS = {
    "internal.metrics.input.bytesRead": "read",
    "internal.metrics.shuffle.write.bytesWritten": "shuffled",
    "internal.metrics.diskBytesSpilled": "spilled",
    "internal.metrics.output.bytesWritten": "written",
}


@dataclass(frozen=True)
class Stage:
    """A stage that ended, at seconds since the epoch, and its bytes."""

    ended: float
    read: int = 0
    shuffled: int = 0
    spilled: int = 0
    written: int = 0


def settings(folder: Path) -> str:
    """Returns the lines of a spark-defaults.conf under which sessions log their events to a folder."""
    return "\n".join(
        [
            "spark.eventLog.enabled true",
            f"spark.eventLog.dir {folder.as_uri()}",
            "spark.eventLog.compress false",
            "spark.eventLog.rolling.enabled false",
            "",
        ]
    )


def read_stages(folder: Path) -> list[Stage]:
    """Returns the stages of every log below a folder, in no particular order."""
    return [stage for path in sorted(folder.rglob("*")) if path.is_file() for stage in _stages_of(path)]


def total(stages: Iterable[Stage], start: float, end: float) -> tuple[int, Stage]:
    """Returns how many stages ended between two times, and the sums of their bytes."""
    within = [stage for stage in stages if start <= stage.ended < end]
    names = _METRICS.values()
    return len(within), Stage(end, **{name: sum(getattr(stage, name) for stage in within) for name in names})


def _stages_of(path: Path) -> Iterator[Stage]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if '"SparkListenerStageCompleted"' not in line[:80]:
                continue
            info = json.loads(line)["Stage Info"]
            named = ((_METRICS.get(one.get("Name")), one.get("Value")) for one in info.get("Accumulables", ()))
            bytes_of = {name: int(value) for name, value in named if name is not None}
            yield Stage(info["Completion Time"] / 1000, **bytes_of)
