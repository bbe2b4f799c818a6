"""Simulates England's returns part by part, each unit generated where it is written. Needs no Spark on one machine."""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypedDict

from sos_spark.config.reference import authorities, authority_changes
from sos_spark.config.simulated import MARK_FILE, MARK_TEXT, TRUTH_FILE
from sos_spark.errors import StudyError
from sos_spark.machine.workers import Result, Workers
from sos_spark.simulate.areas import Unit, absences_of, units_of
from sos_spark.simulate.calibration import SCALES, TINY_AUTHORITIES
from sos_spark.simulate.characteristics import NOTE, characteristics_of
from sos_spark.simulate.effects import Effects
from sos_spark.simulate.generate import Plan, records_of
from sos_spark.simulate.planting import PlannedEffect, Tally, planned_effects, truth_entries
from sos_spark.simulate.written import TableParts, write_returns

Scale = Literal["tiny", "small", "england"]
Form = Literal["returns", "tables"]

MOST_PARTS = 16
_PARTS = {"tiny": 2, "small": 8, "england": MOST_PARTS}
BYTES = {"tiny": 4 << 20, "small": 200 << 20, "england": 8 << 30}
"""About what eight years of a scale are as text."""
_WRITTEN = ("cin", "ssda903", "tables")
_TRUNCATED_AT_MOST = 0.01
_FIRST_YEAR, _LAST_YEAR = 2010, 2026


class Summary(TypedDict):
    """What is told of a part. `tallies`: a unit, an effect, then rows, sum of expectations and rows cut off."""

    files: int
    rows: dict[str, int]
    corrupt: dict[str, int]
    tallies: list[list[tuple[int, float, int]]]


@dataclass(frozen=True)
class SimulationReport:
    """What was written: the number of files, rows by module, and the content of truth.json."""

    files: int
    rows: Mapping[str, int]
    truth: Mapping[str, object]


