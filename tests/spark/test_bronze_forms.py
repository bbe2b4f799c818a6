"""The same returns as XML and CSV folders, and as flat tables, are the same bronze rows but for provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.bronze.arrive import inspection
from sos_spark.bronze.arrive.inspection import inspect_files
from sos_spark.bronze.arrive.inventory import take_inventory
from sos_spark.bronze.decide.returns import Return
from sos_spark.bronze.fields import FIELDS
from sos_spark.bronze.read.accepted_rows import accepted_rows
from sos_spark.bronze.read.drafted import DraftedRecords, only_of
from sos_spark.config.reference import authorities
from sos_spark.machine import workers as machine_workers
from sos_spark.machine.workers import Workers
from sos_spark.steps.ingest import gather_returns
from tests.sources import a_child, a_header, a_referral, cin_xml, leaves, put, put_lac_folder

Rows = list[tuple[str | None, ...]]

CHILD = a_child(
    "0012",
    a_referral(
        inside=leaves(CINclosureDate="2014-09-01", ReasonForClosure="RC8", DateOfInitialCPC="2014-06-01")
        + "<Assessments>"
        + leaves(AssessmentActualStartDate="2014-05-03", AssessmentAuthorisationDate="2014-06-03")
        + "<FactorsIdentifiedAtAssessment><AssessmentFactors>2A</AssessmentFactors>"
        + "<AssessmentFactors>2B</AssessmentFactors></FactorsIdentifiedAtAssessment></Assessments>"
        + f"<CINPlanDates>{leaves(CINPlanStartDate='2014-07-01')}</CINPlanDates>"
        + f"<Section47>{leaves(S47ActualStartDate='2014-05-09', ICPCnotRequired='0')}</Section47>"
        + f"<ChildProtectionPlans>{leaves(CPPstartDate='2014-06-02', NumberOfPreviousCPP='0')}"
        + "<Reviews><CPPreviewDate>2014-08-01</CPPreviewDate></Reviews></ChildProtectionPlans>"
    ),
    identifiers=leaves(PersonBirthDate="2010-02-01", GenderCurrent="1"),
    characteristics=leaves(Ethnicity="WBRI") + "<Disabilities><Disability>HAND</Disability></Disabilities>",
)


def accepted_of(spark: SparkSession, source: Path, drafts: Path) -> tuple[list[Return], DraftedRecords]:
    """The returns of a source, and the records that were drafted when it was looked at."""
    looked = inspect_files(Workers(lambda: spark), take_inventory(source).files, authorities(), drafts=drafts)
    gathered = gather_returns(lambda: spark, looked.files)
    assert gathered.refused == []
    return gathered.returns, DraftedRecords(drafts, looked.drafted)


def read_all(spark: SparkSession, source: Path) -> dict[str, Rows]:
    """Every module's rows: LA, year and the fields."""
    returns, drafted = accepted_of(spark, source, source.parent / f"{source.name} drafts")
    found = accepted_rows(spark, returns, drafted)
    frames = [
        frame.select(
            F.lit(module).alias("module"),
            F.array("la_code", F.col("census_year").cast("string"), *FIELDS[module]).alias("values"),
        )
        for module, frame in found.items()
    ]
    rows: dict[str, Rows] = {}
    for module, row in reduce(DataFrame.unionAll, frames).collect():
        rows.setdefault(module, []).append(tuple(row))
    return {module: sorted(found_rows, key=str) for module, found_rows in rows.items()}


def put_returns(source: Path) -> None:
    """Two LA-years of the CIN census and one of SSDA903."""
    put(source / "cin" / "2015" / "201.xml", cin_xml(CHILD, a_child("0013", a_referral())))
    put(source / "cin" / "b.xml", cin_xml(CHILD, header=a_header(la="202", year="2016")))
    put_lac_folder(source)


