"""A kind of outcome is a file that declares it and one of its name that computes it; nothing else names a kind."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from sos_spark.config.outcomes import KINDS
from sos_spark.config.shipped import conf_root

PACKAGE = conf_root().parent / "sos_spark"
DECLARED = PACKAGE / "config" / "outcomes"
COMPUTED = PACKAGE / "outcome" / "kinds"
SHARED = {"__init__", "base", "nfa_decision"}
PUBLISHED_ROWS = PACKAGE / "outcome" / "published_rows.py"
"""Where published tables, the source of one kind, come in."""
ELSEWHERE = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if not path.is_relative_to(DECLARED) and not path.is_relative_to(COMPUTED)
]


def files_of(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.py")} - SHARED


def test_every_kind_is_declared_in_a_file_of_its_name() -> None:
    assert files_of(DECLARED) == set(KINDS)
    for name, kind in KINDS.items():
        assert kind.__module__ == f"sos_spark.config.outcomes.{name}"


def test_every_kind_from_records_is_computed_in_a_file_of_its_name() -> None:
    assert files_of(COMPUTED) == {name for name, kind in KINDS.items() if kind.reads}


def kinds_named(tree: ast.AST) -> Iterator[str]:
    """Yields the kinds that code imports the model of, or compares a kind with."""
    models = {kind.__name__ for kind in KINDS.values()}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sos_spark.config.outcomes"):
            yield from (name.name for name in node.names if name.name in models)
        elif isinstance(node, ast.Compare) and any(_is_a_kind(side) for side in (node.left, *node.comparators)):
            values = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant)]
            yield from (value for value in values if value in KINDS)


def _is_a_kind(side: ast.expr) -> bool:
    return (isinstance(side, ast.Attribute) and side.attr == "kind") or (
        isinstance(side, ast.Name) and side.id == "kind"
    )


def test_no_kind_is_named_outside_its_files() -> None:
    found = {path: sorted(kinds_named(ast.parse(path.read_text(encoding="utf-8")))) for path in ELSEWHERE}
    assert {path: names for path, names in found.items() if names} == {PUBLISHED_ROWS: ["Published"]}


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("if outcome.kind == 'icpc': pass", ["icpc"]),
        ("x = kind in ('published', 'icpc')", ["icpc", "published"]),
        ("from sos_spark.config.outcomes import Icpc, Outcome", ["Icpc"]),
        ("if comparators.kind == 'matched': pass", []),
        ("if entity == 'icpc': pass", []),
    ],
)
def test_what_counts_as_naming_a_kind(code: str, named: list[str]) -> None:
    assert sorted(kinds_named(ast.parse(code))) == named
