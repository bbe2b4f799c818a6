"""What is wrong with a lake's files, what can go, and a child taken out of every table and version."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from sos_spark.cli.main import main
from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.drafts import remove_drafts
from sos_spark.lake.lake import Lake
from sos_spark.lake.maintenance import maintain, verify
from sos_spark.lake.versions import table_path
from sos_spark.places import require_local, write_whole
from sos_spark.silver.pseudonyms import key_frame, with_pseudonyms
from sos_spark.steps.erase import erase
from sos_spark.steps.known_files import read_files
from sos_spark.tables import FILES, SILVER_CIN_CHILDREN, TABLES, Table

BRONZE = TABLES["bronze.child_identifiers"]
KEY = b"k" * 40
CHILD, ITS_OTHER_SPELLING, OTHER = "ERASE-ME-1", " ERASE-ME-1\u200b", "KEPT-1"


def rows_of(spark: SparkSession, table: Table, *rows: dict[str, object]) -> DataFrame:
    """Rows with nulls, or what stands for nothing, where a column is not named."""
    blank = {"STRING": "", "INT": 0, "BIGINT": 0, "BOOLEAN": False}
    defaults = {c.name: None if c.nullable else blank.get(c.type) for c in table.columns}
    return spark.createDataFrame([tuple({**defaults, **row}.values()) for row in rows], table.schema())


def received(spark: SparkSession, *ids: str, la_code: str = "201") -> DataFrame:
    rows = [{"la_code": la_code, "census_year": 2015, "file_id": 1, "LAchildID": one, "UPN": "U"} for one in ids]
    return rows_of(spark, BRONZE, *rows)


@pytest.fixture
def lake(tmp_path: Path, spark: SparkSession) -> Lake:
    """Two versions of a bronze table."""
    lake = Lake(tmp_path / "lake")
    lake.overwrite(received(spark, OTHER), BRONZE, fingerprint="first")
    lake.overwrite(received(spark, OTHER, CHILD, ITS_OTHER_SPELLING), BRONZE, fingerprint="second")
    return lake


def data_files(lake: Lake) -> list[Path]:
    return sorted(require_local(table_path(lake.root, BRONZE), what="The lake").rglob("*.parquet"))


def test_a_lake_that_is_whole_has_no_finding(lake: Lake) -> None:
    assert verify(lake.root) == []


def test_a_file_that_is_gone_is_missing_from_its_versions(lake: Lake) -> None:
    newest = read_arrow(lake.root, BRONZE).num_rows
    assert newest == 3
    for path in data_files(lake):
        path.unlink()

    (found,) = verify(lake.root)

    assert (found.table, found.kind, found.versions) == (BRONZE.name, "missing", (1, 2))


def test_a_byte_that_was_changed_is_found_though_the_size_is_the_same(lake: Lake) -> None:
    path = next(path for path in data_files(lake) if OTHER.encode() in path.read_bytes())
    path.write_bytes(path.read_bytes().replace(OTHER.encode(), b"KEPT-2", 1))

    assert [(found.kind, found.n_files) for found in verify(lake.root)] == [("damaged", 1)]


def test_foreign_files_are_counted_and_not_named(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    (table_path(lake.root, BRONZE) / "Jane Doe.csv").write_text("x")
    (lake.root / "notes.txt").write_text("x")
    capsys.readouterr()

    assert main(["lake", "verify", "--lake", str(lake.root)]) == 4

    said = capsys.readouterr().out
    assert said.count("is foreign") == 2
    assert "Jane" not in said


def test_what_a_killed_run_left_is_not_damage_and_goes(lake: Lake) -> None:
    left = data_files(lake)[0].with_name("part-00000-left.snappy.parquet")
    left.write_bytes(data_files(lake)[0].read_bytes())
    draft = lake.root / ".staged-elsewhere-1-a" / "part-00000-left.parquet"
    write_whole(draft, b"1")
    write_whole(draft.with_name("without-content"), b"")

    found = [(fault.table, fault.kind, fault.n_files) for fault in verify(lake.root)]
    assert found == [(BRONZE.name, "unreferenced", 1), ("", "unreferenced", 1)]

    maintain(lake.root, keep={BRONZE.name: {1}}, older_than_days=0, dry_run=False)
    remove_drafts(lake.root, dry_run=False)
    assert verify(lake.root) == []
    assert not left.exists()


def test_versions_that_runs_need_stay_and_others_go(lake: Lake, spark: SparkSession) -> None:
    lake.overwrite(received(spark, OTHER), BRONZE, fingerprint="third")

    maintain(lake.root, keep={BRONZE.name: {1}}, older_than_days=0, dry_run=False)

    assert lake.read(spark, BRONZE, version=1).count() == 1
    assert {version for found in verify(lake.root) for version in found.versions} == {2}
    assert all(path.stat().st_mode & 0o077 == 0 for path in lake.root.rglob("*"))


def test_a_child_is_taken_out_of_every_table_and_version(lake: Lake, spark: SparkSession) -> None:
    pseudonym = {
        row["_raw"]: row["child_id"]
        for row in with_pseudonyms(
            received(spark, CHILD, OTHER).selectExpr("la_code", "LAchildID", "LAchildID AS _raw"), key_frame(spark, KEY)
        ).collect()
    }
    silver = [{"la_code": "201", "child_id": pseudonym[name]} for name in (CHILD, OTHER)]
    lake.overwrite(rows_of(spark, SILVER_CIN_CHILDREN, *silver), SILVER_CIN_CHILDREN, fingerprint="silver")

    done = erase(lake, spark, key=KEY, la_code="201", child_id=CHILD)

    assert done.rows == {BRONZE.name: 2, SILVER_CIN_CHILDREN.name: 1}
    assert done.is_proved
    assert done.n_files_searched > 0
    assert read_arrow(lake.root, BRONZE).column("LAchildID").to_pylist() == [OTHER]
    assert read_arrow(lake.root, SILVER_CIN_CHILDREN).column("child_id").to_pylist() == [pseudonym[OTHER]]
    everything = b"".join(path.read_bytes() for path in lake.root.rglob("*") if path.is_file())
    assert pseudonym[CHILD].encode() not in everything
    assert CHILD.encode() not in everything


def test_what_bronze_received_is_that_much_less_and_a_second_child_goes_too(lake: Lake, spark: SparkSession) -> None:
    where = {"file_id": 1, "la_code": "201", "census_year": 2015, "collection": "cin", "status": "accepted"}
    taken = rows_of(spark, FILES, {**where, "rows_by_module": {BRONZE.short_name: 3, "assessments": 1}})
    lake.overwrite(taken, FILES, fingerprint="files")

    left = []
    for child in (CHILD, OTHER):
        assert erase(lake, spark, key=KEY, la_code="201", child_id=child).is_proved
        left += [row["rows_by_module"] for row in read_files(lake).values()]

    assert left == [{BRONZE.short_name: 1, "assessments": 1}, {BRONZE.short_name: 0, "assessments": 1}]


def test_another_authoritys_child_of_the_same_id_stays(lake: Lake, spark: SparkSession) -> None:
    both = received(spark, CHILD).unionByName(received(spark, CHILD, la_code="202"))
    lake.overwrite(both, BRONZE, fingerprint="both")

    done = erase(lake, spark, key=KEY, la_code="201", child_id=CHILD)

    assert done.is_proved
    assert read_arrow(lake.root, BRONZE).column("la_code").to_pylist() == ["202"]


def test_the_id_is_read_from_standard_input(
    lake: Lake, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_bytes(KEY)
    monkeypatch.setattr("sys.stdin", io.StringIO(CHILD + "\n"))
    monkeypatch.setattr("sos_spark.cli.sessions.session_starter", lambda *_: lambda: spark)
    capsys.readouterr()

    command = ["lake", "erase", "--lake", str(lake.root), "--la-code", "201", "--key-file", str(key), "--json"]
    assert main(command) == 0

    said = capsys.readouterr()
    told = json.loads(said.out)
    assert told["proved"]
    assert told["rows"] == {BRONZE.name: 2}
    assert CHILD not in said.out + said.err


def test_history_lists_versions_newest_first(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["lake", "history", "--lake", str(lake.root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[BRONZE.name, "2"], [BRONZE.name, "1"]]