def put_tables(source: Path, modules: Mapping[str, Rows], *, suffix: str, typed: bool) -> None:
    """Writes rows as flat tables: text, or with DATE columns where every value is a date."""
    for module, rows in modules.items():
        names = ["la_code", "census_year", *FIELDS[module]]
        columns = {name: _column([row[at] for row in rows], typed) for at, name in enumerate(names)}
        path = source / "tables" / module / f"part-0{suffix}"
        path.parent.mkdir(parents=True)
        table = pa.table(columns)
        if suffix == ".csv":
            pa_csv.write_csv(table, path)
        else:
            pq.write_table(table, path)


def _column(values: Sequence[str | int | None], typed: bool) -> pa.Array:
    try:
        if typed and any(values):
            days = [None if v is None else _a_day(str(v)) for v in values]
            return pa.array(days, pa.date32())
    except ValueError:
        pass
    return pa.array([None if v is None else str(v) for v in values], pa.string())


def _a_day(text: str) -> date:
    if "/" in text:
        day, month, year = map(int, text.split("/"))
        return date(year, month, day)
    return date.fromisoformat(text)


@pytest.mark.slow
def test_flat_tables_give_the_rows_of_the_returns(spark: SparkSession, tmp_path: Path) -> None:
    put_returns(tmp_path / "returns")
    received = read_all(spark, tmp_path / "returns")
    assert {module: len(rows) for module, rows in received.items()} == {
        "child_identifiers": 3, "cin_details": 3, "assessments": 2, "cin_plan_dates": 2, "section47": 2, "cp_plans": 2,
        "lac_header": 1, "lac_episodes": 1,
    }  # fmt: skip
    put_tables(tmp_path / "csv", received, suffix=".csv", typed=False)
    assert read_all(spark, tmp_path / "csv") == received
    put_tables(tmp_path / "parquet", received, suffix=".parquet", typed=True)
    assert read_all(spark, tmp_path / "parquet") == received


def records_in(drafted: DraftedRecords) -> list[str]:
    """The drafted records of all modules, as text."""
    return sorted(
        f"{file.module} {file.census_year} {row}"
        for file in drafted.files
        for row in pq.read_table(drafted.folder / file.module / file.path, partitioning=None).to_pylist()
    )


def test_where_and_in_how_many_tasks_files_are_read_changes_no_row(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_returns(tmp_path / "source")
    put(tmp_path / "source" / "cin" / "2015" / "203.xml", cin_xml(a_child("0014"), header=a_header(la="203")))
    _, here = accepted_of(spark, tmp_path / "source", tmp_path / "here")
    in_one_task = records_in(here)
    assert len(in_one_task) == 17

    monkeypatch.setattr(machine_workers, "FEW_BYTES", 0)
    monkeypatch.setattr(inspection, "_BYTES_A_TASK", 1)
    _, there = accepted_of(spark, tmp_path / "source", tmp_path / "there")
    assert records_in(there) == in_one_task
    assert len(there.files) > len(here.files)


@pytest.mark.parametrize("few_bytes", [0, 1 << 20])
def test_drafts_keep_the_records_of_files_that_are_taken_and_of_no_others(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_bytes: int
) -> None:
    put_returns(tmp_path / "source")
    # The same content under a second name: the same file, whose records are in the drafts twice.
    put(tmp_path / "source" / "cin" / "2015" / "a copy.xml", (tmp_path / "source/cin/2015/201.xml").read_text())
    returns, drafted = accepted_of(spark, tmp_path / "source", tmp_path / "drafts")
    taken = {part.file.file.name for one in returns for part in one.parts}
    assert len(drafted.sources - taken) == 1

    monkeypatch.setattr(machine_workers, "FEW_BYTES", few_bytes)
    kept = only_of(Workers(lambda: spark), drafted, taken)
    assert kept.sources == taken
    rows = records_in(kept)
    assert (len(rows), len(set(rows))) == (16, 16)
    assert set(rows) == set(records_in(drafted))
    assert [file.n_rows for file in only_of(Workers(lambda: spark), kept, {"cin/b.xml"}).of("assessments")] == [1]
    assert only_of(Workers(lambda: spark), kept, ()).files == []
