"""A plan frozen before the results: the study as it stood, kept beside its file, and what changed since."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sos_spark.config.load import fingerprint, load_study
from sos_spark.config.study import Study
from sos_spark.errors import InputError, StudyError


@dataclass(frozen=True)
class FrozenPlan:
    """A frozen plan against the study of a run. `changes` has a line for each key that differs; none: as planned.

    `plan` is the frozen study as plain data, by the keys of a study file.
    """

    frozen_at: str
    fingerprint: str
    changes: tuple[str, ...]
    plan: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def study(self) -> Study | None:
        """The study as it was frozen; None where this version no longer reads it, so that nothing can be compared."""
        return _as_study(self.plan)

    @property
    def as_planned(self) -> bool:
        """Whether nothing changed since."""
        return not self.changes


def frozen_path(study_path: Path) -> Path:
    """Returns where the frozen plan of a study file is kept: beside it."""
    return study_path.with_suffix(".frozen.json")


def freeze(study_path: Path, *, now: str) -> Path:
    """Keeps the study as it stands. Returns the file.

    Raises:
        StudyError: It was frozen before: a plan is frozen once.
    """
    study = load_study(study_path)
    path = frozen_path(study_path)
    plan = {"frozen_at": now, "fingerprint": fingerprint(study), "plan": _plain(study)}
    try:
        with path.open("x", encoding="utf-8") as handle:
            handle.write(json.dumps(plan, indent=2, sort_keys=True) + "\n")
    except FileExistsError:
        raise StudyError(
            "The plan is frozen already",
            where=str(path),
            remedy="Keep it: the report lists what changed since. A new plan is a new study file",
        ) from None
    return path


def frozen_plan(study_path: Path, study: Study) -> FrozenPlan | None:
    """Returns the frozen plan beside a study file, compared with the study of this run; None where there is none."""
    path = frozen_path(study_path)
    if not path.exists():
        return None
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        then = _as_study(kept["plan"])
        # A key that is newer than the plan has its default in both: it is no change.
        changes = tuple(_differences(kept["plan"], _plain(study))) if then is None else changes_between(then, study)
        return FrozenPlan(str(kept["frozen_at"]), str(kept["fingerprint"]), changes, kept["plan"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            "The frozen plan cannot be read", where=str(path), remedy="Restore the file as `study freeze` wrote it"
        ) from None


def changes_between(old: Study, new: Study) -> tuple[str, ...]:
    """Returns a line for each key in which two studies differ: `inference.draws: 99999 -> 999`."""
    return tuple(_differences(_plain(old), _plain(new)))


def _as_study(plan: Any) -> Study | None:
    try:
        return Study.model_validate(plan)
    except ValidationError:
        return None


def _plain(study: Study) -> Any:
    return study.plan()


def _differences(old: Any, new: Any, key: str = "") -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(name), new.get(name), f"{key}.{name}" if key else name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for position, (before, after) in enumerate(zip(old, new, strict=True), start=1):
            yield from _differences(before, after, f"{key}[{position}]")
    elif old != new:
        yield f"{key}: {json.dumps(old)} -> {json.dumps(new)}"
