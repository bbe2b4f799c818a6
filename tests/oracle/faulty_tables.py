"""Simulated returns as flat tables, with faults of every kind a row rule is about, and LA-years that are missing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sos_spark.simulate import Effects
from tests.simulated import simulated_records

MODULES = (
    "child_identifiers", "cin_details", "assessments", "section47", "cp_plans", "lac_header", "lac_episodes",
)  # fmt: skip
_DAYS = (-800, -400, -30, -1, 1, 30, 400)
_PLACES = ("la_code", "census_year")
_AS_RECEIVED = {*_PLACES, "UPN", "FormerUPN", "UPNunknown"}
_IDS = {"LAchildID", "CHILD"}


def write_faulty_tables(
    folder: Path,
    *,
    la_codes: Collection[str],
    scale: float,
    seed: int,
    share: float,
    missing: Collection[tuple[str, int]],
) -> None:
    """Writes tables/<module>/part.parquet of some authorities, all columns but the year as text.

    `share` of the rows are repeated, perhaps with a change, or have one field changed; of the authorities and years
    in `missing` there is no return.
    """
    tables, _ = simulated_records(Effects(), la_codes=sorted(la_codes), scale=scale, seed=seed)
    random = Random(seed)
    for module in MODULES:
        names = tables[module].column_names
        rows = [
            row for row in tables[module].to_pylist() if (row["la_code"], row["census_year"]) not in set(missing)
        ]  # fmt: skip
        faulty = [one for row in rows for one in _perhaps_faulty(_as_text(row), share, random)]
        types = [(name, pa.int32() if name == "census_year" else pa.string()) for name in names]
        path = folder / "tables" / module / "part.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(faulty, pa.schema(types)), path)


def _as_text(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


def _perhaps_faulty(row: dict[str, Any], share: float, random: Random) -> list[dict[str, Any]]:
    if random.random() >= share:
        return [row]
    names = [name for name in row if name not in _AS_RECEIVED and (name not in _IDS or random.random() < 0.3)]
    name = random.choice(names)
    changed = {**row, name: _changed(row[name], name, random)}
    return random.choice(([row, row], [row, changed], [changed], [changed], [changed]))


def _changed(value: str | None, name: str, random: Random) -> str | None:
    if name in _IDS:
        return random.choice((None, " ", f" {value} "))
    if value is None:
        return random.choice(("2020-01-01", "01/01/2020", "X9"))
    day = _day(value)
    if day is None:
        return random.choice((None, "X9", value.lower(), f" {value} "))
    other = day + timedelta(days=random.choice(_DAYS))
    written = f"{other:%d/%m/%Y}" if "/" in value else other.isoformat()
    return random.choice((None, "not a day", "31/02/2016", "1900-01-01", written, written, written, written))


def _day(text: str) -> date | None:
    try:
        if "/" in text:
            day, month, year = map(int, text.split("/"))
            return date(year, month, day)
        return date.fromisoformat(text) if text.count("-") == 2 else None
    except ValueError:
        return None
