"""Cells, moments and flow: exact sums of index rows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from sos_spark.config.study import Covariates
from sos_spark.errors import StudyError
from sos_spark.outcome.sums import require_covariates, sum_index_rows, with_known_levels
from sos_spark.panel.collapse import cells_of, flow_of, moments_of
from sos_spark.panel.table import cells_with_moments
from sos_spark.steps.outcome import known_levels
from sos_spark.steps.panel import write_cells
from sos_spark.tables import COHORT_UNITS, OUTCOME_INDEX_ROWS, PANEL_CELLS, PANEL_MOMENTS
from tests.builders import frame

BANDED = Covariates(categorical=("age_band",))


def a_row(
    y: int | None = 1, *, period: int | None = 0, unit: str = "926", reason: str | None = None, **others: Any
) -> dict[str, Any]:
    """A row of outcome.index_rows."""
    quarters = {0: date(2013, 4, 1), 1: date(2013, 7, 1), None: date(2012, 7, 1)}
    return {
        "study_id": "s", "outcome_id": "o", "la_code": unit, "unit_id": unit, "child_id": "a",
        "index_date": quarters[period], "period_start": quarters[period], "period": period, "y": y, "reason": reason,
        "age_years": 7, "age_band": "5-9", "sex": "male", "ethnicity": "WBRI", "primary_need": "N1", **others,
    }  # fmt: skip


ROWS = [
    a_row(3),
    a_row(5),
    a_row(2, age_band=None),
    a_row(7, period=1, age_band="0", age_years=0),
    a_row(None, reason="age_unknown", age_band=None, age_years=None),
    a_row(None, period=1, reason="not_fully_observed"),
    a_row(None, period=1, reason="not_fully_observed", age_band="0", age_years=0),
    a_row(None, period=None, period_start=None, reason="outside_window"),
    a_row(1, unit="301"),
]


def cells_of_rows(spark: SparkSession, covariates: Covariates) -> dict[tuple[Any, ...], tuple[int, int, int]]:
    cells = cells_of(sum_index_rows(frame(spark, OUTCOME_INDEX_ROWS, ROWS), covariates))
    assert cells.columns == PANEL_CELLS.column_names
    return {(r.unit_id, r.period, r.age_band): (r.n, r.y_sum, r.y_sumsq) for r in cells.collect()}


def test_a_covariate_the_study_does_not_name_is_null(spark: SparkSession) -> None:
    assert cells_of_rows(spark, Covariates()) == {
        ("926", 0, None): (3, 10, 38),
        ("926", 1, None): (1, 7, 49),
        ("301", 0, None): (1, 1, 1),
    }


def test_a_missing_covariate_takes_the_row_out_or_is_a_level(spark: SparkSession) -> None:
    complete = {("926", 0, "5-9"): (2, 8, 34), ("926", 1, "0"): (1, 7, 49), ("301", 0, "5-9"): (1, 1, 1)}
    assert cells_of_rows(spark, BANDED) == complete
    indicator = BANDED.model_copy(update={"missing": "indicator"})
    assert cells_of_rows(spark, indicator) == {**complete, ("926", 0, "missing"): (1, 2, 4)}


def test_received_text_that_is_no_code_never_is_a_level(spark: SparkSession) -> None:
    rows = [a_row(1, primary_need=need) for need in ("N1", "CANARY", "SW1A 1AA", None)]
    by_need = Covariates(categorical=("primary_need",), missing="indicator")
    known = with_known_levels(frame(spark, OUTCOME_INDEX_ROWS, rows), known_levels())
    cells = cells_of(sum_index_rows(known, by_need)).collect()
    assert {cell.primary_need: cell.n for cell in cells} == {"N1": 1, "unrecognised": 2, "missing": 1}


def test_the_flow_counts_every_row_once_in_its_period(spark: SparkSession) -> None:
    units = frame(
        spark,
        COHORT_UNITS,
        [
            {
                "study_id": "s",
                "la_code": code,
                "unit_id": code,
                "unit_name": code,
                "first_census_year": 2013,
                "last_census_year": 2020,
                "is_pilot": code == "926",
            }
            for code in ("926", "301", "302")
        ],
    )
    flow = flow_of(sum_index_rows(frame(spark, OUTCOME_INDEX_ROWS, ROWS), BANDED), units).collect()
    assert {(row.unit_id, row.is_pilot, row.period, row.reason): row.n_rows for row in flow} == {
        ("926", True, 0, "analysed"): 2,
        ("926", True, 1, "analysed"): 1,
        ("926", True, 0, "covariate_missing"): 1,
        ("926", True, 0, "age_unknown"): 1,
        ("926", True, 1, "not_fully_observed"): 2,
        ("926", True, None, "outside_window"): 1,
        ("301", False, 0, "analysed"): 1,
    }
    assert {row.period_start for row in flow if row.period == 1} == {date(2013, 7, 1)}
    assert len(flow) == 7, "one row per unit, period and reason"
    assert sum(row.n_rows for row in flow) == len(ROWS)


def test_moments_are_centred_exactly_and_stand_beside_their_cell(spark: SparkSession, tmp_path: Path) -> None:
    covariates = Covariates.model_validate(
        {"categorical": ["age_band"], "continuous": [{"name": "age_years", "centre": 7.25}], "missing": "indicator"}
    )
    rows = [a_row(3, age_years=5), a_row(5, age_years=9), a_row(2, age_years=3, age_band=None)]
    collapsed = sum_index_rows(frame(spark, OUTCOME_INDEX_ROWS, rows), covariates).persist()
    cells, moments = cells_of(collapsed), moments_of(collapsed, covariates)
    assert [(f.name, f.dataType) for f in moments.schema] == [(f.name, f.dataType) for f in PANEL_MOMENTS.schema()]
    z = [Decimal("-2.25"), Decimal("1.75")]
    found = {row.moment: row.value for row in moments.collect() if row.age_band == "5-9"}
    assert found == {
        "age_years__sum": sum(z),
        "age_years__age_years__sum": z[0] ** 2 + z[1] ** 2,
        "age_years__y__sum": 3 * z[0] + 5 * z[1],
    }
    assert write_cells(cells_with_moments(cells, moments, covariates), tmp_path / "cells.csv") == 2
    assert (tmp_path / "cells.csv").read_bytes().decode() == (
        "study_id,outcome_id,unit_id,period,period_start,age_band,n,y_sum,y_sumsq,"
        "age_years__sum,age_years__age_years__sum,age_years__y__sum\n"
        "s,o,926,0,2013-04-01,5-9,2,8,34,-0.5,8.125,2\n"
        "s,o,926,0,2013-04-01,missing,1,2,4,-4.25,18.0625,-8.5\n"
    )


def test_without_continuous_covariates_there_are_no_moments(spark: SparkSession) -> None:
    moments = moments_of(sum_index_rows(frame(spark, OUTCOME_INDEX_ROWS, ROWS), BANDED), BANDED)
    assert [(f.name, f.dataType) for f in moments.schema] == [(f.name, f.dataType) for f in PANEL_MOMENTS.schema()]
    assert moments.collect() == []


def test_a_file_of_cells_has_blanks_for_what_is_not_known_and_no_formula(spark: SparkSession, tmp_path: Path) -> None:
    cell = {
        "study_id": "s", "outcome_id": "o", "unit_id": "926", "period": 0, "period_start": date(2013, 4, 1),
        "ethnicity": "=1+1", "n": 2, "y_sum": 1,
    }  # fmt: skip
    cells = frame(spark, PANEL_CELLS, [cell])
    flat = cells_with_moments(cells, frame(spark, PANEL_MOMENTS, []), Covariates(categorical=("ethnicity",)))
    write_cells(flat, tmp_path / "cells.csv")
    assert (tmp_path / "cells.csv").read_text().splitlines()[1] == "s,o,926,0,2013-04-01,'=1+1,2,1,"


def test_covariates_that_records_lack_are_refused_with_those_that_exist() -> None:
    covariates = Covariates.model_validate(
        {
            "categorical": ["age_band", "postcode"],
            "continuous": [{"name": "income"}, {"name": "age_years", "centre": 0.12345}],
        }
    )
    with pytest.raises(StudyError) as error:
        require_covariates(covariates)
    assert len(error.value.faults) == 3
    assert "postcode is not among age_band, sex, ethnicity, primary_need" in error.value.faults[0]
