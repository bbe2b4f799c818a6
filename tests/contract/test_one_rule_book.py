"""What a row rule or the schema says, no suite says again, and none is stricter than they are.

That every expectation can fail, on rows that its table's schema and constraints take, is shown one by one in
`tests/spark/test_quality_suites.py`.
"""

from __future__ import annotations

import re

import pytest
from pyspark.sql import SparkSession

from sos_spark.config.reference import dfe_rules
from sos_spark.config.shipped import expectations_root
from sos_spark.quality import Suite, load_suites
from sos_spark.quality.facts import COUNTS, Fact, RowsRepeating, RowsWhere
from sos_spark.quality.suites import BETWEEN, Expectation
from sos_spark.silver.described import collection_of, describe_rules
from sos_spark.silver.rule_book import all_rules, counted_rules
from sos_spark.steps.validate import load_rule_data
from sos_spark.tables import BRONZE_MODULES, OUTCOME_INDEX_ROWS, PROVENANCE, TABLES

SUITES = [suite for layer in ("bronze", "silver", "panel") for suite in load_suites(expectations_root(), layer)]
NAME = re.compile(r"\w+")
WITHOUT_A_KEY = {*(table.name for table in BRONZE_MODULES.values()), OUTCOME_INDEX_ROWS.name}
"""Of these, rows may be alike: as received, or of a child of whom two referrals were decided on one day."""


def named(suite: Suite, fact: Fact) -> set[str]:
    """The columns of its table that a fact is about."""
    conditions = [text for text in vars(fact).values() if isinstance(text, str)]
    return {*fact.columns, *NAME.findall(" ".join(conditions))} & set(TABLES[suite.table].column_names)


def rows_judged(suite: Suite, expectation: Expectation) -> set[str]:
    """The columns by which an expectation judges single rows: a key's repetition, a share or a ratio is of many."""
    fact = suite.facts.get(expectation.fact or "")
    return named(suite, fact) if isinstance(fact, COUNTS) and not isinstance(fact, RowsRepeating) else set()


@pytest.fixture(scope="module")
def by_rules(spark: SparkSession) -> dict[str, set[str]]:
    """By table, the columns row rules look at: silver's by name, and every field of a module."""
    silver = {
        f"silver.{entity}": {name for rule in rules for name in NAME.findall(str(rule.fails_when))}
        for entity, rules in all_rules(load_rule_data()).items()
    }
    provenance = {column.name for column in PROVENANCE}
    fields = {table.name: set(table.column_names) - provenance for table in BRONZE_MODULES.values()}
    return silver | fields


def test_every_dfe_rule_says_for_which_years_specification_it_holds(spark: SparkSession) -> None:
    described = describe_rules(counted_rules(load_rule_data()), dfe_rules())
    numbered = {(collection_of(str(entity)), str(dfe)) for entity, _, dfe, *_ in described if dfe is not None}
    assert numbered == set(dfe_rules())
    assert all((dfe is None) == (first is None) == (last is None) for _, _, dfe, _, _, first, last in described)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.table)
def test_no_suite_judges_rows_by_a_column_that_a_row_rule_judges(suite: Suite, by_rules: dict[str, set[str]]) -> None:
    theirs = by_rules.get(suite.table, set())
    again = {expectation.name: rows_judged(suite, expectation) & theirs for expectation in suite.expectations}
    assert {name: columns for name, columns in again.items() if columns} == {}


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.table)
def test_what_is_said_of_many_rows_that_row_rules_let_pass_stops_no_run(
    suite: Suite, by_rules: dict[str, set[str]]
) -> None:
    """A share of what the row rules take is told, and never stricter than they are."""
    theirs = by_rules.get(suite.table, set())
    for expectation in suite.expectations:
        fact = suite.facts.get(expectation.fact or "")
        if fact is not None and not isinstance(fact, RowsRepeating) and named(suite, fact) & theirs:
            assert expectation.severity == "warning", expectation.name


def test_a_bound_on_the_referral_date_would_be_refused(by_rules: dict[str, set[str]]) -> None:
    """The bound that stopped a national run for one placeholder."""
    expectation = Expectation(BETWEEN, {"column": "old", "max_value": 0}, "error", "dates_of_a_living_child")
    suite = Suite("silver.referrals", "silver", (expectation,), {"old": RowsWhere("referral_date < DATE'1980-01-01'")})
    assert rows_judged(suite, expectation) & by_rules[suite.table] == {"referral_date"}


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.table)
def test_no_suite_repeats_the_schema(suite: Suite) -> None:
    table = TABLES[suite.table]
    required = {column.name for column in table.columns if not column.nullable}
    conditions = {
        name: text for name, fact in suite.facts.items() for text in vars(fact).values() if isinstance(text, str)
    }
    for name, condition in conditions.items():
        assert name not in table.checks
        assert not set(re.findall(r"(\w+) IS NULL", condition)) & required, name


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.table)
def test_no_suite_bounds_a_date(suite: Suite) -> None:
    """Dates are the row rules' and the study's window's."""
    dates = {column.name for column in TABLES[suite.table].columns if column.type == "DATE"}
    assert [e.name for e in suite.expectations if rows_judged(suite, e) & dates] == []


def test_every_key_is_checked_by_another_than_the_code_that_made_it() -> None:
    checked = {suite.table for suite in SUITES if any(isinstance(f, RowsRepeating) for f in suite.facts.values())}
    declared = {table.name for table in TABLES.values() if table.layer in ("silver", "outcome", "panel")}
    assert declared - checked == WITHOUT_A_KEY & declared
    assert [name for name in WITHOUT_A_KEY if TABLES[name].key] == []


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.table)
def test_every_fact_serves(suite: Suite) -> None:
    """An expectation is about it, or another fact is made from it."""
    about = {expectation.fact for expectation in suite.expectations}
    made_from = {
        name if "." in name else f"{other.table}.{name}"
        for other in SUITES
        for fact in other.facts.values()
        for name in (getattr(fact, "fact", ""), *getattr(fact, "less", ()))
    }
    assert [name for name in suite.facts if name not in about and f"{suite.table}.{name}" not in made_from] == []
