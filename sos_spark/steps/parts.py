"""What each part of a table was made from, and which parts a run therefore has to make again.

A part is an authority's rows (of what validate writes) or a unit's (of outcome). A table's newest commit names its
parts with a digest each (`Lake.parts`): of what the rows came from, and of how they were made.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_PARTED = "."
_HOW_LENGTH, _WHAT_LENGTH = 16, 32
MOST = 0.5
"""Above this share of the rows all are made again: a table is then written once, not read, sifted and written."""


@dataclass(frozen=True)
class Change:
    """What has to be made again: parts by name, gone ones included (their rows go); None: all of them. And why.

    `n_rows`: the rows that it is made from, by the weights of the parts.
    """

    only: tuple[str, ...] | None
    why: str
    n_rows: int = 0

    @property
    def is_none(self) -> bool:
        """Whether nothing has to be made again."""
        return self.only == ()


def digest(how: str, what: object) -> str:
    """Returns a part's digest. `how`: a hash of code and settings; `what`: what the part is made from, JSON."""
    content = hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()
    return f"{how[:_HOW_LENGTH]}{_PARTED}{content[:_WHAT_LENGTH]}"


def fingerprint_of(parts: Mapping[str, str]) -> str:
    """Returns the fingerprint of a table that is made from these parts and nothing else."""
    return hashlib.sha256(json.dumps(dict(parts), sort_keys=True).encode()).hexdigest()


def authority_parts(files: Iterable[Mapping[str, Any]], how: str) -> dict[str, str]:
    """Returns the digest of each authority by la_code, from the rows of bronze.files (as `file_rows` gives them).

    A file's content and the code that read it decide what bronze holds of it, so no row has to be looked at.
    """
    return {la_code: digest(how, sorted(rows)) for la_code, rows in _by_authority(files).items()}


def rows_by_authority(files: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Returns how many rows bronze holds of each authority, from the rows of bronze.files."""
    n_rows: dict[str, int] = defaultdict(int)
    for row in files:
        if _is_taken(row):
            n_rows[row["la_code"]] += sum(row["rows_by_module"].values())
    return n_rows


def _by_authority(files: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in files:
        if _is_taken(row):
            kept = {name: row[name] for name in ("file_id", "file_sha256", "collection", "census_year", "read_by")}
            found[row["la_code"]].append(json.dumps([kept, row["rows_by_module"]], sort_keys=True))
    return found


def _is_taken(row: Mapping[str, Any]) -> bool:
    """Whether a file's rows are in bronze; published tables are no authority's."""
    return row["status"] == "accepted" and row["la_code"] is not None


def what_changed(
    before: Sequence[Mapping[str, str]], now: Mapping[str, str], *, weights: Mapping[str, int], called: str
) -> Change:
    """Returns which parts of any of the tables are not what they would be made from now.

    Args:
        before: The parts of each table (`Lake.parts`); without any, what the table holds is not known.
        now: The parts as they would be.
        weights: The size of each part, in rows; 1 where not given.
        called: What a part is, in words, as 'authorities'.
    """
    total = sum(weights.get(name, 1) for name in now)
    if not all(before):
        return Change(None, "not made before, or not known from what", total)
    names = {name for parts in before for name in parts.keys() | now.keys() if parts.get(name) != now.get(name)}
    if not names:
        return Change((), "made from the same already")
    if all(_how(parts[name]) != _how(now[name]) for parts in before for name in parts.keys() & now.keys()):
        return Change(None, "the code, the reference data, the settings or the key have changed", total)
    changed = sum(weights.get(name, 1) for name in names & now.keys())
    told = f"{len(names)} of {len(now)} {called} have changed"
    if not total or changed / total > MOST:
        return Change(None, told, total)
    return Change(tuple(sorted(names)), told, changed)


def _how(part: str) -> str:
    return part.partition(_PARTED)[0]
