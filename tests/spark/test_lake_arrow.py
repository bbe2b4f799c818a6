"""The lake without Spark: the same rows, at any version, from any plain Delta reader."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from sos_spark.errors import InputError
from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.lake import Lake
from sos_spark.tables import PANEL_CELLS, TABLES, Column, Table

ODD = Table(
    "panel.odd_names",
    "a row whose partition has an odd name",
    (Column("kind", "STRING"), Column("seen_on", "DATE"), Column("year", "INT"), Column("n", "BIGINT")),
    partition_by=("kind", "seen_on", "year"),
)


def cells(spark: SparkSession, study_id: str, *counts: int) -> DataFrame:
    rows = [
        (study_id, "outcome", "926", period, date(2013, 4, 1), "0", None, None, None, n, 1, 1)
        for period, n in enumerate(counts)
    ]
    return spark.createDataFrame(rows, PANEL_CELLS.schema())


def as_set(rows: Iterable[object]) -> set[tuple[object, ...]]:
    return {tuple(row.values()) if isinstance(row, dict) else tuple(row) for row in rows}  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """panel.cells in two versions: one study of two cells, then another of one."""
    made = Lake(tmp_path_factory.mktemp("lake"))
    made.overwrite(cells(spark, "first", 3, 4), PANEL_CELLS, fingerprint="1")
    made.replace(cells(spark, "second", 5), PANEL_CELLS, slices=[{"study_id": "second"}], fingerprint="2")
    return made


def test_the_rows_and_types_are_sparks(lake: Lake, spark: SparkSession) -> None:
    read = read_arrow(lake.root, PANEL_CELLS)
    assert as_set(read.to_pylist()) == as_set(lake.read(spark, PANEL_CELLS).collect())
    assert read.schema.names == PANEL_CELLS.column_names
    assert read.schema.field("period_start").type == pa.date32()
    assert read.schema.field("n").type == pa.int64()


def test_an_older_version(lake: Lake) -> None:
    assert set(read_arrow(lake.root, PANEL_CELLS, version=1)["study_id"].to_pylist()) == {"first"}


@pytest.mark.parametrize(
    ("where", "n_rows"),
    [({"study_id": "first"}, 2), ({"study_id": "none"}, 0), ({"outcome_id": "outcome", "study_id": "second"}, 1),
     ({"outcome_id": "other"}, 0)],
)  # fmt: skip
def test_where_keeps_the_rows_that_equal(lake: Lake, where: dict[str, str], n_rows: int) -> None:
    assert read_arrow(lake.root, PANEL_CELLS, where=where).num_rows == n_rows


def test_partitions_with_odd_names_and_nulls_are_put_back(tmp_path: Path, spark: SparkSession) -> None:
    lake = Lake(tmp_path / "lake")
    rows = [("a b/c%d=é", date(2015, 4, 1), 2015, 1), (None, None, None, 2)]
    lake.overwrite(spark.createDataFrame(rows, ODD.schema()), ODD, fingerprint="1")
    assert as_set(read_arrow(lake.root, ODD).to_pylist()) == set(rows)
    assert read_arrow(lake.root, ODD, where={"kind": "a b/c%d=é"}).num_rows == 1


def test_a_lake_in_a_folder_with_a_space_is_read(tmp_path: Path, spark: SparkSession) -> None:
    lake = Lake(tmp_path / "a lake of 100%")
    rows = [("a b", date(2015, 4, 1), 2015, 1)]
    lake.overwrite(spark.createDataFrame(rows, ODD.schema()), ODD, fingerprint="1")
    assert as_set(read_arrow(lake.root, ODD).to_pylist()) == set(rows)


def test_every_table_has_arrow_types(tmp_path: Path, spark: SparkSession) -> None:
    lake = Lake(tmp_path / "lake")
    table = TABLES["bronze.files"]
    lake.overwrite(lake.read_or_empty(spark, table), table, fingerprint="1")
    assert read_arrow(lake.root, table).schema.names == table.column_names
    for other in TABLES.values():
        assert lake.read_or_empty(spark, other).schema == other.schema()


def test_a_table_or_version_that_is_not_there_is_told(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"panel\.cells"):
        read_arrow(tmp_path, PANEL_CELLS)
    with pytest.raises(InputError, match="versions 1 to 2"):
        read_arrow(lake.root, PANEL_CELLS, version=9)


def test_plain_delta_readers_open_it(lake: Lake) -> None:
    """delta-rs reads the log, DuckDB the files it names: no deletion vectors, no column mapping."""
    from deltalake import DeltaTable

    table = DeltaTable(str(lake.path(PANEL_CELLS)))
    assert table.protocol().min_reader_version == 1
    files = [uri.removeprefix("file://") for uri in table.file_uris()]
    query = "SELECT study_id, sum(n) FROM read_parquet(?, hive_partitioning => true) GROUP BY 1 ORDER BY 1"
    assert duckdb.execute(query, [files]).fetchall() == [("first", 7), ("second", 5)]


def test_reading_starts_no_spark(lake: Lake) -> None:
    code = (
        "import sys; from pathlib import Path; from sos_spark.lake.arrow import read_arrow\n"
        "from sos_spark.tables import PANEL_CELLS\n"
        f"print(read_arrow(Path({str(lake.root)!r}), PANEL_CELLS).num_rows, 'pyspark' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "False"]
