"""The table of outside references: read from the test files' own declarations, so that it says what a test does.

A declaration is `NAME = Reference(...)` at the top of a file of tests/oracle (`tests.references`), and counts where a
test of that file compares by `NAME.equals(...)`, itself or in a function that it calls.
"""

from __future__ import annotations

import ast
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[2] / "tests" / "oracle"
COLUMNS = ("subject", "quantity", "against", "kind", "agreement", "tests")

_HEAD = """# What each method was checked against

Made by `python -m tools.reference` from the tests of `tests/oracle`; a row is there because a test compares with it, as
closely as it says. *Agreement* is the largest difference that the test lets pass: relative, or in the number's own
unit.

| method | numbers | checked against | how | agreement | tests |
|---|---|---|---|---|---|
"""


class UnusedReferenceError(Exception):
    """A reference is declared and no test compares with it."""


@dataclass(frozen=True)
class Row:
    """One reference, with the tests that compare with it."""

    subject: str
    quantity: str
    against: str
    kind: str
    within: float
    absolute: bool
    file: str
    tests: tuple[str, ...]

    @property
    def agreement(self) -> str:
        """The difference that passes, in words."""
        return f"{self.within:.0e}".replace("e-0", "e-") + (", in its unit" if self.absolute else ", relative")


def rows(folder: Path = TESTS) -> list[Row]:
    """Returns every reference of a folder of tests, by method and then as the files have them.

    Raises:
        UnusedReferenceError: No test compares with one.
    """
    found = [row for path in sorted(folder.glob("test_*.py")) for row in _rows_of(path)]
    return sorted(found, key=lambda row: row.subject.lower())


def page() -> str:
    """Returns the page as Markdown."""
    return _HEAD + "".join(
        f"| {row.subject} | {row.quantity} | {row.against} | {row.kind} | {row.agreement} | `{row.file}`: "
        f"{', '.join(f'`{test}`' for test in row.tests)} |\n"
        for row in rows()
    )


def table() -> str:
    """Returns the same as CSV, for the report's section on method."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows():
        tests = " ".join(f"{row.file}::{test}" for test in row.tests)
        writer.writerow((row.subject, row.quantity, row.against, row.kind, row.agreement, tests))
    return out.getvalue()


def _rows_of(path: Path) -> Iterator[Row]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
    for name, values in _declared(tree):
        compare = {function for function, body in functions.items() if _compares(body, name)}
        while more := {one for one, body in functions.items() if _names(body) & compare} - compare:
            compare |= more
        tests = tuple(one for one in functions if one in compare and one.startswith("test_"))
        if not tests:
            raise UnusedReferenceError(f"{path.name}: no test compares with {name}")
        yield Row(**{"absolute": False, **values}, file=path.name, tests=tests)


def _declared(tree: ast.Module) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in tree.body:
        if (
            isinstance(one, ast.Assign)
            and isinstance(one.targets[0], ast.Name)
            and isinstance(one.value, ast.Call)
            and isinstance(one.value.func, ast.Name)
            and one.value.func.id == "Reference"
        ):
            names = ("subject", "quantity", "against", "kind", "within")
            values = dict(zip(names, map(ast.literal_eval, one.value.args), strict=False))
            values |= {str(word.arg): ast.literal_eval(word.value) for word in one.value.keywords}
            yield one.targets[0].id, values


def _compares(function: ast.FunctionDef, name: str) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "equals"
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        for node in ast.walk(function)
    )


def _names(function: ast.FunctionDef) -> set[str]:
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
