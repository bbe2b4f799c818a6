"""Text becomes typed values, or null and a reason; never an exception."""

from __future__ import annotations

from datetime import date

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
        ("04/13/2015", None, None),
        ("no date", None, None),
        ("", None, None),
        (None, None, None),
    ]
    rows = spark.createDataFrame([(text,) for text, _, _ in cases], "day STRING")

    found = rows.select(conform.iso_day("day"), conform.british_day("day")).collect()

    assert [tuple(row) for row in found] == [(cin, lac) for _, cin, lac in cases]


def test_text_that_is_no_date_is_unreadable_and_no_text_is_not(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("2015-04-01",), ("soon",), ("  ",), (None,)], "received STRING")

    found = rows.select("received", conform.iso_day("received").alias("day")).select(
        conform.unreadable("received", "day")
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
