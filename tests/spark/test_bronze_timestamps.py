"""Parquet timestamps become the days that a return would have named, whatever unit, zone and session they come in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from sos_spark.bronze.arrive.inspection import Inspection, inspect_files
from sos_spark.bronze.arrive.inventory import take_inventory
from sos_spark.bronze.read.flat_tables import NANOS_AS_LONG, count_table_rows, read_table
from sos_spark.bronze.read.received import NO_DAY
from sos_spark.config.reference import authorities
from sos_spark.machine.workers import Workers
from tests.sources import run_ingest

LONDON = ZoneInfo("Europe/London")
DAYS = ["2014-01-15", "2014-03-30", "2014-06-01", "2014-10-26", "1969-07-01", "2014-10-27"]
"""In winter, in summer, on the days of the changes, in a year that kept summer time, before 1970."""


@pytest.fixture
def session(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    """The session in the time zone that the test asks for, as an ingest has it."""
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", getattr(request, "param", "UTC"))
    spark.conf.set(NANOS_AS_LONG, "true")
    yield spark
    spark.conf.set("spark.sql.session.timeZone", before or "UTC")
    spark.conf.unset(NANOS_AS_LONG)


def write(path: Path, moments: pa.Array, name: str = "CINreferralDate", **how: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    n = len(moments)
    keys = {"la_code": ["201"] * n, "census_year": [2015] * n} if "=" not in str(path) else {}
    columns = {**keys, "LAchildID": ["C1"] * n, "ReferralNFA": ["0"] * n, "CINreferralDate": ["2014-05-01"] * n}
    pq.write_table(pa.table({**columns, name: moments}), path, **how)


def inspected(spark: SparkSession, source: Path) -> list[Inspection]:
    return inspect_files(Workers(lambda: spark), take_inventory(source).files, authorities()).files


def days(spark: SparkSession, source: Path, name: str = "CINreferralDate") -> tuple[list[str], int]:
    """The days read, in the file's order, and how many of them were no midnight."""
    rows = read_table(spark, inspected(spark, source), check_rows=True)
    (counted,) = count_table_rows([("cin_details", rows)]).collect()
    ordered = rows.orderBy("file_uri", "record_position")
    return [row[name] for row in ordered.collect()], counted.n_off_midnight


def london_midnights() -> list[datetime]:
    return [datetime.fromisoformat(day).replace(tzinfo=LONDON).astimezone(UTC) for day in DAYS]


@pytest.mark.parametrize("session", ["UTC", "America/New_York", "Asia/Tokyo", "Europe/London"], indirect=True)
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_a_midnight_in_summer_time_stored_as_utc_keeps_its_day(
    session: SparkSession, tmp_path: Path, unit: str
) -> None:
    write(tmp_path / "tables/cin_details/p.parquet", pa.array(london_midnights(), pa.timestamp(unit, "UTC")))
    assert days(session, tmp_path) == (DAYS, 0)


@pytest.mark.parametrize("session", ["UTC", "America/New_York", "Asia/Tokyo"], indirect=True)
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_a_timestamp_without_a_zone_is_its_own_day(session: SparkSession, tmp_path: Path, unit: str) -> None:
    midnights = [datetime.fromisoformat(day) for day in DAYS]
    write(tmp_path / "tables/cin_details/p.parquet", pa.array(midnights, pa.timestamp(unit)))
    assert days(session, tmp_path) == (DAYS, 0)


@pytest.mark.parametrize("session", ["UTC", "Asia/Tokyo"], indirect=True)
def test_int96_is_an_instant_as_spark_writes_it(session: SparkSession, tmp_path: Path) -> None:
    moments = pa.array([moment.replace(tzinfo=None) for moment in london_midnights()], pa.timestamp("ns"))
    write(tmp_path / "tables/cin_details/p.parquet", moments, use_deprecated_int96_timestamps=True)
    assert days(session, tmp_path) == (DAYS, 0)


def test_moments_that_are_no_midnight_are_counted_and_keep_their_day(session: SparkSession, tmp_path: Path) -> None:
    moments = [datetime(2014, 6, 1, 22, 30, tzinfo=UTC), datetime(2014, 6, 1, 23, tzinfo=UTC), None]
    write(tmp_path / "tables/cin_details/p.parquet", pa.array(moments, pa.timestamp("us", "UTC")))
    assert days(session, tmp_path) == (["2014-06-01", "2014-06-02", None], 1)


def test_timestamps_below_folders_that_name_la_and_year(session: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "tables/cin_details/census_year=2015/la_code=201/p.parquet"
    write(path, pa.array(london_midnights(), pa.timestamp("us", "UTC")))
    assert days(session, tmp_path) == (DAYS, 0)


def test_a_moment_that_no_calendar_holds_is_no_date(session: SparkSession, tmp_path: Path) -> None:
    write(tmp_path / "tables/cin_details/p.parquet", pa.array([2**62, -(2**62)], pa.timestamp("us", "UTC")))
    assert days(session, tmp_path) == ([NO_DAY, NO_DAY], 0)


@pytest.mark.slow
def test_an_ingest_warns_of_moments_that_are_no_midnight(spark: SparkSession, tmp_path: Path) -> None:
    moments = pa.array([datetime(2014, 6, 1, 12, 30), datetime(2014, 6, 2)], pa.timestamp("us"))
    write(tmp_path / "source/tables/cin_details/p.parquet", moments)
    _, report = run_ingest(spark, tmp_path / "source", tmp_path / "lake")
    assert [text for text in report.warnings if "midnight" in text] == [
        "tables/cin_details/p.parquet: timestamps that are not midnight, taken as the day they are on "
        "(in Europe/London where they are adjusted to UTC): 1"
    ]
