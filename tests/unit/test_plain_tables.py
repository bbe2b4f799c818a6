"""Plain Parquet tables: which they are, whose their rows are, and what text their columns become."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sos_spark.bronze.arrive.plain_table import LaYearRows, text_of
from sos_spark.bronze.arrive.table_file import inspect_table_file

WANTED = ("la_code", "census_year", "CHILD", "DOB")


def counted(folder: Path, **columns: Any) -> tuple[LaYearRows, ...] | None:
    pq.write_table(pa.table(columns), folder / "a.parquet")
    return inspect_table_file(str(folder / "a.parquet"), lambda _: None, WANTED).la_years


def test_rows_are_counted_by_what_can_be_an_la_code_and_a_year(tmp_path: Path) -> None:
    la_codes = [" 201\u00a0", "201.00", "2010", "20", None, "202", "202"]
    years = ["2015", " 2015.0", "2015", "then", "2015", "", "1815"]
    assert counted(tmp_path, LA_code=la_codes, **{" census_year": years}) == (
        ("201", 2015, 2), (None, 2015, 2), (None, None, 1), ("202", None, 2),
    )  # fmt: skip


@pytest.mark.parametrize("kind", [pa.int32(), pa.uint8(), pa.date32(), pa.bool_(), pa.null(), pa.large_string()])
def test_a_plain_file_has_counts(tmp_path: Path, kind: pa.DataType) -> None:
    columns = {"la_code": pa.array([201, 201], pa.int64()), "census_year": pa.array([2015, 2016])}
    assert counted(tmp_path, DOB=pa.nulls(2, kind), **columns) == (("201", 2015, 1), ("201", 2016, 1))


@pytest.mark.parametrize(
    "dob",
    [
        pa.array([1.0]), pa.array([Decimal("1.0")]), pa.array([datetime(2010, 1, 1)]), pa.array([["a"]]),
        pa.array([b"a"]), pa.array([1], pa.uint64()), pa.array([date(1582, 10, 14)]),
        pa.array([2932897], pa.int32()).cast(pa.date32()),
    ],
)  # fmt: skip
def test_a_file_that_is_not_plain_has_none(tmp_path: Path, dob: pa.Array) -> None:
    assert counted(tmp_path, la_code=["201"], census_year=[2015], DOB=dob) is None
    assert counted(tmp_path, la_code=["201"], census_year=[2015], never_read=dob) is not None


def test_a_file_without_an_la_or_with_two_has_none(tmp_path: Path) -> None:
    assert counted(tmp_path, census_year=[2015], CHILD=["A1"]) is None
    assert counted(tmp_path, la_code=["201"], LA_CODE=["202"], census_year=[2015]) is None


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (pa.array([" a\u00a0b\ufeff", "\t", "", None]), ["a\u00a0b", None, None, None]),
        (pa.array(["x ", None]).dictionary_encode(), ["x", None]),
        (pa.array([7, -1, None]), ["7", "-1", None]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array([date(2010, 2, 1), None]), ["2010-02-01", None]),
        (pa.nulls(1), [None]),
    ],
)
def test_columns_become_text(column: pa.Array, text: list[str | None]) -> None:
    assert text_of(column).to_pylist() == text


def test_days_may_be_written_with_slashes() -> None:
    assert text_of(pa.array([date(2010, 2, 1), None]), in_slashes=True).to_pylist() == ["01/02/2010", None]
