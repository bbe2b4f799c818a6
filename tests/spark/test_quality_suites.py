"""Every expectation of expectations/ on a table that meets it and on one that does not; verdicts, never values.

The bad rows are such as the declared table takes: what its schema and its constraints refuse cannot fail here.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from sos_spark.config.shipped import expectations_root
from sos_spark.lake.arrow import arrow_schema
from sos_spark.quality import BrokenRuleError, Suite, check_facts, count_facts, find_failures, load_suites
from sos_spark.quality.facts import Fact, RowsOutside, RowsRepeating, RowsWhere, RowsWithout
from sos_spark.quality.findings import Finding
from sos_spark.quality.suites import BETWEEN, Expectation
from sos_spark.tables import TABLES

SUITES = [suite for layer in ("bronze", "silver", "panel") for suite in load_suites(expectations_root(), layer)]
EXPECTATIONS = [
    pytest.param(suite, expectation, id=f"{suite.table}-{expectation.name}")
    for suite in SUITES
    for expectation in suite.expectations
]
Row = dict[str, Any]
Tables = dict[str, list[Row]]
GoodAndBad = dict[str, tuple[dict[str, bool], dict[str, Finding]]]

DEFAULTS: Row = {
    "STRING": "x",
    "INT": 3,
    "BIGINT": 3,
    "DATE": date(2015, 4, 1),
    "BOOLEAN": False,
    "DECIMAL(38,6)": Decimal(3),
}
GOOD: dict[str, Row] = {
    "bronze.files": {"form": "xml", "collection": "cin", "status": "accepted"},
    "bronze.published_values": {"status": "known"},
    "dq.ledger": {
        "n_received": 100, "n_silver": 70, "n_quarantined": 20,
        "n_superseded_by_later_return": 7, "n_same_day_duplicates": 3,
    },
    "silver.child_links": {"link_kind": "child_id"},
    "panel.cells": {"n": 3, "y_sum": 2, "y_sumsq": 2, "age_band": "1-4"},
    "panel.moments": {"moment": "age_years__sum", "age_band": "1-4"},
    "outcome.sums": {"n": 3, "reason": "analysed"},
    "panel.bounds": {"reason": "suppressed"},
}  # fmt: skip


def a_row(table: str, **changed: Any) -> Row:
    """A row that meets the table's suite, changed."""
    row = {column.name: DEFAULTS.get(column.type) for column in TABLES[table].columns}
    known = {"sex": "female", "census_year": 2015} | GOOD.get(table, {})
    return row | {name: value for name, value in known.items() if name in row} | changed


def rows_of(table: str, n: int, **changed: Any) -> list[Row]:
    """Rows that share no key."""
    name = next((name for name in ("child_id", "lac_child_id", "LAchildID", "CHILD") if name in a_row(table)), None)
    return [a_row(table, **({name: str(i)} if name else {}), **changed) for i in range(n)]


def good_tables(suite: Suite) -> Tables:
    """A table that meets its suite, and those that its facts look into."""
    if suite.table == "outcome.sums":
        cells = {"panel.cells": [a_row("panel.cells")], "outcome.flow": [a_row("outcome.flow", n_rows=1)]}
        return cells | {suite.table: [a_row(suite.table, n=4)]}
    others = {
        "silver.child_links": ("silver.cin_children", "silver.lac_children"),
        "panel.moments": ("panel.cells",),
    }
    return {table: [a_row(table)] for table in (suite.table, *others.get(suite.table, ()))}


def years(*of_years: Sequence[Row]) -> list[Row]:
    """Rows of 2015 and the years after it."""
    return [row | {"census_year": 2015 + i} for i, rows in enumerate(of_years) for row in rows]


BAD: dict[tuple[str, str], Row] = {
    ("bronze.files", "accepted_file_has_its_place"): {"la_code": None},
    ("bronze.published_values", "negative"): {"value": -1},
    ("silver.child_links", "linked_children_are_named"): {"cin_child_id": None},
    ("silver.child_links", "linked_to_a_stranger"): {"cin_child_id": "CANARY"},
    ("silver.child_links", "not_looked_after"): {"lac_child_id": "CANARY"},
    ("dq.ledger", "file_mostly_quarantined"): {"n_quarantined": 60, "n_silver": 30},
    ("dq.ledger", "file_wholly_quarantined"): {
        "n_quarantined": 100,
        "n_silver": 0,
        "n_same_day_duplicates": 0,
        "n_superseded_by_later_return": 0,
    },
    ("panel.cells", "before_the_first_period"): {"period": -1},
    ("panel.bounds", "before_the_first_period"): {"period": -1},
    ("panel.bounds", "of_no_rows"): {"n": 0},
    ("panel.moments", "misnamed"): {"moment": "CANARY"},
    ("panel.moments", "without_cell"): {"unit_id": "CANARY"},
}
"""A row that breaks the expectation, as changes of a good one."""
AS_WELL: dict[str, Row] = {"bronze.published_values": {"value": None}}
"""What a constraint of the table asks of such a row besides."""


