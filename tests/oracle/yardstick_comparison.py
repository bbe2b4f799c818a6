"""What the package made of a source beside what the yardstick made of it, row by row."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.versions import version_of
from sos_spark.tables import (
    DQ_LEDGER,
    DQ_RULE_COUNTS,
    OUTCOME_INDEX_ROWS,
    QUARANTINE,
    SILVER_CHILD_LINKS,
    SILVER_ENTITIES,
    SILVER_ICPCS,
    Table,
)

NOT_COMPARED = {"file_id", "warnings"}
"""Columns that the yardstick has not: it calls files by no id, and has no rules of severity warning."""


NOT_ON_ROWS = ("logit", "synthetic_did")
"""Specifications that are no linear regression on rows."""
RELATIVE, ABSOLUTE = 1e-9, 1e-12


def differences(lake: Path, out: Path) -> dict[str, tuple[int, int]]:
    """Returns, by table that differs, how many rows only the package and only the yardstick has.

    Compared are silver, conferences, links and quarantine, index rows, the ledger and the record of the rules.
    """
    pairs: list[tuple[Table, str]] = [
        *((table, f"'{out}/silver/{name}.parquet'") for name, table in SILVER_ENTITIES.items()),
        *((table, f"'{out}/quarantine/{name}.parquet'") for name, table in QUARANTINE.items()),
        (SILVER_ICPCS, f"'{out}/silver/icpcs.parquet'"),
        (SILVER_CHILD_LINKS, f"'{out}/silver/child_links.parquet'"),
    ]
    found: dict[str, tuple[int, int]] = {}
    for table, theirs in pairs:
        columns = ", ".join(name for name in table.column_names if name not in NOT_COMPARED)
        found[table.name] = _both_ways(lake, table, f"SELECT {columns} FROM ours", f"SELECT {columns} FROM {theirs}")
    if version_of(lake, OUTCOME_INDEX_ROWS) is not None:  # left only where it was asked for
        found[OUTCOME_INDEX_ROWS.name] = _index_rows(lake, out)
    counted = "sum(n_received), sum(n_silver), sum(n_quarantined), sum(n_superseded_by_later_return)"
    found[DQ_LEDGER.name] = _both_ways(
        lake, DQ_LEDGER, f"SELECT entity, {counted} FROM ours GROUP BY ALL",
        f"SELECT entity, {counted} FROM '{out}/ledger.csv' GROUP BY ALL",
    )  # fmt: skip
    found[DQ_RULE_COUNTS.name] = _both_ways(
        lake, DQ_RULE_COUNTS,
        "SELECT entity, rule_code, la_code, census_year, n_failed FROM ours"
        " WHERE severity != 'warning' AND n_failed > 0",
        f"SELECT entity, rule_code, la_code, census_year, n FROM read_csv('{out}/rule_counts.csv',"
        " types = {'la_code': 'VARCHAR'})",
    )  # fmt: skip
    return {name: counts for name, counts in found.items() if counts != (0, 0)}


def _index_rows(lake: Path, out: Path) -> tuple[int, int]:
    columns = ", ".join(name for name in OUTCOME_INDEX_ROWS.column_names if name not in ("study_id", "outcome_id"))
    outcome = "regexp_extract(filename, '([^/]+)\\.parquet$', 1)"
    theirs = f"read_parquet('{out}/index_rows/*.parquet', filename = TRUE)"
    return _both_ways(
        lake, OUTCOME_INDEX_ROWS,
        f"SELECT outcome_id, {columns} FROM ours", f"SELECT {outcome}, {columns} FROM {theirs}",
    )  # fmt: skip


def _both_ways(lake: Path, table: Table, ours: str, theirs: str) -> tuple[int, int]:
    with duckdb.connect() as db:
        db.register("ours", read_arrow(lake, table))
        counts = [
            db.execute(f"SELECT count(*) FROM (({one}) EXCEPT ALL ({other}))").fetchall()[0][0]
            for one, other in ((ours, theirs), (theirs, ours))
        ]
    return counts[0], counts[1]


def read_cells(path: Path) -> pd.DataFrame:
    """Returns cells.csv, codes as text."""
    return pd.read_csv(path, dtype={"unit_id": str}, keep_default_na=False)


def estimates_differ(ours: pd.DataFrame, theirs: pd.DataFrame) -> list[str]:
    """Returns a line for each specification whose rows, effect or CR1 differ, or that one of them alone has.

    What the package can estimate and pyfixest cannot on rows (grouped logit, synthetic controls) is passed over.
    """
    key = ["outcome_id", "specification"]
    known = ours[ours["att"].notna() & ~ours["specification"].isin(NOT_ON_ROWS)]
    beside = known.merge(theirs, on=key, how="outer", suffixes=("", "_rows"), indicator=True)
    same = beside["_merge"].eq("both") & beside["n_rows"].eq(beside["n_rows_rows"])
    for name in ("att", "se_cr1"):
        gap = (beside[name] - beside[f"{name}_rows"]).abs()
        same &= gap <= RELATIVE * beside[[name, f"{name}_rows"]].abs().max(axis=1) + ABSOLUTE
    told = [*key, "_merge", "n_rows", "n_rows_rows", "att", "att_rows", "se_cr1", "se_cr1_rows"]
    return [" ".join(map(str, row)) for row in beside.loc[~same, told].itertuples(index=False)]


def results_differ(lake: Path, results: Path, out: Path) -> list[str]:
    """Returns a line for everything in which a run of the package and the yardstick's differ."""
    found = [f"{name}: rows only here {here}, there {there}" for name, (here, there) in differences(lake, out).items()]
    ours, theirs = (read_cells(folder / "cells.csv") for folder in (results, out))
    if not ours.equals(theirs):
        found.append(f"cells.csv: {len(ours)} and {len(theirs)} cells, or other numbers")
    return found + estimates_differ(*(pd.read_csv(folder / "estimates.csv") for folder in (results, out)))
