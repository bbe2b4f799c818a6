"""What differs between two runs: the results by their keys, and the causes that the runs themselves name.

Tables hold text as the files have it. Nothing is rounded before it is compared: numbers are written as shortest
round-trip doubles, so equal text is an equal double.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sos_spark.comparison.runs import RunFiles
from sos_spark.config.freeze import changes_between
from sos_spark.errors import InputError
from sos_spark.tables.results import ESTIMATES, FLOW, QUALITY, RETURNS

SEED = "inference.seed: "
ESTIMATE_COLUMNS = (
    "n_rows", "att", "se_cr2", "ci_low_wcr", "ci_high_wcr", "ci_low_ri", "ci_high_ri", "p_wcr", "p_ri", "p_cr2",
    "verdict",
)  # fmt: skip
"""The columns of estimates.csv that a reader judges by; any other column that differs is named, not shown."""

_CELL_VALUES = ("n", "y_sum", "y_sumsq")


@dataclass(frozen=True)
class Causes:
    """What could have parted two runs, a line for each.

    Attributes:
        study: Keys of the study that differ, but for the seed.
        seed: The seeds, where they differ.
        code: Version, commit, lock or packages that differ.
        returns: Returns and published tables that only one run has, or whose content differs.
    """

    study: tuple[str, ...]
    seed: tuple[str, ...]
    code: tuple[str, ...]
    returns: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether any is known."""
        return bool(self.study or self.seed or self.code or self.returns)


@dataclass(frozen=True)
class TableDifference:
    """How a table of results differs.

    Attributes:
        keys: The columns that name a row.
        n_equal: Rows that are equal in both.
        changed: Rows in both that differ: the keys, and `<column>_before`, `<column>_after` of each column compared.
        removed: Keys of the rows that only the first run has.
        added: Keys of the rows that only the second run has.
        columns: The columns in which any row differs.
        is_of_both: Whether both runs left the table; where only one did, nothing is compared.
    """

    keys: tuple[str, ...]
    n_equal: int
    changed: pd.DataFrame
    removed: pd.DataFrame
    added: pd.DataFrame
    columns: tuple[str, ...]
    is_of_both: bool = True

    @property
    def is_equal(self) -> bool:
        """Whether both runs have the same rows with the same values, as far as both left any."""
        return self.changed.empty and self.removed.empty and self.added.empty


@dataclass(frozen=True)
class Comparison:
    """Two runs compared: `before` and `after` name them; `is_simulated`: the data of either were."""

    before: str
    after: str
    is_simulated: bool
    causes: Causes
    estimates: TableDifference
    cells: TableDifference
    flow: TableDifference
    quality: TableDifference

    @property
    def is_equal(self) -> bool:
        """Whether all results that both runs left are equal."""
        return all(table.is_equal for table in self.tables.values())

    @property
    def tables(self) -> dict[str, TableDifference]:
        """The tables of results by the name of their file."""
        return {"estimates": self.estimates, "cells": self.cells, "flow": self.flow, "quality": self.quality}


def compare_runs(before: RunFiles, after: RunFiles) -> Comparison:
    """Returns what differs between two runs and what could have parted them."""
    names = dict.fromkeys([*before.cells.columns, *after.cells.columns])
    cells = [name for name in names if name not in _CELL_VALUES and "__" not in name]
    return Comparison(
        before=before.name,
        after=after.name,
        is_simulated=before.is_simulated or after.is_simulated,
        causes=causes_between(before, after),
        estimates=compare_tables(before.estimates, after.estimates, keys=ESTIMATES.key),
        cells=compare_tables(before.cells, after.cells, keys=cells),
        flow=compare_tables(before.flow, after.flow, keys=FLOW.key),
        quality=compare_tables(before.quality, after.quality, keys=QUALITY.key),
    )


def causes_between(before: RunFiles, after: RunFiles) -> Causes:
    """Returns the differences of study, seed, code and data that the runs name."""
    changes = changes_between(before.study, after.study)
    return Causes(
        study=tuple(change for change in changes if not change.startswith(SEED)),
        seed=tuple(change for change in changes if change.startswith(SEED)),
        code=tuple(_changes(before.made_by, after.made_by)),
        returns=tuple(_returns(before.returns, after.returns)),
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], within: str = "") -> list[str]:
    found = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += _changes(old, new, f"{within}{name}.")
        elif old != new:
            found.append(f"{within}{name}: {old} -> {new}")
    return found


def _returns(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    keys = RETURNS.key
    if before.empty and after.empty:
        return []
    found = compare_tables(
        after.iloc[:0] if before.empty else before, before.iloc[:0] if after.empty else after, keys=keys
    )
    lines = []
    gone, new = (_by_slice(frame) for frame in (found.removed, found.added))
    for place in sorted(gone | new):
        what = "another content" if place in gone and place in new else "only before" if place in gone else "only after"
        lines.append(f"{' '.join(part for part in place if part)}: {what}")
    for row in found.changed.to_dict(orient="records"):
        named = " ".join(str(row[name]) for name in keys[:3] if row[name])
        lines.append(f"{named}: {row['status_before']} -> {row['status_after']}")
    return lines


def _by_slice(frame: pd.DataFrame) -> set[tuple[str, ...]]:
    names = ["collection", "census_year", "la_code"]
    return set(frame[names].astype(str).itertuples(index=False, name=None)) if len(frame) else set()


def compare_tables(before: pd.DataFrame, after: pd.DataFrame, *, keys: Sequence[str]) -> TableDifference:
    """Returns how two tables differ; each has one row per key. A column that only one has differs in every row.

    A table without columns was not left by its run.

    Raises:
        InputError: A table has a key twice.
    """
    keys = list(keys)
    nothing = pd.DataFrame(columns=keys)
    if before.columns.empty != after.columns.empty:
        return TableDifference(tuple(keys), 0, nothing, nothing, nothing, (), is_of_both=False)
    if before.empty or after.empty:
        removed, added = (nothing if frame.empty else frame.reindex(columns=keys) for frame in (before, after))
        return TableDifference(tuple(keys), 0, nothing, removed, added, ())
    old, new = (_indexed(frame, keys) for frame in (before, after))
    shared = old.index.intersection(new.index, sort=False)
    if not (old.index.is_unique and new.index.is_unique):
        raise InputError("A table of results has a row twice", expected=f"one row per {', '.join(keys)}")
    columns = list(dict.fromkeys([*old.columns, *new.columns]))
    old_shared, new_shared = old.reindex(columns=columns).loc[shared], new.reindex(columns=columns).loc[shared]
    differs = (old_shared != new_shared) & ~(old_shared.isna() & new_shared.isna())
    rows = differs.any(axis=1)
    parted = [name for name in columns if differs[name].any()]
    changed = pd.concat(
        [
            frame.loc[rows, parted].add_suffix(suffix)
            for frame, suffix in ((old_shared, "_before"), (new_shared, "_after"))
        ],
        axis=1,
    )
    ordered = [f"{name}{suffix}" for name in parted for suffix in ("_before", "_after")]
    return TableDifference(
        keys=tuple(keys),
        n_equal=int((~rows).sum()),
        changed=changed[ordered].reset_index(),
        removed=old.index.difference(new.index, sort=False).to_frame(index=False)[keys],
        added=new.index.difference(old.index, sort=False).to_frame(index=False)[keys],
        columns=tuple(parted),
    )


def _indexed(frame: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    frame = frame.assign(**dict.fromkeys([key for key in keys if key not in frame], ""))
    return frame.astype(dict.fromkeys(keys, str)).set_index(list(keys))
