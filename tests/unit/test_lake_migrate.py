"""A lake that another version of the tables made: told, and brought up to date as far as can be."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from sos_spark.cli.main import main
from sos_spark.errors import InputError
from sos_spark.lake import migrate as migrating
from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.forms import our_version
from sos_spark.lake.lake import declare
from sos_spark.lake.migrate import Migration, migrate
from sos_spark.lake.versions import content_commit, require_form, table_path, version_of
from sos_spark.tables import Column, Table

OURS = Table(
    "silver.things",
    "a thing",
    (Column("name", "STRING", nullable=False), Column("tags", "ARRAY<STRING>"), Column("n", "BIGINT")),
    checks={"some": "n > 0"},
)
IN_BRONZE = replace(OURS, name="bronze.things")
LONGER = (*OURS.columns, Column("weight", "BIGINT"))


def made(root: Path, table: Table) -> None:
    declare(root, table)
    schema = pa.schema(
        [pa.field("name", pa.string(), nullable=False), ("tags", pa.list_(pa.string())), ("n", pa.int64())]
    )
    rows = pa.Table.from_pylist([{"name": "a", "tags": ["x"], "n": 1}], schema=schema)
    write_deltalake(table_path(root, table), rows, mode="append")


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    made(tmp_path, OURS)
    made(tmp_path, IN_BRONZE)
    return tmp_path


def now_declared(monkeypatch: pytest.MonkeyPatch, *tables: Table) -> None:
    monkeypatch.setattr(migrating, "TABLES", {table.name: table for table in tables})


CHANGES = {
    "without weight": replace(OURS, columns=LONGER),
    "another type of n": replace(OURS, columns=(*OURS.columns[:2], Column("n", "INT"))),
    "another type of tags": replace(OURS, columns=(OURS.columns[0], OURS.columns[1].required(), OURS.columns[2])),
    "1 more than are declared": replace(OURS, columns=OURS.columns[:2]),
    "another order of columns": replace(OURS, columns=OURS.columns[::-1]),
    "another partitioning": replace(OURS, partition_by=("name",)),
    "other constraints": replace(OURS, checks={"some": "n > 1"}),
}


@pytest.mark.parametrize("said", CHANGES)
def test_a_table_of_another_version_is_told_with_both_versions_and_the_remedy(lake: Path, said: str) -> None:
    with pytest.raises(InputError) as told:
        require_form(lake, CHANGES[said])
    assert told.value.where == f"silver.things in {lake}"
    assert told.value.found == f"made by sos_spark {our_version()}; {said}"
    assert our_version() in told.value.expected
    assert told.value.remedy.endswith(f"sos-spark lake migrate --lake {lake}")


def test_a_table_as_declared_is_no_fault(lake: Path) -> None:
    require_form(lake, OURS)
    require_form(lake, replace(OURS, grain="another grain", key=("name",)))


def test_columns_that_may_be_null_are_added_in_bronze_too(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    longer = [replace(table, columns=LONGER) for table in (OURS, IN_BRONZE)]
    now_declared(monkeypatch, *longer)
    assert migrate(lake) == Migration(migrated=("silver.things", "bronze.things"))
    for table in longer:
        assert read_arrow(lake, table).to_pylist() == [{"name": "a", "tags": ["x"], "n": 1, "weight": None}]
        for entry in (table_path(lake, table) / "_delta_log").iterdir():
            assert stat.S_IMODE(entry.stat().st_mode) & 0o077 == 0
    assert migrate(lake) == Migration()


def test_an_added_column_is_no_new_content(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content_commit(lake, OURS)
    now_declared(monkeypatch, replace(OURS, columns=LONGER))
    migrate(lake)
    assert content_commit(lake, OURS) == before


@pytest.mark.parametrize("said", [name for name in CHANGES if name != "without weight"])
def test_what_cannot_be_migrated_is_made_again_from_bronze(
    lake: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    now_declared(monkeypatch, CHANGES[said], IN_BRONZE)
    assert migrate(lake) == Migration(to_rebuild=("silver.things",))
    assert version_of(lake, OURS) is None
    assert version_of(lake, IN_BRONZE) is not None


def test_bronze_that_cannot_be_migrated_changes_nothing(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    required = replace(IN_BRONZE, columns=(*IN_BRONZE.columns, Column("weight", "BIGINT", nullable=False)))
    now_declared(monkeypatch, replace(OURS, columns=LONGER), required)
    with pytest.raises(InputError, match="Ingest the returns into a new lake"):
        migrate(lake)
    require_form(lake, OURS)
    require_form(lake, IN_BRONZE)


def test_the_command_tells_what_it_did(
    lake: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now_declared(monkeypatch, replace(OURS, columns=LONGER), replace(IN_BRONZE, columns=LONGER))
    assert main(["lake", "migrate", "--lake", str(lake)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "silver.things: got the columns it lacked",
        "bronze.things: got the columns it lacked",
    ]
    assert main(["lake", "migrate", "--lake", str(lake)]) == 0
    assert "up to date" in capsys.readouterr().out
    assert main(["lake", "migrate", "--lake", str(lake / "nowhere")]) == 4
