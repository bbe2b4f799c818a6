"""A lake of counts alone, for what reads a lake without Spark: returns of two authorities, one of them troubled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from sos_spark import tables
from sos_spark.lake.arrow import arrow_schema
from sos_spark.lake.lake import declare
from sos_spark.lake.versions import table_path
from sos_spark.tables import Table

Row = dict[str, Any]
SOUND, TROUBLED = "301", "926"
BAD = "referral_date_missing"


def put_rows(lake: Path, table: Table, rows: list[Row]) -> None:
    """Writes a table as the lake has it, declared at version 0 and filled at version 1; what a row lacks is null."""
    schema = arrow_schema(table)
    path = table_path(lake, table)
    declare(lake, table, simulated=True)
    write_deltalake(path, pa.Table.from_pylist(rows, schema=schema), mode="append")


def a_file(la_code: str, year: int, number: int, **changed: Any) -> Row:
    """A row of bronze.files: an accepted CIN return."""
    return {
        "file_id": number, "file_sha256": f"{number}", "file_path": f"cin/{year}/{la_code}.xml", "form": "xml",
        "collection": "cin", "la_code": la_code, "census_year": year, "status": "accepted", "is_simulated": True,
        "read_by": "x", "n_bytes": 1,
    } | changed  # fmt: skip


def a_rule_count(la_code: str, year: int, n_rows: int, n_failed: int) -> Row:
    """A row of dq.rule_counts: a referral without its date."""
    place = {"entity": "referrals", "rule_code": BAD, "dfe_code": "8600", "severity": "error"}
    return place | {"la_code": la_code, "census_year": year, "n_rows": n_rows, "n_failed": n_failed}


def write_counts(lake: Path) -> None:
    """Two authorities' returns of 2014 to 2016: one sound, one without 2015 and with twice the rows in 2016."""
    places = [(SOUND, 2014), (SOUND, 2015), (SOUND, 2016), (TROUBLED, 2014), (TROUBLED, 2016)]
    files = [a_file(*place, number) for number, place in enumerate(places, 1)]
    refused = a_file(TROUBLED, 2015, 9, status="refused", reason="It ends in the middle")
    put_rows(lake, tables.FILES, [*files, refused])
    n_rows = {(TROUBLED, 2016): 2000}
    put_rows(
        lake,
        tables.DQ_RULE_COUNTS,
        [a_rule_count(*place, n_rows.get(place, 1000), 3 if place == (TROUBLED, 2016) else 0) for place in places],
    )
    rule = {"entity": "referrals", "rule_code": BAD, "dfe_code": "8600", "severity": "error"}
    put_rows(
        lake,
        tables.DQ_RULES,
        [rule | {"meaning": "The referral date is missing", "first_specification": 2023, "last_specification": 2027}],
    )
    lost = {"file_id": 5, "la_code": TROUBLED, "census_year": 2016, "entity": "referrals", "rule_code": BAD}
    put_rows(lake, tables.DQ_QUARANTINED, [lost | {"n_rows": 3}])
    ledger = {"entity": "referrals", "n_superseded_by_later_return": 0, "n_same_day_duplicates": 0}
    received = [n_rows.get(place, 1000) for place in places]
    lost_rows = [3 if place == (TROUBLED, 2016) else 0 for place in places]
    put_rows(
        lake,
        tables.DQ_LEDGER,
        [
            ledger | {"file_id": number, "n_received": n, "n_silver": n - bad, "n_quarantined": bad}
            for number, (n, bad) in enumerate(zip(received, lost_rows, strict=True), 1)
        ],
    )
    verdict = {"run_id": "r2", "suite": "silver.referrals", "severity": "warning"}
    put_rows(
        lake,
        tables.DQ_RESULTS,
        [
            verdict | {"run_id": "r1", "expectation": "keys_repeated", "passed": False},
            verdict | {"expectation": "keys_repeated", "passed": True},
            verdict | {"expectation": "nfa_share_change", "passed": False},
        ],
    )
