"""A comparison in words: lines for a terminal, a record for a machine, sections for a page."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from sos_spark.comparison.differences import ESTIMATE_COLUMNS, Comparison, TableDifference
from sos_spark.report.blocks import Block, Bullets, Code, DataTable, Heading, Lead, Section, Table, Text

_DECIMAL = re.compile(r"-?\d+\.\d+(e[+-]\d+)?")
MOST_SHOWN = 200
"""Rows of a table of differences that a page or a record shows; how many there are is always said."""

_TITLES = {
    "estimates": "Estimates",
    "cells": "Cells of the panel",
    "flow": "Sample flow",
    "quality": "Data quality",
}
_CAUSES = {
    "returns": "Data: returns and published tables",
    "study": "Study",
    "code": "Code, packages and locks",
    "seed": "Seed",
}


def in_one_line(comparison: Comparison) -> str:
    """Returns what a hurried reader needs."""
    of_one = [f"{name}.csv" for name, table in comparison.tables.items() if not table.is_of_both]
    left = f" Left by one of the runs only, and not compared: {', '.join(of_one)}." if of_one else ""
    if comparison.is_equal and of_one:
        return f"All results that both runs left are equal.{left}"
    if comparison.is_equal:
        return "All results are equal: every estimate, cell, count of the sample flow and of data quality."
    of_both = {name: table for name, table in comparison.tables.items() if table.is_of_both}
    parts = [f"{_TITLES[name].lower()}: {_count(table)}" for name, table in of_both.items()]
    return f"{'; '.join(parts)}.{left}"


def _count(table: TableDifference) -> str:
    if table.is_equal:
        return f"{table.n_equal:,} equal"
    counts = [
        f"{len(frame):,} {word}"
        for frame, word in ((table.changed, "changed"), (table.removed, "only before"), (table.added, "only after"))
        if len(frame)
    ]
    return ", ".join([*counts, f"{table.n_equal:,} equal"])


def lines(comparison: Comparison) -> Iterator[str]:
    """Yields the comparison as lines of text."""
    yield f"before: {comparison.before}"
    yield f"after:  {comparison.after}"
    yield in_one_line(comparison)
    for name, title in _CAUSES.items():
        found = getattr(comparison.causes, name)
        yield f"{title}: {f'{len(found):,} differ' if found else 'the same'}"
        yield from (f"  {line}" for line in found[:20])
        if len(found) > 20:
            yield f"  and {len(found) - 20:,} more"
    for row in main_estimates(comparison):
        yield "  ".join(row)


def record(comparison: Comparison) -> dict[str, Any]:
    """Returns the comparison for a machine: causes whole, and of each table the counts and the first differences."""
    return {
        "before": comparison.before,
        "after": comparison.after,
        "equal": comparison.is_equal,
        "causes": {name: list(getattr(comparison.causes, name)) for name in _CAUSES},
        "tables": {
            name: {
                "equal": table.n_equal,
                "changed": len(table.changed),
                "only_before": len(table.removed),
                "only_after": len(table.added),
                "columns": list(table.columns),
                "compared": table.is_of_both,
                "first_changes": [
                    {str(key): _plain(value) for key, value in row.items()}
                    for row in table.changed.head(MOST_SHOWN).to_dict(orient="records")
                ],
            }
            for name, table in comparison.tables.items()
        },
    }


def _plain(value: Any) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value.item() if hasattr(value, "item") else value


def main_estimates(comparison: Comparison) -> list[tuple[str, ...]]:
    """Returns the outcomes whose main estimate changed, a row each: outcome, before, after."""
    changed = comparison.estimates.changed
    if changed.empty or "att_before" not in changed:
        return []
    main = changed[changed["specification"] == "main"]
    return [
        (str(row["outcome_id"]), _digits(row["att_before"]), _digits(row["att_after"]))
        for row in main.to_dict(orient="records")
    ]


def _digits(value: Any) -> str:
    """A value as it is shown: six digits of a number that has more; all of them are in the files."""
    text = "" if value is None or pd.isna(value) else str(value)
    return f"{float(text):.6g}" if _DECIMAL.fullmatch(text) else text


def sections(comparison: Comparison) -> list[Section]:
    """Returns the comparison as the sections of a page."""
    return [
        Section("short", "In short", tuple(_short(comparison))),
        Section("causes", "What could have made the difference", tuple(_causes(comparison))),
        *(
            Section(name, _TITLES[name], tuple(_table(name, table)))
            for name, table in comparison.tables.items()
            if not table.is_equal
        ),
    ]


def _short(comparison: Comparison) -> Iterator[Block]:
    yield Lead(in_one_line(comparison))
    yield Text(("Before: ", Code(comparison.before), ". After: ", Code(comparison.after), "."))
    rows = main_estimates(comparison)
    if rows:
        yield Table("Main estimates that changed", DataTable(("Outcome", "Before", "After"), tuple(rows)))


def _causes(comparison: Comparison) -> Iterator[Block]:
    if not comparison.causes.found:
        yield Text(
            "The runs name no difference in data, study, code or seed."
            if comparison.is_equal
            else "The runs name no difference in data, study, code or seed: what parted them is not on record."
        )
    for name, title in _CAUSES.items():
        found = getattr(comparison.causes, name)
        if found:
            yield Heading(f"{title}: {len(found):,}")
            yield Bullets([(Code(line),) for line in found[:MOST_SHOWN]])
            if len(found) > MOST_SHOWN:
                yield Text(f"And {len(found) - MOST_SHOWN:,} more.", quiet=True)


def _table(name: str, table: TableDifference) -> Iterator[Block]:
    yield Text(
        f"{_count(table)[0].upper()}{_count(table)[1:]}. Columns that differ: {', '.join(table.columns) or 'none'}."
    )
    kept = [column for column in ESTIMATE_COLUMNS if column in table.columns] if name == "estimates" else table.columns
    shown = [*table.keys, *(f"{column}{end}" for column in kept for end in ("_before", "_after"))]
    for title, frame, columns in (
        ("Changed", table.changed, shown),
        ("Only before", table.removed, list(table.keys)),
        ("Only after", table.added, list(table.keys)),
    ):
        if len(frame):
            rows = [
                tuple(_digits(value) for value in row) for row in frame[columns].head(MOST_SHOWN).to_numpy(dtype=object)
            ]
            more = f" (the first {MOST_SHOWN:,} of {len(frame):,})" if len(frame) > MOST_SHOWN else ""
            header = tuple(column.replace("_", " ") for column in columns)
            yield Table(f"{title}{more}", DataTable(header, tuple(rows), len(table.keys)), folded=len(rows) > 20)