def bad_rows(suite: Suite, expectation: Expectation) -> list[Row]:
    """Rows that break the expectation."""
    table, fact = suite.table, suite.facts.get(expectation.fact or "")
    if expectation.fact is None:
        return []
    if isinstance(fact, RowsRepeating):
        return [a_row(table)] * 2
    if isinstance(fact, RowsOutside):
        return [a_row(table), a_row(table, **{fact.column: "CANARY"}, **AS_WELL.get(table, {}))]
    if isinstance(fact, RowsWhere | RowsWithout):
        return [a_row(table), a_row(table, **BAD[table, expectation.name])]
    made: dict[str, Callable[[], list[Row]]] = {
        "times_year_before": lambda: years(rows_of(table, 100), rows_of(table, 201)),
        "nfa_share_change": lambda: years(
            rows_of(table, 200), rows_of(table, 120) + rows_of(table, 80, is_nfa_at_referral=True)
        ),
        "open_share": lambda: rows_of(table, 100, assessment_authorised_date=None),
        "kinship_share_change": lambda: years(rows_of(table, 100), rows_of(table, 100, placement_code="U1")),
        "linked_share": lambda: rows_of(table, 50, link_kind="unlinked", cin_child_id=None),
        "unaccounted": lambda: [a_row(table)] * 3,
    }
    return made[expectation.name]()


def frame(spark: SparkSession, table: str, rows: Sequence[Row]) -> DataFrame:
    """Rows as the declared table has them: what its schema or its constraints refuse is refused here."""
    declared = TABLES[table]
    required = [column.name for column in declared.columns if not column.nullable]
    assert [name for row in rows for name in required if row[name] is None] == []
    made = spark.createDataFrame(pa.Table.from_pylist(rows, schema=arrow_schema(declared)), declared.schema())
    for name, check in declared.checks.items():
        assert made.where(f"NOT ({check})").collect() == [], f"{table} takes no row that breaks {name}"
    return made


def judged(spark: SparkSession, suite: Suite, tables: Tables) -> tuple[Finding, ...]:
    """What is found by the suite, beside those of the tables that its facts look into."""
    frames = {table: frame(spark, table, rows) for table, rows in tables.items()}
    suites = [suite, *(other for other in SUITES if other.table in tables and other.table != suite.table)]
    facts = count_facts(frames, suites)
    return tuple(f for f in find_failures(facts, suites, check_facts(facts, suites)) if f.suite == suite.table)


@pytest.fixture(scope="module")
def good_and_bad(spark: SparkSession) -> GoodAndBad:
    """Each suite on a good table, and each expectation's on its bad one: verdicts and findings by expectation.

    All are judged at once, under names of their own (table, or table and expectation).
    """
    frames = {table: frame(spark, table, rows) for suite in SUITES for table, rows in good_tables(suite).items()}
    for suite in SUITES:
        for one in suite.expectations:
            frames[f"{suite.table} {one.name}"] = frame(spark, suite.table, bad_rows(suite, one))
    suites = [replace(suite, table=name) for suite in SUITES for name in frames if name.split(" ")[0] == suite.table]
    facts = count_facts(frames, suites)
    verdicts = check_facts(facts, suites)
    findings = find_failures(facts, suites, verdicts)
    return {
        suite.table: (
            {v.expectation: v.passed for v in verdicts if v.suite == suite.table},
            {f.expectation: f for f in findings if f.suite == suite.table},
        )
        for suite in suites
    }


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.table)
def test_a_table_that_meets_its_suite(suite: Suite, good_and_bad: GoodAndBad) -> None:
    verdicts, findings = good_and_bad[suite.table]
    assert verdicts == {expectation.name: True for expectation in suite.expectations}
    assert findings == {}


@pytest.mark.parametrize(("suite", "expectation"), EXPECTATIONS)
def test_every_expectation_can_fail_on_what_its_table_takes(
    suite: Suite, expectation: Expectation, good_and_bad: GoodAndBad
) -> None:
    verdicts, findings = good_and_bad[f"{suite.table} {expectation.name}"]
    assert not verdicts[expectation.name]
    finding = findings[expectation.name]
    assert finding.n_rows == len(bad_rows(suite, expectation))
    assert finding.n_failed <= finding.n_rows
    assert (finding.n_failed > 0) == (expectation.fact is not None)
    assert "CANARY" not in repr((verdicts, finding.bound, finding.observed))


