"""Delta tables: as declared, written once, never half, and never telling a row's value."""

from __future__ import annotations

import json
import shutil
import stat
import traceback
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from delta.exceptions import ConcurrentAppendException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.errors import ConflictError, InputError, QualityGateError
from sos_spark.lake import left_over
from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.commits import WrittenFile, commit_files
from sos_spark.lake.constraints import held_to
from sos_spark.lake.drafts import drafts
from sos_spark.lake.faults import ConstraintViolationError, SchemaMismatchError, told_safely
from sos_spark.lake.lake import Lake, declare
from sos_spark.lake.simulated import is_marked
from sos_spark.places import require_local
from sos_spark.tables import TABLES, Column, Table
from tests.modes import open_to_others
from tests.unit.test_lake_locks import another_holder

THINGS = Table(
    "silver.things",
    "a thing of an LA and year",
    (
        Column("la_code", "STRING", nullable=False),
        Column("census_year", "INT", nullable=False),
        Column("name", "STRING", nullable=False),
        Column("size", "BIGINT"),
    ),
    key=("la_code", "census_year", "name"),
    partition_by=("census_year",),
    checks={"size_not_negative": "size IS NULL OR size >= 0"},
)


def things(spark: SparkSession, *rows: tuple[object, ...]) -> DataFrame:
    """Rows of (la_code, census_year, name, size), all nullable, as a step would give them."""
    return spark.createDataFrame(list(rows), "la_code STRING, census_year INT, name STRING, size BIGINT")


def content(lake: Lake, spark: SparkSession, version: int | None = None) -> list[tuple[object, ...]]:
    return sorted(map(tuple, lake.read(spark, THINGS, version=version).collect()))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", patience_seconds=0)


def test_a_table_that_was_never_written_is_absent(lake: Lake, spark: SparkSession) -> None:
    assert not lake.exists(THINGS)
    assert lake.version(THINGS) is None
    assert lake.fingerprint(THINGS) is None
    assert lake.history(THINGS) == ()
    with pytest.raises(InputError, match="sos-spark validate"):
        lake.read(spark, THINGS)
    empty = lake.read_or_empty(spark, THINGS)
    assert empty.schema == THINGS.schema()
    assert empty.count() == 0


def test_a_declared_table_without_content_is_still_absent(lake: Lake, spark: SparkSession) -> None:
    """What a run leaves that was killed between the declaration and its first rows."""
    declare(lake.root, THINGS)
    assert not lake.exists(THINGS)
    assert lake.overwrite(things(spark, ("926", 2015, "a", 1)), THINGS, fingerprint="1") == 1
    assert lake.exists(THINGS)


