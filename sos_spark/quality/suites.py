"""The suites of expectations/: Great Expectations' JSON, one file per table, reviewed as text.

A suite's meta declares the facts that are counted of its table by place (see `facts`); its expectations are about these
facts. Each expectation's meta gives its severity (error stops the run, warning is told) and why it stands; a name there
tells two expectations about one fact apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from sos_spark.errors import StudyError
from sos_spark.quality.facts import N_ROWS, Fact, read_fact
from sos_spark.tables import TABLES

Layer = Literal["bronze", "silver", "panel"]
Severity = Literal["error", "warning"]


class BrokenRuleError(StudyError):
    """A rule cannot be evaluated: it names a column its table lacks, say. Nothing is known of the data."""


ROW_COUNT, BETWEEN = "expect_table_row_count_to_be_between", "expect_column_values_to_be_between"
"""What is expected of facts: that there are places at all, or that a fact lies within bounds in each place."""


@dataclass(frozen=True)
class Expectation:
    """One expectation, as its suite's file has it."""

    type: str
    kwargs: dict[str, Any]
    severity: Severity
    name: str
    why: str = ""

    @property
    def fact(self) -> str | None:
        """The fact that it is about; None where it is about there being rows at all."""
        return self.kwargs.get("column")


@dataclass(frozen=True)
class Suite:
    """The expectations of a table, the facts they are about, and after which layer they are checked."""

    table: str
    layer: Layer
    expectations: tuple[Expectation, ...]
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def columns_of(self, expectation: Expectation) -> tuple[str, ...]:
        """Returns the columns of the table that an expectation is about, where its fact names them."""
        fact = self.facts.get(expectation.fact or "")
        return fact.columns if fact is not None else ()


def broken(suite: Suite, rule: str | None, found: str) -> BrokenRuleError:
    """Returns the error that tells of a broken rule: an expectation or a fact of a suite, or the suite."""
    return BrokenRuleError(
        "A rule is broken; nothing is known of the data",
        where=f"expectations/{suite.table}.json" + (f", {rule}" if rule else ""),
        found=found,
        remedy="Correct the suite, or the table it is about",
    )


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
        table = content["name"]
        suite = Suite(
            table,
            _one_of(get_args(Layer), content["meta"]["layer"]),
            tuple(_expectation(entry) for entry in content["expectations"]),
            {name: read_fact(fact, TABLES.get(table)) for name, fact in content["meta"].get("facts", {}).items()},
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, f"{type(error).__name__}: {error}") from None
    if suite.table != path.stem:
        raise _unreadable(path, f"the name {suite.table}, which is not the file's")
    twice = _twice([expectation.name for expectation in suite.expectations])
    if twice:
        raise _unreadable(path, f"expectations that cannot be told apart without a name in meta: {', '.join(twice)}")
    expected = {expectation.fact for expectation in suite.expectations} - {None}
    undeclared = sorted(str(fact) for fact in expected - {N_ROWS, *suite.facts})
    if undeclared:
        raise _unreadable(path, f"expectations of facts that the suite does not declare: {', '.join(undeclared)}")
    return suite


def _expectation(entry: dict[str, Any]) -> Expectation:
    meta, kwargs = entry["meta"], dict(entry["kwargs"])
    kind = _one_of((ROW_COUNT, BETWEEN), entry["type"])
    if (kind == BETWEEN) != ("column" in kwargs):
        raise ValueError(f"{BETWEEN} names a fact as its column, {ROW_COUNT} none")
    return Expectation(
        kind,
        kwargs,
        _one_of(get_args(Severity), meta["severity"]),
        meta.get("name") or kwargs.get("column") or kind,
        meta.get("why", ""),
    )


def _one_of(allowed: Sequence[str], value: str) -> Any:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return value


def _twice(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _unreadable(path: Path, found: str) -> BrokenRuleError:
    return BrokenRuleError(
        "A suite of expectations cannot be read",
        where=str(path),
        expected="name, meta.layer, meta.facts, and expectations with type, kwargs and meta.severity",
        found=found,
        remedy="Correct the file",
    )
