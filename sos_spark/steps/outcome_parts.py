"""What each unit's sums of index rows are made from, and so which of them have to be made again."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sos_spark.steps.context import Run
from sos_spark.steps.parts import Change, digest, what_changed
from sos_spark.tables import (
    COHORT_OBSERVED,
    COHORT_UNITS,
    OUTCOME_SUMS,
    QUARANTINE,
    SILVER_CHILD_LINKS,
    SILVER_ENTITIES,
    SILVER_ICPCS,
    Table,
)

INPUTS: dict[str, Table] = {**SILVER_ENTITIES, "icpcs": SILVER_ICPCS, "child_links": SILVER_CHILD_LINKS}
"""What outcomes read, by the names of `Records.silver`."""

RECORDS = (*INPUTS.values(), *QUARANTINE.values())
"""The tables that index rows are made from, each an authority's rows by themselves."""


@dataclass(frozen=True)
class UnitsDue:
    """What the sums of every study are made from, by study and unit, and which units of this study have changed."""

    parts: Mapping[str, str]
    change: Change
    units: Mapping[str, Sequence[str]]

    def codes_of(self, units: Sequence[str]) -> list[str]:
        """Returns the LA codes of some units; of one that the study no longer has, none."""
        return sorted(code for unit in units for code in self.units.get(unit, ()))


def units_due(run: Run, how: str) -> UnitsDue:
    """Returns what the units' sums are to be made from, and which are not. Needs no Spark.

    A unit's come from where it stands in the study, what was observed of it and its LA codes' records, and from `how`:
    a hash of code and settings. Sums of other studies in the table stay what they are, and are named on.

    Raises:
        InputError: The lake lacks the study's cohort.
    """
    lake, study_id = run.lake, run.the_study.study_id
    what: dict[str, list[Any]] = defaultdict(list)
    codes: dict[str, list[str]] = {}
    unit_of: dict[str, str] = {}
    for row in lake.arrow(COHORT_UNITS, where={"study_id": study_id}).to_pylist():
        what[row["unit_id"]].append(row)
        codes.setdefault(row["unit_id"], []).append(row["la_code"])
        unit_of[row["la_code"]] = row["unit_id"]
    for row in lake.arrow(COHORT_OBSERVED, where={"study_id": study_id}).to_pylist():
        what[unit_of[row["la_code"]]].append(row)
    for table in RECORDS:
        parts = lake.parts(table)
        for la_code, unit in unit_of.items():
            # A table that does not tell its parts has changed in all of them whenever it has changed.
            what[unit].append([table.name, la_code, parts.get(la_code) if parts else lake.version(table)])
    own = {unit: digest(how, sorted(map(_in_order, content))) for unit, content in what.items()}
    known = lake.parts(OUTCOME_SUMS)
    before = {name.removeprefix(_named(study_id, "")): part for name, part in known.items() if _is_of(name, study_id)}
    others = {name: part for name, part in known.items() if not _is_of(name, study_id)}
    change = what_changed([before], own, weights={}, called="units")
    return UnitsDue({**others, **{_named(study_id, unit): part for unit, part in own.items()}}, change, codes)


def _in_order(content: object) -> str:
    return json.dumps(content, sort_keys=True, default=str)


def _named(study_id: str, unit: str) -> str:
    """The name of a unit's part of outcome.sums. A study_id holds no slash."""
    return f"{study_id}/{unit}"


def _is_of(name: str, study_id: str) -> bool:
    return name.startswith(_named(study_id, ""))