def suite_of(table: str) -> Suite:
    """The suite of a table."""
    [suite] = [suite for suite in SUITES if suite.table == table]
    return suite


def test_the_year_before_is_the_same_authority_s_and_small_numbers_are_not_compared(spark: SparkSession) -> None:
    table = "bronze.cin_details"
    rows = years(rows_of(table, 100), rows_of(table, 250))
    rows += years(rows_of(table, 99, la_code="301"), rows_of(table, 200, la_code="301"))
    rows += years([], [], rows_of(table, 300, la_code="302"))
    [finding] = judged(spark, suite_of(table), {table: rows})
    assert [(dict(place.at), place.n_failed, place.fact) for place in finding.places] == [
        ({"la_code": "x", "census_year": "2016"}, 250, 2.5)
    ]
    assert finding.lines()[3] == "      in authority x, 2016: 2.5 (250 rows)"
    assert finding.as_json()["where"] == [{"la_code": "x", "census_year": "2016", "n_failed": 250, "found": 2.5}]


def test_a_repeated_key_is_found_across_census_years_and_each_row_is_told_where_it_is(spark: SparkSession) -> None:
    table = "silver.referrals"
    rows = years([a_row(table), a_row(table, child_id="another")], [a_row(table)])
    [finding] = judged(spark, suite_of(table), {table: rows})
    assert (finding.expectation, finding.n_failed, finding.n_rows) == ("keys_repeated", 2, 3)
    assert [(dict(place.at)["census_year"], place.n_failed) for place in finding.places] == [("2015", 1), ("2016", 1)]
    assert finding.bound == "no rows that share la_code, child_id, referral_date with another"


def test_of_a_key_with_nulls_a_null_equals_a_null_and_nothing_else(spark: SparkSession) -> None:
    table = "panel.cells"
    rows = [a_row(table, sex=None, age_band="0"), a_row(table, sex="male", age_band=None)]
    assert judged(spark, suite_of(table), {table: rows}) == ()
    [finding] = judged(spark, suite_of(table), {table: [*rows, rows[0]]})
    assert (finding.expectation, finding.n_failed) == ("keys_repeated", 2)


def test_index_rows_of_an_outcome_that_the_panel_does_not_have_are_not_missed(spark: SparkSession) -> None:
    """A study that no longer has an outcome still has its index rows; a unit and period that is lost is missed."""
    suite = suite_of("outcome.sums")
    tables = good_tables(suite)
    tables[suite.table] += [a_row(suite.table, outcome_id="former")]
    assert judged(spark, suite, tables) == ()
    tables[suite.table] += [a_row(suite.table, unit_id="926")]
    [finding] = judged(spark, suite, tables)
    assert [dict(place.at)["unit_id"] for place in finding.places] == ["926"]


def a_suite(fact: Fact) -> Suite:
    """A suite of panel.moments about one fact."""
    return Suite(
        "panel.moments", "panel", (Expectation(BETWEEN, {"column": "it", "max_value": 0}, "error", "it"),), {"it": fact}
    )


@pytest.mark.parametrize(
    "fact",
    [
        RowsWhere("nowhere > 1"),
        RowsWhere("moment >"),
        RowsWhere("moment > 3"),
        RowsOutside("momment", ("x",)),
        RowsWithout("panel.cells", {"momment": "period"}),
        RowsWithout("panel.sells", {"period": "period"}),
    ],
    ids=[
        "misnamed in a condition",
        "no condition",
        "of another type",
        "misnamed",
        "misnamed in a pair",
        "no such table",
    ],
)
def test_a_fact_that_cannot_be_counted_is_a_broken_rule_and_quotes_nothing(spark: SparkSession, fact: Fact) -> None:
    tables = {"panel.moments": frame(spark, "panel.moments", [a_row("panel.moments", moment="CANARY")])}
    with pytest.raises(BrokenRuleError, match=r"expectations/panel\.moments\.json") as caught:
        count_facts(tables, [a_suite(fact)], beside={"panel.cells": frame(spark, "panel.cells", [])})
    assert caught.value.exit_code == 2
    assert "CANARY" not in "".join(traceback.format_exception(caught.value))


def test_an_expectation_that_cannot_be_evaluated_is_a_broken_rule(spark: SparkSession) -> None:
    suite = a_suite(RowsWhere("period < 0"))
    facts = count_facts({"panel.moments": frame(spark, "panel.moments", [a_row("panel.moments")])}, [suite])
    with pytest.raises(BrokenRuleError, match="it could not be evaluated"):
        check_facts({name: table.drop(columns="it") for name, table in facts.items()}, [suite])


def test_without_suites_there_are_no_verdicts() -> None:
    assert check_facts({}, []) == ()