def test_spark_goes_on_from_the_checksum_of_a_declaration(
    lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It makes each checksum from the one before, and without one reads the whole log first."""
    monkeypatch.setattr(left_over, "MOST_BYTES", -1)
    declare(lake.root, THINGS)
    log = lake.path(THINGS) / "_delta_log"
    slices = [{"la_code": "926", "census_year": 2015}]
    lake.replace(things(spark, ("926", 2015, "a", 1)), THINGS, slices=slices, fingerprint="1")
    written = [json.loads((log / f"{version:020}.crc").read_text()) for version in (0, 1)]
    assert [state["numFiles"] for state in written] == [0, 1]
    assert [written[0][name] for name in ("metadata", "protocol")] == [
        written[1][name] for name in ("metadata", "protocol")
    ]


def test_the_same_write_twice_is_one_write(lake: Lake, spark: SparkSession) -> None:
    rows = things(spark, ("926", 2015, "a", 1), ("330", 2014, "b", None))
    first = lake.overwrite(rows, THINGS, fingerprint="inputs 1")
    files = sorted(lake.path(THINGS).rglob("*"))
    assert lake.overwrite(rows, THINGS, fingerprint="inputs 1") == first
    assert sorted(lake.path(THINGS).rglob("*")) == files
    assert lake.fingerprint(THINGS) == "inputs 1"
    assert content(lake, spark) == [("330", 2014, "b", None), ("926", 2015, "a", 1)]


def test_older_versions_stay_readable_and_are_in_the_history(lake: Lake, spark: SparkSession) -> None:
    first = lake.overwrite(things(spark, ("926", 2015, "a", 1)), THINGS, fingerprint="1")
    second = lake.overwrite(things(spark, ("926", 2015, "a", 2)), THINGS, fingerprint="2")
    assert content(lake, spark, first) == [("926", 2015, "a", 1)]
    assert content(lake, spark) == content(lake, spark, second) == [("926", 2015, "a", 2)]
    assert [(c.version, c.fingerprint, c.n_rows_written) for c in lake.history(THINGS)] == [(2, "2", 1), (1, "1", 1)]
    with pytest.raises(InputError, match="versions 1 to 2"):
        lake.read(spark, THINGS, version=3)


@pytest.mark.parametrize("most_bytes", [-1, left_over.MOST_BYTES], ids=["by Spark", "by Arrow"])
def test_replace_changes_its_slices_and_nothing_else(
    lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, most_bytes: int
) -> None:
    monkeypatch.setattr(left_over, "MOST_BYTES", most_bytes)
    lake.overwrite(
        things(spark, ("926", 2014, "a", 1), ("926", 2015, "b", 2), ("330", 2015, "c", 3)), THINGS, fingerprint="1"
    )
    la_year = {"la_code": "926", "census_year": 2015}
    lake.replace(things(spark, ("926", 2015, "new", 9)), THINGS, slices=[la_year], fingerprint="2")
    assert content(lake, spark) == [("330", 2015, "c", 3), ("926", 2014, "a", 1), ("926", 2015, "new", 9)]
    lake.replace(things(spark), THINGS, slices=[la_year], fingerprint="3")
    assert content(lake, spark) == [("330", 2015, "c", 3), ("926", 2014, "a", 1)]


def test_slices_that_are_partitions_go_as_whole_files(lake: Lake, spark: SparkSession) -> None:
    """Be the values ever so odd: no row is read for it, and the log says how many were written."""
    table = replace(THINGS, name="silver.kinds", partition_by=("name", "census_year"))
    odd = "a b/c%d=é"
    rows = (("926", 2014, odd, 1), ("926", 2015, odd, 2), ("926", 2015, "plain", 3))
    lake.overwrite(things(spark, *rows), table, fingerprint="1")
    lake.replace(things(spark, ("926", 2014, odd, 9), ("330", 2014, odd, 8)).coalesce(1), table,
                 slices=[{"name": odd, "census_year": 2014}], fingerprint="2")  # fmt: skip
    kept = sorted(map(tuple, lake.read(spark, table).collect()))
    assert kept == [("330", 2014, odd, 8), ("926", 2014, odd, 9), ("926", 2015, odd, 2), ("926", 2015, "plain", 3)]
    lake.replace(things(spark, ("926", 2014, odd, 7)), table,
                 slices=[{"la_code": "926", "census_year": 2014}], fingerprint="rows")  # fmt: skip
    kept = sorted(map(tuple, lake.read(spark, table).collect()))
    assert kept == [("330", 2014, odd, 8), ("926", 2014, odd, 7), ("926", 2015, odd, 2), ("926", 2015, "plain", 3)]
    lake.replace(things(spark), table, slices=[{"name": odd}], fingerprint="3")
    assert [tuple(row) for row in lake.read(spark, table).collect()] == [("926", 2015, "plain", 3)]
    assert [commit.n_rows_written for commit in lake.history(table)] == [0, 2, 2, 3]
    as_delta = spark.read.format("delta").load(str(lake.path(table)))
    assert [tuple(row) for row in as_delta.collect()] == [("926", 2015, "plain", 3)]
    with pytest.raises(ConstraintViolationError, match="slices"):
        lake.replace(things(spark, ("926", 2015, "CANARY", 1)), table, slices=[{"name": odd}], fingerprint="4")


def test_a_draft_and_files_in_place_become_a_table_as_they_are(lake: Lake, spark: SparkSession) -> None:
    """Rows that lie in the lake already are not written again; a folder of a draft may be all of a table."""
    table = replace(THINGS, name="silver.moved", partition_by=())
    rows = things(spark, ("926", 2014, "a", 1), ("926", 2015, "b", -2)).withColumn("fate", F.col("name"))
    with drafts(lake.root) as drafted:
        kept = drafted.keep(held_to(rows, table, where=F.col("fate") == "a"), "things", part_by=("fate",))
        assert lake.adopt(drafted, "things/fate=a", table, fingerprint="1") == 1
        assert [row.name for row in kept.where("fate = 'b'").collect()] == ["b"]
    assert [tuple(row) for row in lake.read(spark, table).collect()] == [("926", 2014, "a", 1)]
    (file,) = lake.path(table).glob("part-*.parquet")
    again = require_local(lake.path(table), what="the table") / "part-again.parquet"
    shutil.copy(str(file), again)
    written = WrittenFile(again.name, again.stat().st_size, 1)
    lake.take_files([written], table, fingerprint="2", parts={"926": "x"}, slices=[])
    assert lake.read(spark, table).count() == 2
    assert lake.parts(table) == {"926": "x"}
    lake.take_files([written], table, fingerprint="3", slices=[{"name": "b"}])
    assert lake.read(spark, table).count() == 2
    lake.take_files([], table, fingerprint="4", slices=[{"name": "a"}])
    assert lake.read(spark, table).count() == 0
    with (
        drafts(lake.root) as drafted,
        pytest.raises(ConstraintViolationError, match="size_not_negative"),
        told_safely(table),
    ):
        drafted.write(held_to(rows, table), "things")


def test_a_writer_that_was_overtaken_is_told(lake: Lake, spark: SparkSession) -> None:
    lake.overwrite(things(spark, ("926", 2015, "a", 1)), THINGS, fingerprint="1")
    for base in (0, 2):
        with pytest.raises(ConflictError, match="another writer"):
            commit_files(lake.root, THINGS, [], base=base, metadata="late", replaced=None)
    assert lake.fingerprint(THINGS) == "1"


def test_rows_outside_the_slices_are_refused(lake: Lake, spark: SparkSession) -> None:
    rows = things(spark, ("926", 2015, "CANARY", 1), ("330", 2015, "b", 1))
    with pytest.raises(ConstraintViolationError) as caught:
        lake.replace(rows, THINGS, slices=[{"la_code": "926"}], fingerprint="1")
    assert "CANARY" not in _everything_said(caught)
    assert not lake.exists(THINGS)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("926", 2015, "CANARY", -41_414_141), "size_not_negative"),
        (("926", 2015, None, 41_414_141), "name NOT NULL"),
    ],
)
def test_a_broken_constraint_is_named_and_no_value_is_told(
    lake: Lake, spark: SparkSession, row: tuple[object, ...], told: str
) -> None:
    lake.overwrite(things(spark, ("926", 2015, "a", 1)), THINGS, fingerprint="1")
    with pytest.raises(ConstraintViolationError) as caught:
        lake.overwrite(things(spark, row), THINGS, fingerprint="2")
    assert told in caught.value.expected
    assert isinstance(caught.value, QualityGateError)
    said = _everything_said(caught)
    assert "CANARY" not in said
    assert "41414141" not in said
    assert content(lake, spark) == [("926", 2015, "a", 1)]


@pytest.mark.parametrize("change", ["missing", "surplus", "reordered", "retyped"])
def test_a_frame_must_have_the_tables_columns(lake: Lake, spark: SparkSession, change: str) -> None:
    rows = things(spark, ("926", 2015, "a", 1))
    wrong = {
        "missing": rows.drop("size"),
        "surplus": rows.withColumn("more", F.lit(1)),
        "reordered": rows.select("name", "la_code", "census_year", "size"),
        "retyped": rows.withColumn("size", F.lit("1")),
    }[change]
    with pytest.raises(SchemaMismatchError, match=r"silver\.things"):
        lake.overwrite(wrong, THINGS, fingerprint="1")
    assert not lake.path(THINGS).exists()


def test_a_table_held_by_another_process_is_a_conflict(lake: Lake, spark: SparkSession) -> None:
    lake.overwrite(things(spark, ("926", 2015, "a", 1)), THINGS, fingerprint="1")
    with another_holder(require_local(lake.root, what="The lake")), pytest.raises(ConflictError):
        lake.overwrite(things(spark, ("926", 2015, "b", 1)), THINGS, fingerprint="2")
    assert lake.version(THINGS) == 1


def test_of_two_writers_that_saw_one_version_the_second_is_told(lake: Lake, spark: SparkSession) -> None:
    """As on two machines, where no lock reaches."""
    lake.overwrite(things(spark, ("926", 2015, "a", 1)), THINGS, fingerprint="1")

    class Late(Lake):
        def version(self, table: Table) -> int | None:
            return 0 if self.fingerprint(table) == "1" else super().version(table)

    with pytest.raises(ConflictError):
        Late(lake.root).overwrite(things(spark, ("926", 2015, "b", 1)), THINGS, fingerprint="2")
    assert content(lake, spark) == [("926", 2015, "a", 1)]


def test_deltas_conflicts_are_conflicts() -> None:
    canary = "CAN" + "ARY"  # a traceback quotes the line that raises
    with pytest.raises(ConflictError) as caught, told_safely(THINGS):
        raise ConcurrentAppendException(canary)
    assert canary not in _everything_said(caught)


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(ZeroDivisionError), told_safely(THINGS):
        raise ZeroDivisionError


def test_the_lake_is_private(lake: Lake, spark: SparkSession) -> None:
    lake.root.mkdir(mode=0o755)
    lake.overwrite(things(spark, ("926", 2015, "a", 1)), THINGS, fingerprint="1")
    assert stat.S_IMODE(lake.root.stat().st_mode) == 0o700


def test_a_table_of_another_release_is_named_and_not_half_read(lake: Lake, spark: SparkSession) -> None:
    lake.overwrite(things(spark, ("926", 2015, "a", 1)), THINGS, fingerprint="1")
    newer = replace(THINGS, columns=(*THINGS.columns, Column("weight", "BIGINT")))
    rows = things(spark, ("926", 2015, "a", 1)).withColumn("weight", F.lit(None).cast("bigint"))
    with pytest.raises(InputError, match=r"silver\.things"):
        lake.overwrite(rows, newer, fingerprint="2")
    with pytest.raises(InputError, match=r"another version of the tables.*without weight.*lake migrate"):
        read_arrow(lake.root, newer)


def test_files_of_a_lake_are_their_owners_alone_whatever_hadoops_mask(lake: Lake, spark: SparkSession) -> None:
    lake.overwrite(things(spark, ("926", 2015, "a", 1)), THINGS, fingerprint="1")
    lake.replace(things(spark, ("926", 2015, "b", 1)), THINGS, slices=[{"la_code": "926"}], fingerprint="2")
    lake.take_as_simulated(True)
    lake.overwrite(things(spark, ("926", 2015, "c", 1)), THINGS, fingerprint="3")
    assert len(list(lake.root.rglob("*"))) > 10
    assert open_to_others(require_local(lake.root, what="The lake")) == []


def test_tables_of_a_simulated_lake_are_marked_and_others_are_not(lake: Lake, spark: SparkSession) -> None:
    lake.overwrite(things(spark, ("926", 2015, "a", 1)), THINGS, fingerprint="1")
    assert not is_marked(lake.root, THINGS)
    lake.take_as_simulated(True)
    version = lake.overwrite(things(spark, ("926", 2015, "b", 1)), THINGS, fingerprint="2")
    assert is_marked(lake.root, THINGS)
    assert content(lake, spark, version) == content(lake, spark) == [("926", 2015, "b", 1)]
    assert lake.fingerprint(THINGS) == "2"
    assert lake.overwrite(things(spark, ("926", 2015, "b", 1)), THINGS, fingerprint="2") == lake.version(THINGS)


def test_every_table_of_the_lake_is_declared_as_it_should_be(tmp_path: Path) -> None:
    for table in TABLES.values():
        declare(tmp_path, table)
        log = tmp_path / table.layer / table.short_name / "_delta_log" / f"{0:020}.json"
        actions = [json.loads(line) for line in log.read_text().splitlines()]
        metadata = next(action["metaData"] for action in actions if "metaData" in action)
        assert json.loads(metadata["schemaString"])["fields"] == json.loads(table.schema().json())["fields"]
        assert tuple(metadata["partitionColumns"]) == table.partition_by
        settings = metadata["configuration"]
        assert settings["delta.dataSkippingNumIndexedCols"] == "0"
        assert settings["delta.enableDeletionVectors"] == "false"
        assert {name: settings[f"delta.constraints.{name}"] for name in table.checks} == table.checks


@pytest.mark.parametrize("name", ["panel.cells", "bronze.files"])
def test_a_table_with_every_kind_of_column_round_trips(lake: Lake, spark: SparkSession, name: str) -> None:
    rows = {
        "panel.cells": ("study", "outcome", "926", 0, date(2013, 4, 1), "0", "male", None, None, 3, 2, 2),
        "bronze.files": (
            7,
            "ab",
            "cin/2015/926.xml",
            "xml",
            "cin",
            "926",
            2015,
            None,
            "accepted",
            None,
            1,
            {"x": 2},
            False,
            "code",
        ),
    }
    table = TABLES[name]
    lake.overwrite(spark.createDataFrame([rows[name]], table.schema()), table, fingerprint="1")
    assert [tuple(row) for row in lake.read(spark, table).collect()] == [rows[name]]


def _everything_said(caught: pytest.ExceptionInfo[BaseException]) -> str:
    return "".join(traceback.format_exception(caught.value))
