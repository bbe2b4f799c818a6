"""Every expectation of expectations/ on a table that meets it and on one that does not; verdicts, never values."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sos_spark.config.shipped import expectations_root
from sos_spark.quality import BrokenRuleError, Suite, check_tables, find_failures, load_suites
from sos_spark.quality.suites import Expectation
from sos_spark.tables import TABLES

SUITES = [suite for layer in ("bronze", "silver", "panel") for suite in load_suites(expectations_root(), layer)]

DEFAULTS: dict[str, Any] = {
    "STRING": "x",
    "INT": 3,
    "BIGINT": 3,
    "DATE": date(2015, 4, 1),
    "BOOLEAN": False,
    "DECIMAL(38,6)": Decimal(3),
    "MAP<STRING,BIGINT>": None,
}
GOOD: dict[str, dict[str, Any]] = {
    "bronze.files": {"form": "xml", "collection": "cin", "status": "accepted"},
    "bronze.published_values": {"status": "known"},
    "dq.ledger": {
        "n_received": 100, "n_silver": 70, "n_quarantined": 20,
        "n_superseded_by_later_return": 7, "n_same_day_duplicates": 3,
    },
    "silver.child_links": {"link_kind": "child_id"},
    "panel.cells": {"n": 2, "y_sum": 2, "y_sumsq": 2, "age_band": "1-4"},
    "panel.moments": {"moment": "age_years__sum", "value": Decimal(1)},
    "panel.bounds": {"reason": "suppressed"},
}  # fmt: skip
BAD: dict[tuple[str, str], dict[str, Any]] = {
    ("bronze.files", "accepted_file_has_its_place"): {"la_code": None},
    ("silver.child_links", "linked_children_are_named"): {"cin_child_id": None},
    ("dq.ledger", "file_mostly_quarantined"): {"n_quarantined": 60, "n_silver": 30},
    ("dq.ledger", "file_wholly_quarantined"): {"n_quarantined": 100, "n_silver": 0},
}


def good_row(table: str) -> dict[str, Any]:
    """A row that meets the table's suite."""
    row = {column.name: DEFAULTS.get(column.type) for column in TABLES[table].columns}
    known = {"sex": "female", "census_year": 2015} | GOOD.get(table, {})
    return row | {name: value for name, value in known.items() if name in row}


def bad_row(suite: Suite, expectation: Expectation) -> dict[str, Any]:
    """The good row, changed so that it breaks one expectation."""
    row = good_row(suite.table)
    if (suite.table, expectation.name) in BAD:
        return row | BAD[suite.table, expectation.name]
    if expectation.type == "expect_compound_columns_to_be_unique":
        return row
    (column,) = expectation.columns
    return row | {column: _bad_value(expectation)}


def _bad_value(expectation: Expectation) -> Any:
    least = expectation.kwargs.get("min_value")
    return {
        "expect_column_values_to_not_be_null": None,
        "expect_column_values_to_be_in_set": "CANARY",
        "expect_column_values_to_match_regex": "CANARY",
        "expect_column_values_to_be_between": (least or 0) - 1,
    }[expectation.type]


def frame(spark: SparkSession, table: str, *rows: Mapping[str, Any]) -> DataFrame:
    """Rows with the table's columns, all of which may be null here."""
    columns = TABLES[table].columns
    schema = ", ".join(f"`{column.name}` {column.type}" for column in columns)
    return spark.createDataFrame([tuple(row[column.name] for column in columns) for row in rows], schema)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.table)
def test_a_table_that_meets_its_suite(spark: SparkSession, suite: Suite) -> None:
    verdicts = check_tables({suite.table: frame(spark, suite.table, good_row(suite.table))}, [suite])
    assert [(v.expectation, v.passed) for v in verdicts] == [(e.name, True) for e in suite.expectations]


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.table)
def test_a_table_that_breaks_every_expectation_of_its_suite(spark: SparkSession, suite: Suite) -> None:
    of_rows = [expectation for expectation in suite.expectations if expectation.name != "has_rows"]
    rows = [good_row(suite.table), *(bad_row(suite, expectation) for expectation in of_rows)]
    table = frame(spark, suite.table, *rows)
    verdicts = check_tables({suite.table: table}, [suite])
    assert [v.expectation for v in verdicts if v.passed] == ["has_rows"] * (len(suite.expectations) - len(of_rows))
    findings = find_failures({suite.table: table}, [suite], verdicts)
    assert [f.expectation for f in findings] == [e.name for e in of_rows]
    assert all(0 < f.n_failed <= f.n_rows == len(rows) for f in findings)
    assert "CANARY" not in repr((verdicts, findings))


def test_an_empty_table_has_no_rows_and_breaks_nothing_else(spark: SparkSession) -> None:
    suites = [suite for suite in SUITES if suite.table in ("bronze.files", "panel.cells")]
    verdicts = check_tables({suite.table: frame(spark, suite.table) for suite in suites}, suites)
    assert [(v.suite, v.expectation) for v in verdicts if not v.passed] == [
        ("bronze.files", "has_rows"),
        ("panel.cells", "has_rows"),
    ]


def test_a_misnamed_column_is_a_broken_rule_and_not_broken_data(spark: SparkSession) -> None:
    rule = Expectation("expect_column_values_to_not_be_null", {"column": "refferal_date"}, "error", "typo")
    with pytest.raises(BrokenRuleError, match="refferal_date") as caught:
        check_tables({"panel.moments": frame(spark, "panel.moments")}, [Suite("panel.moments", "panel", (rule,))])
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "rule",
    [
        Expectation(
            "expect_table_row_count_to_be_between",
            {"max_value": 0, "row_condition": "nowhere > 1", "condition_parser": "spark"},
            "error",
            "misnamed_in_a_condition",
        ),
        Expectation("expect_column_values_to_be_no_such_thing", {"column": "moment"}, "error", "unknown_type"),
        Expectation("expect_column_values_to_be_between", {"column": "moment", "min_value": 3}, "error", "wrong_type"),
    ],
    ids=lambda rule: rule.name,
)
def test_a_rule_that_cannot_be_evaluated_is_broken_and_quotes_nothing(spark: SparkSession, rule: Expectation) -> None:
    rows = frame(spark, "panel.moments", good_row("panel.moments") | {"moment": "CANARY"})
    with pytest.raises(BrokenRuleError) as caught:
        check_tables({"panel.moments": rows}, [Suite("panel.moments", "panel", (rule,))])
    assert "CANARY" not in "".join(traceback.format_exception(caught.value))


def test_only_tables_that_are_given_are_checked(spark: SparkSession) -> None:
    assert check_tables({}, SUITES) == ()
