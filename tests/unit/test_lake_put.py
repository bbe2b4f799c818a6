"""Small tables written from memory: whole or beside what is there, once, private, and held to the declaration."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from sos_spark.lake.arrow import arrow_schema
from sos_spark.lake.faults import ConstraintViolationError, SchemaMismatchError
from sos_spark.lake.lake import Lake
from sos_spark.places import mode_of
from sos_spark.tables import BRONZE_MODULES, DQ_FACTS, DQ_LEDGER, Table


def facts(*la_codes: str | None) -> pa.Table:
    rows = [{"suite": "silver.referrals", "la_code": la_code, "fact": "n_rows", "n": 3} for la_code in la_codes]
    return pa.Table.from_pylist(rows, arrow_schema(DQ_FACTS))


def held(lake: Lake) -> list[str]:
    return sorted(lake.arrow(DQ_FACTS).column("la_code").to_pylist())


def test_rows_replace_what_is_there_or_are_added_to_it_and_the_same_are_not_written_twice(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    assert lake.put(facts("925", "926"), DQ_FACTS, fingerprint="1", parts={"bronze 925": "x"}) == 1
    assert (held(lake), lake.parts(DQ_FACTS)) == (["925", "926"], {"bronze 925": "x"})
    assert lake.put(facts("927"), DQ_FACTS, fingerprint="2", beside=True) == 2
    assert held(lake) == ["925", "926", "927"]
    assert lake.put(facts("928"), DQ_FACTS, fingerprint="2") == 2
    assert lake.put(facts("928"), DQ_FACTS, fingerprint="3") == 3
    assert held(lake) == ["928"]
    assert lake.history(DQ_FACTS)[0].n_rows_written == 1
    assert {mode_of(path) for path in lake.path(DQ_FACTS).glob("*.parquet")} == {0o600}
    assert list(lake.root.glob(".staged*")) == []


def test_a_null_where_the_table_takes_none_is_refused_and_no_value_told(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    with pytest.raises(ConstraintViolationError, match="la_code NOT NULL"):
        lake.put(facts("CANARY", None), DQ_FACTS, fingerprint="1")
    assert not lake.exists(DQ_FACTS)


@pytest.mark.parametrize("table", [DQ_LEDGER, BRONZE_MODULES["cin_details"]])
def test_what_is_not_known_to_hold_is_left_to_spark(tmp_path: Path, table: Table) -> None:
    with pytest.raises(SchemaMismatchError, match="without CHECK constraints and partitions"):
        Lake(tmp_path).put(arrow_schema(table).empty_table(), table, fingerprint="1")


def test_columns_that_are_not_the_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaMismatchError, match=r"dq\.facts"):
        Lake(tmp_path).put(facts("925").drop_columns(["n"]), DQ_FACTS, fingerprint="1")
