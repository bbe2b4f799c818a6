"""What a run would read and make again, told without making it. Needs no Spark."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from sos_spark.bronze.arrive.inventory import take_inventory
from sos_spark.errors import SosError, shown_list
from sos_spark.places import place_of
from sos_spark.steps import outcome, validate
from sos_spark.steps.context import Run
from sos_spark.steps.known_files import read_files
from sos_spark.steps.parts import Change
from sos_spark.steps.pseudonym_key import read_key


def what_is_due(run: Run, steps: Sequence[str]) -> dict[str, str]:
    """Returns, in words, what of these steps would be done, by step: of those that can tell.

    What a step would do is told of the lake as it stands: where an earlier step would change it, that is said. What
    cannot be told, as without a key, is told as that.
    """
    tellers: dict[str, Callable[[Run], tuple[bool, str]]] = {
        "ingest": _ingest,
        "validate": lambda run: _told(validate.what_is_due(run.lake, read_key(run.environment)).change),
        "outcome": lambda run: _told(outcome.what_is_due(run).change),
    }
    told: dict[str, str] = {}
    for step in steps:
        if step in tellers:
            try:
                changes, told[step] = tellers[step](run)
            except SosError as fault:
                told[step] = f"not known: {fault.what}"
                break
            if changes:
                break
    return told


def _ingest(run: Run) -> tuple[bool, str]:
    """Which files the lake does not know by their content; the code that reads is not looked at."""
    files = take_inventory(run.source).files
    known = {row["file_sha256"] for row in read_files(run.lake).values()}
    new = [file.name for file in files if _sha256(file.path) not in known]
    return bool(new), f"{len(new)} of {len(files)} files are new to the lake" + _listed(new)


def _sha256(path: str) -> str:
    with place_of(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _told(change: Change) -> tuple[bool, str]:
    if change.only is None:
        return True, f"everything: {change.why}"
    return not change.is_none, change.why + _listed(change.only)


def _listed(names: Sequence[str]) -> str:
    return f": {shown_list(names)}" if names else ""
