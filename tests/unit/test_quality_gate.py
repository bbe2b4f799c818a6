"""Suites as text, and the gate that reads their verdicts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sos_spark.cli.boundary import within_boundary
from sos_spark.config.shipped import expectations_root
from sos_spark.errors import QualityGateError
from sos_spark.quality import BrokenRuleError, Finding, gate, load_suites
from sos_spark.quality.checks import Verdict
from sos_spark.quality.facts import RowsWhere
from sos_spark.quality.findings import Place, find_failures
from sos_spark.quality.suites import Expectation, Suite
from sos_spark.tables import TABLES

LAYERS = ("bronze", "silver", "panel")


def a_finding(severity: str = "error", *, n_places: int = 1, n_failed: int = 3) -> Finding:
    places = tuple(Place((("la_code", str(201 + i)), ("census_year", "2016")), 2) for i in range(n_places))
    return Finding("dq.ledger", "file_lost", severity, "no row where n = 0", "rows", 9, n_failed, places)  # type: ignore[arg-type]


def test_where_nothing_failed_nothing_is_told() -> None:
    assert gate([], n_checked=3) == ()


def test_a_warning_is_told_and_stops_nothing() -> None:
    (told,) = gate([a_finding("warning")], n_checked=3)
    assert told.splitlines() == [
        "expectation not met:",
        "  - warning in dq.ledger, file_lost: rows",
        "      expected: no row where n = 0",
        "      found: 3 of 9 rows",
        "      in City of London (201), 2016: 2 rows",
    ]


def test_the_message_lists_suite_expectation_bound_observed_authority_and_year_in_lines() -> None:
    with pytest.raises(QualityGateError) as caught:
        gate([a_finding(n_places=2), a_finding("warning")], n_checked=3)
    assert caught.value.exit_code == 3
    assert caught.value.where == "dq.ledger"
    paragraph, *lines = caught.value.paragraph().splitlines()
    assert "1 of 3 expectations" in paragraph
    assert lines[:5] == [
        "  - error in dq.ledger, file_lost: rows",
        "      expected: no row where n = 0",
        "      found: 3 of 9 rows",
        "      in City of London (201), 2016: 2 rows",
        "      in Camden (202), 2016: 2 rows",
    ]
    assert "  - warning in dq.ledger, file_lost: rows" in lines
    assert "quarantine list" in paragraph


def test_many_places_are_told_as_a_sum_and_given_to_a_program_in_full() -> None:
    finding = a_finding(n_places=152)
    assert finding.lines()[-1] == "      in 142 other places: 284 rows"
    assert len(finding.as_json()["where"]) == 152


def test_what_does_not_add_up_is_not_put_down_to_the_returns() -> None:
    at = (("outcome_id", "icpc"), ("unit_id", "X9"), ("period_start", "2015-04-01"))
    finding = replace(a_finding(), suite="outcome.sums", places=(Place(at, 1), Place((("la_code", "not known"),), 1)))
    assert [place.name for place in finding.places] == [
        "icpc, authority X9, period from 2015-04-01",
        "authority not known",
    ]
    with pytest.raises(QualityGateError, match="does not add up"):
        gate([finding], n_checked=1)


def test_a_year_is_whole_where_another_place_has_none() -> None:
    facts = pd.DataFrame({"la_code": ["201", None], "census_year": [2016, None], "n_rows": [1, 1], "lost": [2, 1]})
    bound = Expectation("", {"column": "lost", "max_value": 0}, "error", "lost")
    suite = Suite("dq.ledger", "silver", (bound,), {"lost": RowsWhere("n = 0")})
    (found,) = find_failures({"dq.ledger": facts}, [suite], [Verdict("dq.ledger", "lost", "", "error", False)])
    assert [place.name for place in found.places] == [
        "City of London (201), 2016",
        "authority not known, year not known",
    ]


def test_an_error_as_json_has_the_findings(capsys: pytest.CaptureFixture[str]) -> None:
    def stop() -> int:
        gate([a_finding()], n_checked=1)
        return 0

    assert within_boundary(stop, debug=False, as_json=True) == 3
    told = json.loads(capsys.readouterr().err)
    assert told["findings"] == [
        {
            "suite": "dq.ledger",
            "expectation": "file_lost",
            "severity": "error",
            "expected": "no row where n = 0",
            "observed": {"n_rows": 9, "n_failed": 3},
            "where": [{"la_code": "201", "census_year": "2016", "n_failed": 2}],
            "why": "rows",
        }
    ]


def test_every_suite_has_a_table() -> None:
    suites = {suite.table for layer in LAYERS for suite in load_suites(expectations_root(), layer)}  # type: ignore[arg-type]
    assert suites <= set(TABLES)


def test_every_expectation_says_why() -> None:
    suites = [suite for layer in LAYERS for suite in load_suites(expectations_root(), layer)]  # type: ignore[arg-type]
    assert [(suite.table, each.name) for suite in suites for each in suite.expectations if not each.why] == []


def test_a_layer_gets_its_own_suites_only() -> None:
    panel = {suite.table for suite in load_suites(expectations_root(), "panel")}
    assert panel == {
        "outcome.durations",
        "outcome.flow",
        "outcome.sums",
        "panel.cells",
        "panel.moments",
        "panel.bounds",
    }
    assert "dq.ledger" in {suite.table for suite in load_suites(expectations_root(), "silver")}


GOOD: dict[str, Any] = {
    "name": "silver.things",
    "meta": {"layer": "silver"},
    "expectations": [
        {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 1}, "meta": {"severity": "error"}}
    ],
}
A_BOUND = {
    "type": "expect_column_values_to_be_between",
    "kwargs": {"column": "a_share", "max_value": 1},
    "meta": {"severity": "error"},
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "silver.others"}, "silver.others"),
        ({"meta": {"layer": "gold"}}, "gold"),
        ({"meta": {}}, "layer"),
        ({"expectations": [GOOD["expectations"][0] | {"meta": {"severity": "fatal"}}]}, "fatal"),
        ({"expectations": GOOD["expectations"] * 2}, "told apart"),
        ({"expectations": [GOOD["expectations"][0] | {"type": "expect_column_to_exist"}]}, "expect_column_to_exist"),
        ({"expectations": [A_BOUND]}, "does not declare: a_share"),
        ({"meta": {"layer": "silver", "facts": {"it": {"kind": "rows"}}}}, "kind is one of"),
        ({"meta": {"layer": "silver", "facts": {"it": {"kind": "rows_where", "when": "x"}}}}, "TypeError"),
        ({"meta": {"layer": "silver", "facts": {"it": {"kind": "rows_repeating"}}}}, "has no key"),
    ],
)
def test_a_file_that_is_no_suite_is_a_broken_rule(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    (tmp_path / "silver.things.json").write_text(json.dumps(GOOD | change))
    with pytest.raises(BrokenRuleError, match=told):
        load_suites(tmp_path, "silver")


def test_a_file_that_is_no_json_is_a_broken_rule(tmp_path: Path) -> None:
    (tmp_path / "silver.things.json").write_text("{")
    with pytest.raises(BrokenRuleError, match=r"silver\.things\.json"):
        load_suites(tmp_path, "silver")
