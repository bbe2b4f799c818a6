"""Plain tables by Arrow: the rows and counts that Spark gives, files for the owner alone, and the lake's commits."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from sos_spark.bronze.arrive.inspection import Inspection, inspect_files
from sos_spark.bronze.arrive.inventory import take_inventory
from sos_spark.bronze.decide.returns import Return
from sos_spark.bronze.read.accepted_rows import accepted_rows
from sos_spark.bronze.read.drafted import DraftedRecords
from sos_spark.bronze.read.plain_copy import PlainTable, copy_plain
from sos_spark.config.reference import authorities
from sos_spark.errors import InputError
from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.lake import Lake
from sos_spark.lake.maintenance import maintain
from sos_spark.machine import workers as machine_workers
from sos_spark.machine.faults import faults_told
from sos_spark.machine.workers import Workers
from sos_spark.steps.ingest import gather_returns
from sos_spark.tables import BRONZE_MODULES, FILES, Table
from tests.sources import run_ingest


def put_table(source: Path, module: str, name: str = "a", **columns: Any) -> Path:
    path = source / "tables" / module / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def put_plain(source: Path) -> None:
    """Two modules of either collection, with what a plain table may hold; LA 999 is none."""
    put_table(
        source, "child_identifiers", "a", la_code=["201", " 202\u00a0", "201.0", "999"],
        Census_Year=["2015", "2016.0", " 2015 ", "2015"], LAchildID=[" C1\u00a0", "", "C3", "C4"],
        PersonBirthDate=pa.array([date(2010, 2, 1), None, date(1999, 12, 31), date(2010, 2, 1)]),
        UPNunknown=pa.array([True, None, False, True]), FormerUPN=pa.nulls(4),
        Sex=pa.array(["F", "M ", None, "F"]).dictionary_encode(), UPN=pa.array([7, None, -1, 7], pa.int16()),
    )  # fmt: skip
    put_table(
        source, "child_identifiers", "b [1]", census_year=pa.array([2015, 2016], pa.int32()),
        LACHILDID=pa.array([8, 9], pa.int64()), la_code=pa.array([202, 201], pa.int16()), other=[1.5, 2.5],
    )  # fmt: skip
    put_table(
        source, "lac_header", la_code=["201"] * 2, census_year=[2015] * 2, CHILD=["A1", "A2"], SEX=[1, 2],
        DOB=pa.array([date(2010, 2, 1), None]), HOME_POST=["AB1 2CD"] * 2,
    )  # fmt: skip


def inspected(spark: SparkSession, source: Path) -> list[Inspection]:
    return inspect_files(Workers(lambda: spark), take_inventory(source).files, authorities()).files


def accepted_of(spark: SparkSession, seen: Sequence[Inspection]) -> list[Return]:
    return gather_returns(lambda: spark, seen).returns


def not_plain(seen: Sequence[Inspection]) -> list[Inspection]:
    return [replace(one, la_years=None) for one in seen]


def plain_tables(lake: Path, returns: Sequence[Return]) -> list[PlainTable]:
    modules = {part.file.file.module or "" for one in returns for part in one.parts}
    return [
        PlainTable(
            module, lake / "bronze" / module,
            [(one.slice, part.file) for one in returns for part in one.parts if part.file.file.module == module],
        )
        for module in sorted(modules)
    ]  # fmt: skip


@pytest.fixture(params=["this process", "two processes", "executors"])
def workers(request: pytest.FixtureRequest, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Workers:
    """Few bytes are this process's work; with a limit of none they go to others, as many do."""
    if request.param != "this process":
        monkeypatch.setattr(machine_workers, "FEW_BYTES", 0)
    return Workers(lambda: spark, processes=2 if request.param == "two processes" else None)


def test_arrow_copies_and_counts_what_spark_does(spark: SparkSession, workers: Workers, tmp_path: Path) -> None:
    put_plain(tmp_path)
    seen = inspected(spark, tmp_path)
    returns, by_spark = accepted_of(spark, seen), accepted_of(spark, not_plain(seen))
    assert {one.slice: one.rows_by_module for one in returns} == {one.slice: one.rows_by_module for one in by_spark}
    assert len(returns) == 5

    tables = plain_tables(tmp_path / "lake", returns)
    written = copy_plain(workers, tables)
    rows = accepted_rows(spark, by_spark, DraftedRecords(tmp_path, []))
    for table in tables:
        copied = []
        for file in written:
            if file.module == table.module:
                path = table.folder / file.path
                found = pq.read_table(path, partitioning=None)
                assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
                assert (found.num_rows, path.stat().st_size) == (file.n_rows, file.n_bytes)
                assert sum(n_rows for _, n_rows in file.sources) == file.n_rows
                copied += [{**row, "census_year": int(file.census_year)} for row in found.to_pylist()]
        names = BRONZE_MODULES[table.module].column_names
        assert sorted([[row[name] for name in names] for row in copied], key=str) == sorted(
            map(list, rows[table.module].collect()), key=str
        )
    assert {file.census_year for file in written if file.module == "child_identifiers"} == {"2015", "2016"}