def simulate(
    workers: Workers,
    *,
    out: Path,
    scale: Scale,
    census_years: Sequence[int],
    n_authorities: int | None,
    seed: int,
    form: Form,
    effects: Effects,
) -> SimulationReport:
    """Writes synthetic returns under `out`, and truth.json beside them; an earlier simulation there is replaced.

    `form` returns: cin/<year>/<la>.xml and ssda903/<year>/<la>/*.csv. `form` tables: tables/<module>/*.parquet. The
    same arguments give the same bytes. `out` must be a folder that every worker can write to. `n_authorities` counts
    authorities of the first census year; None is all of them, for the scale tiny twelve.

    Raises:
        StudyError: The years or the number of authorities make no sense, an effect names an unknown authority or is so
            large that more than 1 % of its rows would be cut off, or `out` holds other data. Nothing is then written.
    """
    years = _checked_years(census_years)
    out = Path(out).resolve()
    _refuse_other_data(out)
    if n_authorities is None and scale == "tiny":
        n_authorities = max(TINY_AUTHORITIES, len(effects.la_codes))
    units = units_of(
        authorities(), authority_changes(), effects, census_years=years, n_authorities=n_authorities, seed=seed
    )
    plan = Plan(
        seed=seed,
        scale=SCALES[scale],
        first_year=years[0],
        last_year=years[-1],
        planned=planned_effects(effects),
        absences=absences_of(units, effects, census_years=years, seed=seed),
    )
    staging = out / ".simulating"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        parts = _shares(units, min(_PARTS[scale], len(units)))
        summaries = _write_parts(workers, parts, plan, staging, form, n_bytes=BYTES[scale])
        tallies = _totals(plan.planned, summaries)
        _refuse_truncation(plan.planned, tallies)
        corrupt: Counter[str] = sum((Counter(summary["corrupt"]) for summary in summaries), Counter())
        truth = {
            "seed": seed,
            "scale": scale,
            "census_years": list(years),
            "effects": truth_entries(plan.planned, tallies),
            "corrupt_rows": dict(sorted(corrupt.items())),
            "missing_la_years": [
                {"la_code": code, "census_year": year, "collection": collection}
                for code, year, collection in sorted(plan.absences.returns)
            ],
            "authorities": characteristics_of(units, effects, census_years=years, seed=seed),
            "authorities_note": NOTE,
        }
        (staging / TRUTH_FILE).write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
        _replace(staging, out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    rows: Counter[str] = sum((Counter(summary["rows"]) for summary in summaries), Counter())
    return SimulationReport(sum(summary["files"] for summary in summaries), dict(sorted(rows.items())), truth)


def _checked_years(census_years: Sequence[int]) -> tuple[int, ...]:
    years = tuple(census_years)
    if (
        not years
        or years != tuple(range(years[0], years[0] + len(years)))
        or not (years[0] >= _FIRST_YEAR and years[-1] <= _LAST_YEAR)
    ):
        raise StudyError(
            "These census years cannot be simulated",
            expected=f"consecutive years from {_FIRST_YEAR} to {_LAST_YEAR}",
            found=f"{years[0]}-{years[-1]}" if years else "none",
        )
    return years


def _refuse_other_data(out: Path) -> None:
    """Replaces an earlier simulation, never data that came from elsewhere."""
    found = [name for name in _WRITTEN if (out / name).exists()]
    if found and not (out / TRUTH_FILE).exists():
        raise StudyError(
            "The folder holds data that no simulation wrote",
            where=str(out),
            expected="a new or empty folder, or an earlier simulation",
            found=", ".join(found),
            remedy="Name another folder",
        )


def _shares(units: Sequence[Unit], n_parts: int) -> list[tuple[Unit, ...]]:
    """Deals units to parts of about equal work: the largest first, each to the part that has least."""
    shares: list[list[Unit]] = [[] for _ in range(n_parts)]
    loads = [0.0] * n_parts
    for unit in sorted(units, key=lambda u: (-_share_of(u), u.areas[0].code)):
        least = loads.index(min(loads))
        shares[least].append(unit)
        loads[least] += _share_of(unit)
    return [tuple(sorted(share, key=lambda u: u.areas[0].code)) for share in shares]


def _share_of(unit: Unit) -> float:
    return sum(area.levels.share_of_england for area in unit.areas)


def _write_parts(
    workers: Workers, parts: Sequence[Sequence[Unit]], plan: Plan, folder: Path, form: Form, *, n_bytes: int
) -> list[Summary]:
    """Writes each part and returns their summaries, in order of part."""
    write = partial(_write_one, parts=parts, plan=plan, folder=str(folder), form=form)
    written = workers.run([{"part": part} for part in range(len(parts))], write, n_bytes=n_bytes)
    return [one["summary"] for one in sorted(written, key=lambda one: int(one["part"]))]


def _write_one(
    entry: Mapping[str, Any], *, parts: Sequence[Sequence[Unit]], plan: Plan, folder: str, form: Form
) -> Iterator[Result]:
    part = int(entry["part"])
    yield {"part": part, "summary": write_part(Path(folder), part, parts[part], plan, form)}


def write_part(folder: Path, part: int, units: Sequence[Unit], plan: Plan, form: Form) -> Summary:
    """Writes the records of a part's units, one unit at a time in memory; returns counts and the truth's sums."""
    rows: Counter[str] = Counter()
    corrupt: Counter[str] = Counter()
    totals: list[list[Tally]] = []
    n_files = 0
    with TableParts(folder, part) as tables:
        for unit in units:
            records = records_of(unit, plan)
            if form == "tables":
                tables.write(records.tables)
            else:
                n_files += write_returns(folder, records.tables)
            rows.update({module: table.num_rows for module, table in records.tables.items()})
            corrupt.update(records.corrupt)
            totals.append(list(records.tallies))
        n_files += tables.n_files
    return {
        "files": n_files,
        "rows": {module: count for module, count in rows.items() if count},
        "corrupt": dict(corrupt),
        "tallies": [[(tally.n_rows, tally.total, tally.n_cut) for tally in unit] for unit in totals],
    }


def _totals(planned: Sequence[PlannedEffect], summaries: Sequence[Summary]) -> list[Tally]:
    """Adds tallies up, exactly rounded, so that the sum does not depend on how units were dealt to parts."""
    units = [unit for summary in summaries for unit in summary["tallies"]]
    return [
        Tally(
            sum(unit[at][0] for unit in units),
            math.fsum(unit[at][1] for unit in units),
            sum(unit[at][2] for unit in units),
        )
        for at in range(len(planned))
    ]


def _refuse_truncation(planned: Sequence[PlannedEffect], tallies: Sequence[Tally]) -> None:
    faults = [
        f"{effect.outcome_id}: size {effect.size} cuts off {tally.n_cut} of {tally.n_rows} treated rows"
        for effect, tally in zip(planned, tallies, strict=True)
        if effect.size and tally.n_cut > _TRUNCATED_AT_MOST * tally.n_rows
    ]
    if faults:
        raise StudyError(
            "An effect is larger than the outcome has room for, and would not be the one asked for",
            expected=f"at most {_TRUNCATED_AT_MOST:.0%} of an effect's rows cut off at a bound",
            remedy="Ask for a smaller effect, or raise the baseline with [[baselines]]",
            faults=faults,
        )


def _replace(staging: Path, out: Path) -> None:
    """Puts the new simulation in place of an earlier one; truth.json comes last, so that it vouches for the rest."""
    (out / TRUTH_FILE).unlink(missing_ok=True)
    for name in _WRITTEN:
        shutil.rmtree(out / name, ignore_errors=True)
        if (staging / name).exists():
            (staging / name / MARK_FILE).write_text(MARK_TEXT, encoding="utf-8")
            (staging / name).rename(out / name)
    (staging / TRUTH_FILE).rename(out / TRUTH_FILE)
