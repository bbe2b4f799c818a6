"""returns_to_mend.csv: what goes back to which authority. Counts, files and rules; never a value of a record."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sos_spark.quality.authority_years import CHECKS
from sos_spark.report.results import rows_of
from sos_spark.report.returns.tables import ReturnTables, collection_of, name_of
from sos_spark.tables.results import TO_MEND


def to_mend(tables: ReturnTables) -> pd.DataFrame:
    """Returns the rows of returns_to_mend.csv, by authority and year; the columns of that file."""
    rows = [*_files(tables), *_rules(tables), *_checks(tables)]
    found = pd.DataFrame(rows, columns=list(TO_MEND.column_names))
    numbers = dict.fromkeys(("census_year", "n_rows", "n_failed"), "Int64")
    numbers |= dict.fromkeys(("found", "expected"), "float64")
    whole = found.astype(numbers).assign(la_name=found["la_code"].map(name_of))
    order = ["la_code", "census_year", "collection", "kind", "code", "subject"]
    return whole.sort_values(order, kind="stable", ignore_index=True)[list(TO_MEND.column_names)]


def _files(tables: ReturnTables) -> Iterator[dict[str, object]]:
    if tables.files.empty:
        return
    refused = tables.files[tables.files["status"] == "refused"].dropna(subset=["la_code", "census_year"])
    for (la_code, year, collection), own in refused.groupby(["la_code", "census_year", "collection"]):
        yield _row(la_code, year, collection, "file", "refused") | {
            "file_paths": "; ".join(dict.fromkeys(own["file_path"])),
            "subject": "",
            "request": "; ".join(dict.fromkeys(own["reason"].fillna("It was refused"))),
        }


def _rules(tables: ReturnTables) -> Iterator[dict[str, object]]:
    for row in rows_of(tables.costly):
        collection = collection_of(row.entity)
        yield _row(row.la_code, row.census_year, collection, "rule", row.rule_code) | {
            "file_paths": tables.paths.get((collection, row.la_code, row.census_year), ""),
            "dfe_code": row.dfe_code,
            "severity": row.severity,
            "subject": row.entity,
            "request": tables.meaning_of(row.entity, row.rule_code),
            "n_rows": row.n_rows,
            "n_failed": row.n_failed,
        }


def _checks(tables: ReturnTables) -> Iterator[dict[str, object]]:
    for row in rows_of(tables.doubts):
        collection = row.subject if row.check == "return_missing" else collection_of(row.subject)
        yield _row(row.la_code, row.census_year, collection, "check", row.check) | {
            "file_paths": ""
            if pd.isna(row.census_year)
            else tables.paths.get((collection, row.la_code, row.census_year), ""),
            "subject": row.subject,
            "request": f"{CHECKS[row.check].title}. {CHECKS[row.check].asks}",
            "n_rows": row.n,
            "found": row.found,
            "expected": row.expected,
        }


def _row(la_code: object, year: object, collection: object, kind: str, code: object) -> dict[str, object]:
    return {"la_code": la_code, "census_year": year, "collection": collection, "kind": kind, "code": code}
