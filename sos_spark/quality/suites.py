"""The suites of expectations/: Great Expectations' JSON, one file a table, reviewed as text.

Each expectation's meta says its severity (error stops the run, warning tells) and why it stands; a meta name tells two
expectations of one type on one column apart.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from sos_spark.errors import StudyError

Layer = Literal["bronze", "silver", "panel"]
Severity = Literal["error", "warning"]


class BrokenRuleError(StudyError):
    """A rule cannot be evaluated: it names a column its table lacks, say. Nothing is known of the data."""


@dataclass(frozen=True)
class Expectation:
    """One expectation, as its suite's file has it."""

    type: str
    kwargs: dict[str, Any]
    severity: Severity
    name: str
    why: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it names."""
        given = self.kwargs.get("column_list") or [self.kwargs.get("column")]
        return tuple(name for name in given if name is not None)


@dataclass(frozen=True)
class Suite:
    """The expectations of a table, and after which layer they are checked."""

    table: str
    layer: Layer
    expectations: tuple[Expectation, ...]


def load_suites(folder: Path, layer: Layer) -> tuple[Suite, ...]:
    """Returns a layer's suites, by table name.

    Raises:
        BrokenRuleError: A file is no suite; names the file and the fault.
    """
    suites = (_read(path) for path in sorted(folder.glob("*.json")))
    return tuple(suite for suite in suites if suite.layer == layer)


def _read(path: Path) -> Suite:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        suite = Suite(
            content["name"],
            _one_of(get_args(Layer), content["meta"]["layer"]),
            tuple(_expectation(entry) for entry in content["expectations"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _broken(path, f"{type(error).__name__}: {error}") from None
    if suite.table != path.stem:
        raise _broken(path, f"the name {suite.table}, which is not the file's")
    twice = _twice([expectation.name for expectation in suite.expectations])
    if twice:
        raise _broken(path, f"expectations that cannot be told apart without a name in meta: {', '.join(twice)}")
    return suite


def _expectation(entry: dict[str, Any]) -> Expectation:
    meta, kwargs = entry["meta"], dict(entry["kwargs"])
    severity = _one_of(get_args(Severity), meta["severity"])
    columns = kwargs.get("column_list") or [kwargs.get("column")]
    of = ", ".join(name for name in columns if name is not None)
    return Expectation(
        entry["type"],
        kwargs,
        severity,
        meta.get("name") or (f"{entry['type']}({of})" if of else entry["type"]),
        meta.get("why", ""),
    )


def _one_of(allowed: Sequence[str], value: str) -> Any:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return value


def _twice(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _broken(path: Path, found: str) -> BrokenRuleError:
    return BrokenRuleError(
        "A suite of expectations cannot be read",
        where=str(path),
        expected="name, meta.layer, and expectations with type, kwargs and meta.severity",
        found=found,
        remedy="Correct the file",
    )
