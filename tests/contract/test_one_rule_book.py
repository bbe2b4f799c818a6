"""What a row rule or the schema says, no suite says again."""

from __future__ import annotations

import re

import pytest
from pyspark.sql import SparkSession

from sos_spark.config.shipped import expectations_root
from sos_spark.quality import Suite, load_suites
from sos_spark.quality.findings import TYPES
from sos_spark.quality.suites import Expectation
from sos_spark.silver.rule_book import all_rules
from sos_spark.steps.validate import load_rule_data
from sos_spark.tables import BRONZE_MODULES, PROVENANCE, TABLES

SUITES = [suite for layer in ("bronze", "silver", "panel") for suite in load_suites(expectations_root(), layer)]
NAME = re.compile(r"\w+")


def judged(suite: Suite, expectation: Expectation) -> set[str]:
    """The columns of its table that an expectation is about."""
    named = {*expectation.columns, *NAME.findall(expectation.kwargs.get("row_condition", ""))}
    return named & set(TABLES[suite.table].column_names)


def judged_by_rules() -> dict[str, set[str]]:
    """By table, the columns row rules look at: silver's by name, and every field of a module."""
    silver = {
        f"silver.{entity}": {name for rule in rules for name in NAME.findall(str(rule.fails_when))}
        for entity, rules in all_rules(load_rule_data()).items()
    }
    provenance = {column.name for column in PROVENANCE}
    fields = {table.name: set(table.column_names) - provenance for table in BRONZE_MODULES.values()}
    return silver | fields


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.table)
def test_no_suite_judges_a_column_that_a_row_rule_judges(spark: SparkSession, suite: Suite) -> None:
    by_rules = judged_by_rules().get(suite.table, set())
    again = {expectation.name: judged(suite, expectation) & by_rules for expectation in suite.expectations}
    assert {name: columns for name, columns in again.items() if columns} == {}


def test_a_bound_on_the_referral_date_would_be_refused(spark: SparkSession) -> None:
    """The bound that stopped a national run for one placeholder."""
    bound = {"column": "referral_date", "min_value": "1980-01-01", "max_value": "2050-01-01"}
    expectation = Expectation("expect_column_values_to_be_between", bound, "error", "dates_of_a_living_child")
    suite = Suite("silver.referrals", "silver", (expectation,))
    assert judged(suite, expectation) & judged_by_rules()[suite.table] == {"referral_date"}


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.table)
def test_no_suite_repeats_the_schema(suite: Suite) -> None:
    table = TABLES[suite.table]
    required = {column.name for column in table.columns if not column.nullable}
    for expectation in suite.expectations:
        assert expectation.name not in table.checks
        if expectation.type == "expect_column_values_to_not_be_null":
            assert not set(expectation.columns) & required, expectation.name


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.table)
def test_no_suite_bounds_a_date(suite: Suite) -> None:
    """Dates are the row rules' and the study's window's."""
    dates = {column.name for column in TABLES[suite.table].columns if column.type == "DATE"}
    assert [e.name for e in suite.expectations if judged(suite, e) & dates] == []


def test_what_fails_of_every_expectation_can_be_counted() -> None:
    assert {expectation.type for suite in SUITES for expectation in suite.expectations} <= TYPES
