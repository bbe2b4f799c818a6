"""Text becomes typed values, or null and a reason; never an exception."""

from __future__ import annotations

from datetime import date

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sos_spark.silver import conform


def test_dates_of_both_collections(spark: SparkSession) -> None:
    cases = [
        # text, as a CIN date, as an SSDA903 date
        ("2015-04-01", date(2015, 4, 1), date(2015, 4, 1)),
        ("2015-04-01T00:00:00", date(2015, 4, 1), date(2015, 4, 1)),
        (" 2015-04-01 ", date(2015, 4, 1), date(2015, 4, 1)),
        ("2015-02-29", None, None),
        ("2015", None, None),
        ("2015-04", None, None),
        ("2015-04-011", None, None),
        ("01/04/2015", None, date(2015, 4, 1)),
        ("1/4/2015", None, date(2015, 4, 1)),
        ("01/04/2015 00:00:00", None, date(2015, 4, 1)),
        ("31/04/2015", None, None),
        # The shape of a date, and none.
        ("2015-13-01", None, None),
        ("2015-04-1T", None, None),
        ("2015-04- 1", None, None),
        ("2015-4-011", None, None),
        ("2015-04--1", None, None),
        ("201a-04-01", None, None),
        ("+015-04-01", None, None),
        ("1T/04/2015", None, None),
        ("01/1T/2015", None, None),
        ("01/04/201T", None, None),
        ("01/04/+201", None, None),
        ("2015-04-01T09:30", date(2015, 4, 1), date(2015, 4, 1)),
        ("2015-04-01 09:30:00.123456", date(2015, 4, 1), date(2015, 4, 1)),
        ("01/04/2015 09:30", None, date(2015, 4, 1)),
        # A time with an offset is an instant: in British Summer Time the day has begun at 23:00 UTC.
        ("2015-04-01T00:00:00Z", date(2015, 4, 1), date(2015, 4, 1)),
        ("2015-03-31T23:00:00Z", date(2015, 4, 1), date(2015, 4, 1)),
        ("2015-03-28T23:00:00.000Z", date(2015, 3, 28), date(2015, 3, 28)),
        ("2015-04-01T00:00:00+01:00", date(2015, 4, 1), date(2015, 4, 1)),
        ("04/13/2015", None, None),
        ("no date", None, None),
        ("", None, None),
        (None, None, None),
    ]
    rows = spark.createDataFrame([(text,) for text, _, _ in cases], "day STRING")

    found = conform.cleaned(rows, rows.columns).select(conform.iso_day("day"), conform.british_day("day")).collect()

    assert [tuple(row) for row in found] == [(cin, lac) for _, cin, lac in cases]


@pytest.mark.parametrize(
    "received",
    [
        "2017-09-02 or 2017-10-02",
        "2017-09-02T",
        "2017-09-02Tmorning",
        "2017-09-02T25:00:00",
        "2017-09-02 10",
        "2017-9-2 plus",
        "2017-09-02; 2017-10-02",
        "02/09/2017 or 02/10/2017",
        "02/09/2017 at ten",
        "02/09/2017T10:00:00",
        "02/09/17",
    ],
)
def test_a_date_is_the_whole_text_or_unreadable(spark: SparkSession, received: str) -> None:
    rows = spark.createDataFrame([(received,)], "day STRING")

    found = rows.select(conform.iso_day("day"), conform.british_day("day"), conform.first_iso_day("day")).collect()

    assert [day for day in found[0] if day is not None] == ([date(2017, 9, 2)] if ";" in received else [])


def test_no_date_is_outside_what_readers_of_delta_can_read(spark: SparkSession) -> None:
    received = ["0000-01-01", "0000-12-31T00:00:00", "10000-01-01", "+10000-01-01", "-0001-01-01", "01/01/0000",
                "01/01/10000", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]  # fmt: skip
    rows = spark.createDataFrame([(text,) for text in [*received, "0001-01-02", "9999-12-31"]], "day STRING")

    found = rows.select("day", F.coalesce(conform.iso_day("day"), conform.british_day("day")).alias("read")).collect()

    assert [row.day for row in found if row.read is not None] == ["0001-01-02", "9999-12-31"]


UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f\u202a\u2066\u0000\u0007\u007f"


@pytest.mark.parametrize("unseen", list(UNSEEN))
def test_invisible_characters_are_no_part_of_a_text(spark: SparkSession, unseen: str) -> None:
    rows = spark.createDataFrame(
        [(f"{unseen}AB{unseen}12{unseen}", f"2015-{unseen}04-01"), (unseen, unseen)], "id STRING, day STRING"
    )

    seen = conform.cleaned(rows.withColumn("has_invisible", conform.has_invisible("id")), rows.columns)
    found = seen.select("id", "has_invisible", conform.iso_day("day")).collect()

    assert [tuple(row) for row in found] == [("AB12", True, date(2015, 4, 1)), (None, True, None)]


def test_what_looks_like_a_blank_is_one(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("\u00a0AB\u00a012\t",), ("\u2003\u0085",), (" AB 12 ",), (None,)], "id STRING")

    found = rows.select(conform.text("id"), conform.has_invisible("id")).collect()

    assert [tuple(row) for row in found] == [("AB 12", True), (None, True), ("AB 12", False), (None, False)]


def test_text_that_is_no_date_is_unreadable_and_no_text_is_not(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("2015-04-01",), ("soon",), ("  ",), (None,)], "received STRING")

    found = (
        conform.cleaned(rows, rows.columns)
        .select("received", conform.iso_day("received").alias("day"))
        .select(conform.unreadable("received", "day"))
    )

    assert [row[0] for row in found.collect()] == [False, True, False, False]


def test_flags_and_sex(spark: SparkSession) -> None:
    cases = [
        ("1", True, "male"),
        ("true", True, "unknown"),
        ("TRUE", True, "unknown"),
        ("0", False, "unknown"),
        ("False", False, "unknown"),
        ("2", None, "female"),
        ("m", None, "male"),
        ("F", None, "female"),
        ("U", None, "unknown"),
        (None, None, "unknown"),
    ]
    rows = spark.createDataFrame([(text,) for text, _, _ in cases], "given STRING")

    found = rows.select(conform.flag("given"), conform.sex("given")).collect()

    assert [tuple(row) for row in found] == [(flag, sex) for _, flag, sex in cases]


def test_completed_years_of_age(spark: SparkSession) -> None:
    cases = [
        # birth date, only expected, day, age
        (date(2008, 6, 15), False, date(2015, 6, 14), 6),
        (date(2008, 6, 15), False, date(2015, 6, 15), 7),
        (date(2008, 2, 29), False, date(2015, 2, 28), 6),
        (date(2008, 2, 29), False, date(2015, 3, 1), 7),
        (date(2015, 6, 15), False, date(2015, 5, 1), 0),
        (None, True, date(2015, 5, 1), 0),
        (None, False, date(2015, 5, 1), None),
        (date(2008, 6, 15), False, None, None),
    ]
    rows = spark.createDataFrame(
        [case[:3] for case in cases], "birth_date DATE, only_expected BOOLEAN, day DATE"
    ).select(conform.age_on(F.col("day")))

    assert [row[0] for row in rows.collect()] == [case[3] for case in cases]
