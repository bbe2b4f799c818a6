"""The days observed, and how far they reach without a gap."""

from __future__ import annotations

from datetime import date
from typing import Any

from pyspark.sql import Row, SparkSession

from sos_spark.cohort.observed import observed_days
from sos_spark.outcome.coverage import coverage
from sos_spark.tables import COHORT_OBSERVED, COHORT_UNITS, FILES
from tests.builders import a_file, frame, returns


def a_unit(la: str, *, unit: str | None = None, first: int = 2013, last: int = 2016) -> dict[str, Any]:
    return {
        "study_id": "s",
        "la_code": la,
        "unit_id": unit or la,
        "unit_name": la,
        "first_census_year": first,
        "last_census_year": last,
        "is_pilot": False,
    }


def test_days_observed_by_collection_and_in_both(spark: SparkSession) -> None:
    files = [
        *returns(2012, 2016, la="926", missing=(2014,), collections=("cin",)),
        *returns(2013, 2015, la="926", collections=("ssda903",)),
        a_file(2014, la="926", status="refused"),
        a_file(2017, la="926"),  # begins after data_ends
        *returns(2015, 2016, la="301", collections=("cin",)),
        *returns(2015, 2016, la="302"),  # no LA of the study
    ]
    units = frame(spark, COHORT_UNITS, [a_unit("926"), a_unit("301"), a_unit("303")])
    observed = observed_days(frame(spark, FILES, files), units, study_id="s", data_ends=date(2015, 12, 31))
    assert observed.columns == COHORT_OBSERVED.column_names
    assert {(row.la_code, row.collection): tuple(row)[3:] for row in observed.collect()} == {
        ("926", "cin"): (date(2011, 4, 1), date(2015, 12, 31), [2014]),
        ("926", "ssda903"): (date(2012, 4, 1), date(2015, 3, 31), []),
        ("926", "both"): (date(2012, 4, 1), date(2015, 3, 31), [2014]),
        ("301", "cin"): (date(2014, 4, 1), date(2015, 12, 31), []),
    }


def test_coverage_ends_at_a_missing_year_and_asks_for_the_whole_unit(spark: SparkSession) -> None:
    units = [
        a_unit("926"),
        a_unit("836", unit="836+838+839", last=2014),
        a_unit("838", unit="836+838+839", first=2015),
        a_unit("839", unit="836+838+839", first=2015),
    ]
    files = [
        *returns(2013, 2016, la="926", missing=(2014,)),
        *returns(2013, 2014, la="836"),
        *returns(2015, 2016, la="838"),
        *returns(2015, 2016, la="839", missing=(2016,)),
    ]
    cohort = frame(spark, COHORT_UNITS, units)
    observed = observed_days(frame(spark, FILES, files), cohort, study_id="s", data_ends=date(2016, 3, 31))
    rows = coverage(cohort, observed, years=range(2013, 2017)).where("collection = 'both'").collect()

    def by_year(la: str) -> dict[int, tuple[date | None, bool]]:
        return {row.census_year: (row.observed_until, row.is_unit_observed) for row in rows if row.la_code == la}

    gap, end = date(2013, 3, 31), date(2016, 3, 31)
    assert by_year("926") == {2013: (gap, True), 2014: (None, False), 2015: (end, True), 2016: (end, True)}
    own_end = date(2014, 3, 31)
    assert by_year("836") == {2013: (own_end, True), 2014: (own_end, True), 2015: (None, False), 2016: (None, False)}
    assert by_year("838") == {2013: (None, False), 2014: (None, False), 2015: (end, True), 2016: (end, False)}
    assert next(_days(row) for row in rows if row.la_code == "838") == (date(2014, 4, 1), end)


def _days(row: Row) -> tuple[date, date]:
    return row.first_day_observed, row.last_day_observed
