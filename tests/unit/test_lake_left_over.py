"""Rows of slices go from the files that hold them; other files are not touched, and no other row is lost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sos_spark.errors import InputError
from sos_spark.lake import left_over
from sos_spark.lake.arrow import arrow_schema
from sos_spark.lake.commits import held_files
from sos_spark.lake.lake import Lake
from sos_spark.lake.left_over import write_left_over
from sos_spark.places import mode_of
from sos_spark.tables import DQ_FACTS

Place = tuple[str, int | None]
FILES: list[list[Place]] = [[("925", 2015), ("926", 2015), ("926", None)], [("926", 2016)], [("927", 2016)]]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A table of three files."""
    made = Lake(tmp_path / "lake")
    for number, places in enumerate(FILES):
        rows = [
            {"suite": "s", "la_code": la_code, "census_year": year, "fact": "n_rows", "n": 1}
            for la_code, year in places
        ]
        made.put(pa.Table.from_pylist(rows, arrow_schema(DQ_FACTS)), DQ_FACTS, fingerprint=str(number), beside=True)
    return made


@pytest.mark.parametrize(
    ("slices", "n_gone", "left"),
    [
        ([{"la_code": "926"}], 2, [("925", 2015)]),
        ([{"la_code": "926", "census_year": 2015}], 1, [("925", 2015), ("926", None)]),
        ([{"la_code": "926", "census_year": None}], 1, [("925", 2015), ("926", 2015)]),
        ([{"la_code": "925", "census_year": 2015}, {"la_code": "926", "census_year": 2016}], 2, FILES[0][1:]),
        ([{"la_code": "none"}], 0, []),
        ([], 0, []),
    ],
    ids=["column", "columns", "null", "several", "not there", "none"],
)
def test_rows_of_slices_go_and_no_others(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slices: list[Mapping[str, object]], n_gone: int,
    left: list[Place],
) -> None:  # fmt: skip
    monkeypatch.setattr(left_over, "ROWS_AT_ONCE", 2)
    gone = write_left_over(lake.root, DQ_FACTS, slices, to=tmp_path / "draft")
    assert len(gone) == n_gone
    assert {file.path for file in gone} <= {file.path for file in held_files(lake.root, DQ_FACTS)}
    written = sorted((tmp_path / "draft").glob("*"))
    assert [mode_of(path) for path in written] == [0o600] * len(written)
    rows = [row for path in written for row in pq.read_table(path).to_pylist()]
    assert [(row["la_code"], row["census_year"]) for row in rows] == left


def test_a_file_that_is_missing_is_an_input_at_fault(lake: Lake, tmp_path: Path) -> None:
    for path in lake.path(DQ_FACTS).glob("*.parquet"):
        path.unlink()
    with pytest.raises(InputError):
        write_left_over(lake.root, DQ_FACTS, [{"la_code": "926"}], to=tmp_path / "draft")
