"""Flat tables read by Spark: every received type becomes the text a return would hold."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession

from sos_spark.bronze.arrive.inspection import Inspection, inspect_files
from sos_spark.bronze.arrive.inventory import take_inventory
from sos_spark.bronze.read.flat_tables import (
    NANOS_AS_LONG,
    count_table_rows,
    file_of_uri,
    read_table,
    with_characteristics,
)
from sos_spark.config.reference import authorities
from sos_spark.machine.workers import Workers
from tests.sources import put


def inspected(spark: SparkSession, source: Path) -> list[Inspection]:
    return inspect_files(Workers(lambda: spark), take_inventory(source).files, authorities()).files


def rows(frame: DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in frame.select(*columns).collect()), key=str)


def write_parquet(path: Path, **columns: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def test_received_types_become_text(spark: SparkSession, tmp_path: Path) -> None:
    write_parquet(
        tmp_path / "tables/child_identifiers/p.parquet",
        LA_CODE=pa.array([201, 201]),
        Census_Year=pa.array([2015.0, 2015.0]),
        LAchildID=pa.array(["007", " 8\u00a0"]),
        UPN=pa.array([Decimal("12.00"), Decimal("1.50")]),
        FormerUPN=pa.array([1.0, float("nan")]),
        UPNunknown=pa.array([True, None]),
        PersonBirthDate=pa.array([date(2010, 2, 1), None]),
        PersonDeathDate=pa.array([datetime(2011, 2, 1), datetime(2011, 2, 1, 12, 30)], pa.timestamp("us")),
        ExpectedPersonBirthDate=pa.array([datetime(2012, 2, 1), None], pa.timestamp("ns")),
        Disabilities=pa.array([["HAND", "HEAR"], []]),
        Sex=pa.array(["", "F"]),
    )
    spark.conf.set(NANOS_AS_LONG, "true")
    try:
        frame = read_table(spark, inspected(spark, tmp_path))
        names = ("LAchildID", "UPN", "FormerUPN", "UPNunknown", "PersonBirthDate", "PersonDeathDate",
                 "ExpectedPersonBirthDate", "Disabilities", "Sex", "Ethnicity")  # fmt: skip
        assert rows(frame, "la_code", "census_year", "record_position", *names) == [
            ("201", 2015, 1, "007", "12", "1", "true", "2010-02-01", "2011-02-01", "2012-02-01", "HAND;HEAR", None,
             None),
            ("201", 2015, 2, "8", "1.50", None, None, None, "2011-02-01", None, None, "F", None),
        ]  # fmt: skip
    finally:
        spark.conf.unset(NANOS_AS_LONG)


def test_dates_of_lac_tables_are_written_with_slashes(spark: SparkSession, tmp_path: Path) -> None:
    common = {"la_code": ["201"], "census_year": [2015], "CHILD": ["A1"], "SEX": ["1"]}
    write_parquet(tmp_path / "tables/lac_header/a.parquet", **common, DOB=pa.array([date(2010, 2, 1)]))
    write_parquet(tmp_path / "tables/lac_header/b.parquet", **common, DOB=pa.array(["01/02/2010"]))
    assert rows(read_table(spark, inspected(spark, tmp_path)), "DOB") == [("01/02/2010",)] * 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_csv_parts_in_any_encoding_and_column_order(spark: SparkSession, tmp_path: Path, encoding: str) -> None:
    folder = tmp_path / "tables" / "cin_details"
    put(folder / "a [1].csv", "la_code,census_year,LAchildID,CINreferralDate,ReferralNFA\n"
                              '201,2015.0,"Zo""ë€",2014-05-01,0\n'.encode(encoding))  # fmt: skip
    put(folder / "b.csv", "ReferralNFA,extra,CINreferralDate,LACHILDID,CENSUS_YEAR,LA_CODE\r\n"
                          "1,x,2014-05-02,002,2016,202\r\n")  # fmt: skip
    frame = read_table(spark, inspected(spark, tmp_path))
    assert rows(frame, "la_code", "census_year", "LAchildID", "CINreferralDate", "ReferralNFA", "record_position") == [
        ("201", 2015, 'Zo"ë€', "2014-05-01", "0", None),
        ("202", 2016, "002", "2014-05-02", "1", None),
    ]


def test_columns_may_stand_in_the_names_of_folders(spark: SparkSession, tmp_path: Path) -> None:
    for year in (2015, 2016):
        write_parquet(
            tmp_path / f"tables/cin_details/census_year={year}/p.parquet",
            la_code=["201"], LAchildID=[f"C{year}"], CINreferralDate=["2014-05-01"], ReferralNFA=["0"],
        )  # fmt: skip
    put(
        tmp_path / "tables/cin_details/census_year=2017/la_code=202/p.csv",
        "LAchildID,CINreferralDate,ReferralNFA\nC2017,2014-05-01,0\n",
    )
    frame = read_table(spark, inspected(spark, tmp_path), check_rows=True)
    assert rows(frame, "la_code", "census_year", "LAchildID") == [
        ("201", 2015, "C2015"), ("201", 2016, "C2016"), ("202", 2017, "C2017"),
    ]  # fmt: skip
    counted = count_table_rows([("cin_details", frame)]).collect()
    assert sorted((row.la_code, row.census_year, row.n_rows, row.n_broken) for row in counted) == [
        ("201", 2015, 1, 0), ("201", 2016, 1, 0), ("202", 2017, 1, 0),
    ]  # fmt: skip


def test_rows_are_counted_by_file_and_la_year_and_broken_ones_among_them(spark: SparkSession, tmp_path: Path) -> None:
    path = put(
        tmp_path / "tables" / "section47.csv",
        "la_code,census_year,LAchildID,CINreferralDate,S47ActualStartDate\n"
        "201,2015,C1,2014-05-01,2014-05-02\n201,2015,C2,2014-05-01\n"
        "20,2015,C3,2014-05-01,2014-05-02\n201,then,C4,2014-05-01,2014-05-02\n201,2015,C1,2014-05-01,2014-05-09,x\n",
    )
    counted = count_table_rows(
        [("section47", read_table(spark, inspected(spark, tmp_path), check_rows=True))]
    ).collect()
    assert {file_of_uri(row.file_uri) for row in counted} == {str(path)}
    assert sorted(((row.la_code, row.census_year, row.n_rows, row.n_broken) for row in counted), key=str) == [
        ("201", 2015, 3, 2), ("201", None, 1, 0), (None, 2015, 1, 0),
    ]  # fmt: skip


def test_characteristics_of_their_own_are_added_to_their_child(spark: SparkSession) -> None:
    identifiers = spark.createDataFrame(
        [("201", 2015, "C1", None, None), ("201", 2015, "C2", "WIRI", None), ("202", 2015, "C1", None, None)],
        "la_code STRING, census_year INT, LAchildID STRING, Ethnicity STRING, Disabilities STRING",
    )
    characteristics = spark.createDataFrame(
        [("201", 2015, "C1", "WBRI", "HEAR"), ("201", 2015, "C1", "WBRI", "HAND"), ("201", 2015, "C2", "WBRI", None)],
        "la_code STRING, census_year INT, LAchildID STRING, Ethnicity STRING, Disabilities STRING",
    )
    joined = with_characteristics(identifiers, characteristics)
    assert joined.columns == identifiers.columns
    assert rows(joined, "la_code", "LAchildID", "Ethnicity", "Disabilities") == [
        ("201", "C1", "WBRI", "HAND;HEAR"), ("201", "C2", "WIRI", None), ("202", "C1", None, None),
    ]  # fmt: skip
