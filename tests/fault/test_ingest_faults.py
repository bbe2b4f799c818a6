"""Broken sources: each fault is named, leaves no row, and takes nothing sound with it; a killed ingest is mended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from sos_spark.bronze.arrive.inspection import inspect_files
from sos_spark.bronze.arrive.inventory import SourceFile
from sos_spark.bronze.fault import MAX_FILE_BYTES
from sos_spark.config.reference import authorities
from sos_spark.errors import ConflictError, InputError
from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.lake import Lake
from sos_spark.lake.locks import locked
from sos_spark.machine.workers import Workers
from sos_spark.steps.ingest import LAYER_LOCK
from sos_spark.tables import CIN_MODULES, FILES, LAC_MODULES, Table
from tests.sources import a_child, a_header, a_referral, cin_xml, put, put_lac_folder, run_ingest

DETAILS = CIN_MODULES["cin_details"]
SECRET = "SECRET1"
CHILD = a_child(SECRET, a_referral())


def put_broken(source: Path) -> dict[str, str]:
    """Writes broken files; returns what is to be said of each."""
    header = {name: cin_xml(CHILD, header=text) for name, text in {
        "lea": a_header(la="2O1"), "reference_date": a_header(reference_date="2014-03-31"), "year": a_header(year="15"),
        "unknown_la": a_header(la="999"), "too_early": a_header(la="838"), "other_year": a_header(year="2016"),
        "none": "",
    }.items()}  # fmt: skip
    for name, content in {
        "cin/lea.xml": header["lea"],
        "cin/reference_date.xml": header["reference_date"],
        "cin/year.xml": header["year"],
        "cin/unknown_la.xml": header["unknown_la"],
        "cin/too_early.xml": header["too_early"],
        "cin/none.xml": header["none"],
        "cin/2015/201.xml": header["other_year"],
        "cin/2015/202.xml": cin_xml(CHILD),
        "cin/2016/sub/late.xml": cin_xml(CHILD),
        "cin/2015/2016/x.xml": cin_xml(CHILD),
        "cin/whose.xml": cin_xml(a_child(SECRET, identifiers="<LAchildID>C2</LAchildID>")),
        "cin/truncated.xml": cin_xml(CHILD)[:-40],
        "cin/doctype.xml": "<!DOCTYPE Message>" + cin_xml(CHILD),
    }.items():
        put(source / name, content)
    put_lac_folder(source, la="999")
    put_lac_folder(source, la="204", episodes=f"{SECRET},01/05/2014")
    put_lac_folder(source, la="207", episodes="A1,01/05/2012,S,C2,N1,U1,PR0,01/06/2012,E8,,,,")
    (put_lac_folder(source, la="205") / "header.csv").unlink()
    reviews = put_lac_folder(source, la="206") / "reviews.csv"
    put(reviews, f"CHILD,DOB,REVIEW,REVIEW_CODE\n{SECRET},01/02/2008\n")
    return {
        "cin/lea.xml": "The LA code is not one",
        "cin/reference_date.xml": "expected 2015-03-31, found 2014-03-31",
        "cin/year.xml": "The census year is not one",
        "cin/unknown_la.xml": "No authority has this LA code: found 999",
        "cin/too_early.xml": "expected 838 from 2020, found 2015",
        "cin/none.xml": "no Header",
        "cin/2015/201.xml": "folder disagree: expected 2015, found 2016",
        "cin/2015/202.xml": "name disagree: expected 202, found 201",
        "cin/2016/sub/late.xml": "folder disagree: expected 2016, found 2015",
        "cin/2015/2016/x.xml": "more than one census year",
        "cin/whose.xml": "cannot be told whose it is (element_repeated: LAchildID)",
        "cin/truncated.xml": "cut off",
        "cin/doctype.xml": "DOCTYPE",
        "ssda903/2015/999/": "No authority has this LA code: found 999",
        "ssda903/2015/204/": "all or nothing, and episodes.csv: A row has another number of columns",
        "ssda903/2015/205/": "header.csv is missing",
        "ssda903/2015/207/": "episodes.csv: The episodes are those of another year than the folder's",
        "ssda903/2015/206/reviews.csv": "another number of columns",
    }


@pytest.mark.slow
def test_every_fault_is_named_and_everything_else_is_committed(spark: SparkSession, tmp_path: Path) -> None:
    source, lake = tmp_path / "source", tmp_path / "lake"
    expected = put_broken(source)
    put(source / "cin" / "sound.xml", cin_xml(a_child("C1", a_referral())))
    _, report = run_ingest(spark, source, lake)

    told = {name: reason for name, _, reason in (text.partition(": ") for text in report.refused)}
    assert set(told) == set(expected)
    assert {name: text for name, text in expected.items() if text not in told[name]} == {}
    assert report.exit_code == 4
    assert SECRET not in str(report)

    assert [row["LAchildID"] for row in read_arrow(lake, DETAILS).to_pylist()] == ["C1"]
    assert {row["la_code"] for row in read_arrow(lake, LAC_MODULES["lac_episodes"]).to_pylist()} == {"206"}
    rows = read_arrow(lake, FILES).to_pylist()
    assert SECRET not in str(rows)
    assert sorted(row["file_path"] for row in rows if row["status"] == "accepted") == [
        "cin/sound.xml", "ssda903/2015/206/episodes.csv", "ssda903/2015/206/header.csv",
    ]  # fmt: skip
    assert all(row["reason"] for row in rows if row["status"] == "refused")


def test_a_file_that_is_too_large_or_gone_is_not_parsed(spark: SparkSession, tmp_path: Path) -> None:
    path = put(tmp_path / "a.xml", "no XML")
    large = SourceFile(str(path), "cin/a.xml", "xml", MAX_FILE_BYTES + 1)
    gone = SourceFile(str(tmp_path / "b.xml"), "cin/b.xml", "xml", 1)
    looked = inspect_files(Workers(lambda: spark), [large, gone], authorities())
    reasons = {seen.file.name: seen.reason for seen in looked.files}
    assert reasons["cin/a.xml"] == "The file is too large: expected at most 536870912 bytes, found 536870913"
    assert reasons["cin/b.xml"] == "The file cannot be read: found FileNotFoundError"


@pytest.mark.slow
def test_broken_tables_refuse_what_they_may_have_held(spark: SparkSession, tmp_path: Path) -> None:
    source, lake = tmp_path / "source", tmp_path / "lake"
    put_lac_folder(source)
    put(source / "tables" / "cin_details.csv", "la_code,census_year,LAchildID,CINreferralDate,ReferralNFA\n"
                                               "201,2015,C1,2014-05-01,0\n")  # fmt: skip
    put(source / "tables" / "section47" / "p.parquet", b"PAR1 and no more")
    put(source / "tables" / "lac_reviews.csv", f"la_code,census_year,CHILD\n201,2015,{SECRET},x\n")
    _, report = run_ingest(spark, source, lake)
    assert [text.partition(": ")[0] for text in report.refused] == [
        "tables/ (cin of LA 201, census year 2015)", "tables/lac_reviews.csv", "tables/section47/p.parquet",
    ]  # fmt: skip
    assert SECRET not in str(report)
    assert not Lake(lake).exists(DETAILS)
    assert Lake(lake).exists(LAC_MODULES["lac_episodes"])


def put_table(source: Path, name: str, *rows: str) -> Path:
    """Writes a CSV of cin_details."""
    header = "la_code,census_year,LAchildID,CINreferralDate,ReferralNFA"
    return put(source / "tables" / name, "\n".join([header, *rows, ""]))


@pytest.mark.slow
def test_table_files_that_ended_the_program_are_refused_by_name(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, lake = tmp_path / "source", tmp_path / "lake"
    put_lac_folder(source)
    put_table(source, "cin_details.csv", "201,2015,C1,2014-05-01,0")
    put_table(source, "assessments/a:b.csv")
    put(source / "tables/section47/wide.csv", ",".join(f"{SECRET}{n}" for n in range(30_000)) + "\n")
    put(source / "tables/cin_plan_dates/locked/p.csv", "LAchildID\n")
    parts = source / "tables/cp_plans"
    parts.mkdir()
    keys = {"la_code": ["201"], "census_year": [2015], "LAchildID": [SECRET], "CINreferralDate": ["2014-05-01"]}
    pq.write_table(pa.table({**keys, "CPPstartDate": pa.array([1], pa.time64("us"))}), parts / "time.parquet")
    pq.write_table(pa.table({**keys, "CPPstartDate": ["2014-06-01"]}), parts / "page.parquet", use_dictionary=False)
    start = pq.ParquetFile(parts / "page.parquet").metadata.row_group(0).column(2).data_page_offset
    content = bytearray((parts / "page.parquet").read_bytes())
    content[start : start + 30] = bytes(30)
    (parts / "page.parquet").write_bytes(content)
    _lock(monkeypatch, source / "tables/cin_plan_dates/locked")

    _, report = run_ingest(spark, source, lake)
    told = {name: reason for name, _, reason in (text.partition(": ") for text in report.refused)}
    for name, reason in {
        "tables/assessments/a:b.csv": "colon",
        "tables/section47/wide.csv": "too many columns: expected at most 2000, found 30000",
        "tables/cin_plan_dates/locked": "The folder may not be read: found PermissionError",
        "tables/cp_plans/time.parquet": "no value of a return: expected text, numbers or dates, found CPPstartDate",
        "tables/cp_plans/page.parquet": "A page of the file is damaged",
        "tables/ (cin of LA 201, census year 2015)": "Another file of this collection's tables is refused",
    }.items():
        assert reason in told.pop(name)
    assert not told
    assert report.exit_code == 4
    assert SECRET not in str(report)
    assert SECRET not in str(read_arrow(lake, FILES).to_pylist())
    assert not Lake(lake).exists(DETAILS)
    assert Lake(lake).exists(LAC_MODULES["lac_episodes"])


def _lock(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Takes away the right to list a folder, which a test run as root cannot."""
    listed = Path.iterdir

    def refused(self: Path) -> Any:
        if self == folder:
            raise PermissionError
        return listed(self)

    monkeypatch.setattr(Path, "iterdir", refused)