def test_a_plain_file_that_is_another_than_at_the_first_look_is_named(
    spark: SparkSession, workers: Workers, tmp_path: Path
) -> None:
    columns: dict[str, Any] = {"la_code": ["201"], "census_year": [2015], "LAchildID": ["SECRET1"]}
    path = put_table(tmp_path, "child_identifiers", **columns)
    tables = plain_tables(tmp_path / "lake", accepted_of(spark, inspected(spark, tmp_path)))
    pq.write_table(pa.table({name: values * 2 for name, values in columns.items()}), path)
    with pytest.raises(InputError, match="A source file cannot be read") as fault, faults_told("bronze"):
        copy_plain(workers, tables)
    assert fault.value.where == "tables/child_identifiers/a.parquet"
    assert not [path for path in (tmp_path / "lake").rglob("*") if path.is_file()]


def put_children(source: Path, **child_by_la: str) -> Path:
    """A table each of identifiers and referrals, with one child for each authority, as in la_201="C1"."""
    la_codes, children = [name[3:] for name in child_by_la], list(child_by_la.values())
    common: dict[str, Any] = {"la_code": la_codes, "census_year": [2015] * len(children), "LAchildID": children}
    put_table(source, "child_identifiers", **common)
    put_table(
        source, "cin_details", **common, CINreferralDate=["2014-05-01"] * len(children), ReferralNFA=[0] * len(children)
    )
    return source


def children(lake: Path, module: str) -> set[tuple[str, str]]:
    rows = read_arrow(lake, BRONZE_MODULES[module]).to_pylist()
    assert len(rows) == len({(row["la_code"], row["LAchildID"]) for row in rows})
    return {(row["la_code"], row["LAchildID"]) for row in rows}


@pytest.mark.slow
def test_plain_returns_are_added_and_replaced_as_any_others(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, gone = tmp_path / "lake", []
    take_files = Lake.take_files

    def told(self: Lake, *given: Any, **named: Any) -> int:
        gone.append(named["slices"])
        return take_files(self, *given, **named)

    monkeypatch.setattr(Lake, "take_files", told)
    for returns, held, slices in [
        ({"la_201": "C1"}, {("201", "C1")}, None),
        ({"la_202": "C2"}, {("201", "C1"), ("202", "C2")}, [{"la_code": "202", "census_year": 2015}]),
        ({"la_201": "C3", "la_202": "C4"}, {("201", "C3"), ("202", "C4")}, None),
        ({"la_201": "C5"}, {("201", "C5"), ("202", "C4")}, [{"la_code": "201", "census_year": 2015}]),
    ]:
        gone.clear()
        _, report = run_ingest(spark, put_children(tmp_path / "-".join(returns.values()), **returns), lake)
        assert report.rows["bronze.child_identifiers"] == len(returns)
        assert (children(lake, "child_identifiers"), children(lake, "cin_details")) == (held, held)
        assert gone == [slices, slices]


@pytest.mark.slow
def test_a_plain_correction_may_lack_a_module_and_large_files_are_left_to_executors(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = tmp_path / "lake"
    run_ingest(spark, put_children(tmp_path / "first", la_201="C1", la_202="C2"), lake)
    shutil.rmtree(put_children(tmp_path / "second", la_201="C3") / "tables" / "cin_details")
    with_spark = shutil.copytree(lake, tmp_path / "with_spark")
    run_ingest(spark, tmp_path / "second", lake)
    monkeypatch.setattr(Lake, "replaces_without_spark", lambda *_: False)
    run_ingest(spark, tmp_path / "second", with_spark)
    for one in (lake, with_spark):
        assert children(one, "child_identifiers") == {("201", "C3"), ("202", "C2")}
        assert children(one, "cin_details") == {("202", "C2")}
        assert Lake(one).fingerprint(BRONZE_MODULES["cin_details"]) == Lake(lake).fingerprint(FILES)


@pytest.mark.slow
def test_a_copy_that_was_killed_is_finished_or_undone(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, source = tmp_path / "lake", put_children(tmp_path / "source", la_201="C1", la_202="C2")
    take_files = Lake.take_files

    class KilledError(BaseException):
        """Stands for the end of the process."""

    def killed(self: Lake, files: Any, table: Table, **named: Any) -> int:
        if table.short_name == "cin_details":
            raise KilledError
        return take_files(self, files, table, **named)

    monkeypatch.setattr(Lake, "take_files", killed)
    with pytest.raises(KilledError):
        run_ingest(spark, source, lake)
    monkeypatch.undo()
    identifiers, details = BRONZE_MODULES["child_identifiers"], BRONZE_MODULES["cin_details"]
    assert (Lake(lake).exists(FILES), Lake(lake).exists(details)) == (False, False)
    assert children(lake, "child_identifiers") == {("201", "C1"), ("202", "C2")}

    again = shutil.copytree(lake, tmp_path / "again")
    run_ingest(spark, source, again)
    assert Lake(again).version(identifiers) == Lake(lake).version(identifiers)
    assert children(again, "cin_details") == children(again, "child_identifiers") == {("201", "C1"), ("202", "C2")}

    run_ingest(spark, put_children(tmp_path / "other", la_203="C3"), lake)
    assert children(lake, "cin_details") == children(lake, "child_identifiers") == {("203", "C3")}
    assert maintain(lake, keep={}, older_than_days=0, dry_run=False).keys() >= {details.name}
