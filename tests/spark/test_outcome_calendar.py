"""Dates as Columns equal config.periods on each day of ten years."""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sos_spark.config.areas import census_year
from sos_spark.config.periods import Period, add_periods, period_start, periods_between
from sos_spark.config.reference import bank_holidays
from sos_spark.outcome.calendar import (
    WORKING_DAYS_SCHEMA,
    add_working_days_after,
    period_end_of,
    period_number,
    period_start_of,
    working_day_numbers,
)
from sos_spark.silver.readings import census_year_of

PERIODS: tuple[Period, ...] = ("month", "quarter", "year")


def test_periods_and_census_years_equal_those_of_the_study_file(spark: SparkSession) -> None:
    first = date(2011, 4, 1)
    days = [first + timedelta(days=n) for n in range(3653)]
    day = F.col("day")
    columns = [day, census_year_of(day).alias("census_year")]
    for period in PERIODS:
        start = period_start_of(day, period)
        columns += [
            start.alias(f"{period}_start"),
            period_end_of(start, period).alias(f"{period}_end"),
            period_number(start, first=first, period=period).alias(period),
        ]
    for row in spark.createDataFrame([(d,) for d in days], "day DATE").select(*columns).collect():
        assert row.census_year == census_year(row.day)
        for period in PERIODS:
            begins = period_start(row.day, period)
            found = row[f"{period}_start"], row[f"{period}_end"], row[period]
            assert found == (begins, add_periods(begins, 1, period), periods_between(first, begins, period)), row.day


def test_the_count_th_working_day_after_a_day(spark: SparkSession) -> None:
    days = working_day_numbers(date(2015, 4, 1), date(2015, 4, 9), holidays=bank_holidays())
    calendar = add_working_days_after(spark.createDataFrame(days, WORKING_DAYS_SCHEMA), count=2)
    found = {row.day.day: row.counted_day and row.counted_day.day for row in calendar.collect()}
    # 3 to 6 April 2015 is Easter: after Wednesday 1 April come Thursday 2 and Tuesday 7.
    assert found == {1: 7, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8, 7: 9, 8: None, 9: None}