@pytest.mark.slow
def test_a_row_without_an_authority_takes_with_it_what_it_may_belong_to(spark: SparkSession, tmp_path: Path) -> None:
    source, lake = tmp_path / "source", tmp_path / "lake"
    put_table(
        source, "cin_details.csv", "201,2015,C1,2014-05-01,0", "202,2015,C2,2014-05-01,0", "201,2016,C3,2015-05-01,0",
        ",2015,C4,2014-05-01,0",
    )  # fmt: skip
    _, report = run_ingest(spark, source, lake)
    told = {name: reason for name, _, reason in (text.partition("): ") for text in report.refused)}
    assert told == {
        "tables/ (cin of LA 201, census year 2015": "Rows without a credible la_code or census_year may belong to this "
        "LA-year: found 1 of tables/cin_details.csv",
        "tables/ (cin of LA 202, census year 2015": "Rows without a credible la_code or census_year may belong to this "
        "LA-year: found 1 of tables/cin_details.csv",
        "tables/ (cin of LA unknown, census year 2015": "Rows without a credible la_code: found in "
        "tables/cin_details.csv",
    }
    assert (report.exit_code, _children(lake)) == (4, ["C3"])


@pytest.mark.slow
def test_a_postcode_in_place_of_a_header_stays_in_its_file(spark: SparkSession, tmp_path: Path) -> None:
    source, lake = tmp_path / "source", tmp_path / "lake"
    put(put_lac_folder(source) / "episodes.csv", "A1,01/05/2014,S,C2,N1,U1,PR0,,,,ZQ1 9X0,ZQ1 9X0,SC1\n")
    put(source / "cin/a.xml", cin_xml(a_child("C1", a_referral(inside="<ZQ19X0>1</ZQ19X0>"))))
    _, report = run_ingest(spark, source, lake)
    told = str(report) + str(read_arrow(lake, FILES).to_pylist())
    assert "found columns 11 and 12" in told
    assert not [value for value in ("ZQ1 9X0", "ZQ19X0", "SC1") if value in told]


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.slow
def test_an_ingest_killed_before_its_end_is_finished_or_undone(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, lake = tmp_path / "source", tmp_path / "lake"
    path = put(source / "cin" / "a.xml", cin_xml(a_child("C1", a_referral())))
    run_ingest(spark, source, lake)
    first = path.read_text()

    put(path, cin_xml(a_child("C2", a_referral()), header=a_header(at="2015-06-01T09:00:00")))
    _kill_at(monkeypatch, FILES)
    with pytest.raises(KilledError):
        run_ingest(spark, source, lake)
    monkeypatch.undo()
    assert _children(lake) == ["C2"]

    put(path, first)
    run_ingest(spark, source, lake)
    assert _children(lake) == ["C1"]

    put(path, cin_xml(a_child("C3", a_referral()), header=a_header(at="2015-07-01T09:00:00")))
    _kill_at(monkeypatch, FILES)
    with pytest.raises(KilledError):
        run_ingest(spark, source, lake)
    monkeypatch.undo()
    version = Lake(lake).version(DETAILS)
    run_ingest(spark, source, lake)
    assert (_children(lake), Lake(lake).version(DETAILS)) == (["C3"], version)


def _kill_at(monkeypatch: pytest.MonkeyPatch, last: Table) -> None:
    def before(real: Callable[..., int]) -> Callable[..., int]:
        def killed(self: Lake, rows: Any, table: Table, **named: Any) -> int:
            if table == last:
                raise KilledError
            return real(self, rows, table, **named)

        return killed

    for name in ("overwrite", "put", "take_files"):
        monkeypatch.setattr(Lake, name, before(getattr(Lake, name)))


def _children(lake: Path) -> list[str]:
    return [row["LAchildID"] for row in read_arrow(lake, DETAILS).to_pylist()]


def test_a_second_ingest_at_once_is_told_of_the_first(spark: SparkSession, tmp_path: Path) -> None:
    put(tmp_path / "source" / "cin" / "a.xml", cin_xml())
    lake = tmp_path / "lake"
    lake.mkdir()
    with locked(lake, LAYER_LOCK, java_process=None), pytest.raises(ConflictError):
        run_ingest(spark, tmp_path / "source", lake)


@pytest.mark.parametrize("mark", ["truth.json", "cin/.simulated"])
def test_a_lake_takes_simulated_returns_or_real_ones_and_names_the_files_that_mix(
    spark: SparkSession, tmp_path: Path, mark: str
) -> None:
    simulated, real, lake = tmp_path / "simulated", tmp_path / "real", tmp_path / "lake"
    put(simulated / "cin" / "made_up.xml", cin_xml(a_child("C1", a_referral())))
    put(simulated / mark, "{}")
    put(real / "cin" / "sound.xml", cin_xml(a_child("C2", a_referral()), header=a_header(la="202")))
    run_ingest(spark, simulated, lake)
    version = Lake(lake).version(FILES)
    assert [row["is_simulated"] for row in read_arrow(lake, FILES).to_pylist()] == [True]
    with pytest.raises(InputError) as caught:
        run_ingest(spark, real, lake)
    assert caught.value.exit_code == 4
    assert "cin/made_up.xml" in caught.value.found
    assert "cin/sound.xml" in caught.value.found
    assert (Lake(lake).version(FILES), _children(lake)) == (version, ["C1"])
