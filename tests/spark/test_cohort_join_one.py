"""A join that keeps the grain of its left side: one row for a key passes, two stop the run."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from sos_spark.cohort.join_one import join_one
from sos_spark.errors import InputError
from sos_spark.machine.faults import faults_told

ROWS = "la_code STRING, n INT"
UNITS = "la_code STRING, unit_id STRING, go_live DATE"


@pytest.mark.parametrize(("how", "expected"), [("left", [("330", None), ("926", "u")]), ("inner", [("926", "u")])])
def test_each_row_has_its_one_row(spark: SparkSession, how: str, expected: list[tuple[str, str | None]]) -> None:
    rows = spark.createDataFrame([("926", 1), ("330", 2)], ROWS)
    units = spark.createDataFrame([("926", "u", None), ("201", "v", None)], UNITS)
    joined = join_one(rows, units, on=["la_code"], what="cohort.units", how=how)  # type: ignore[arg-type]
    assert joined.columns == ["la_code", "n", "unit_id", "go_live"]
    assert sorted((row.la_code, row.unit_id) for row in joined.collect()) == expected


def test_a_second_row_for_a_key_is_refused_by_name_and_without_a_value(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("926", 1)], ROWS)
    twins = spark.createDataFrame([("926", "CANARY", None), ("926", "v", None)], UNITS)
    joined = join_one(rows, twins, on=["la_code"], what="cohort.units")
    with pytest.raises(InputError, match="multiply rows") as caught, faults_told("outcome"):
        joined.select("n").collect()
    assert (caught.value.where, caught.value.expected) == ("cohort.units", "one row per la_code")
    assert "CANARY" not in caught.value.paragraph()
