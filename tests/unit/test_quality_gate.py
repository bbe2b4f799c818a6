"""Suites as text, and the gate that reads their verdicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sos_spark.config.shipped import expectations_root
from sos_spark.errors import QualityGateError
from sos_spark.quality import BrokenRuleError, Verdict, gate, load_suites
from sos_spark.tables import TABLES

LAYERS = ("bronze", "silver", "panel")


def a_verdict(severity: str = "error", *, passed: bool = False) -> Verdict:
    return Verdict("silver.referrals", "expect_column_values_to_be_in_set(sex)", "sex", severity, passed)  # type: ignore[arg-type]


def test_what_passed_says_nothing() -> None:
    assert gate([a_verdict(passed=True), a_verdict("warning", passed=True)]) == ()


def test_a_warning_is_told_and_stops_nothing() -> None:
    (told,) = gate([a_verdict("warning"), a_verdict(passed=True)])
    assert "silver.referrals" in told
    assert "sex" in told


def test_an_error_stops_the_run_and_names_suite_expectation_and_column() -> None:
    with pytest.raises(QualityGateError) as caught:
        gate([a_verdict(), a_verdict("warning"), a_verdict(passed=True)])
    assert caught.value.exit_code == 3
    assert caught.value.where == "silver.referrals"
    assert caught.value.expected == "silver.referrals expect_column_values_to_be_in_set(sex)"
    assert "1 of 3" in caught.value.found


def test_every_bronze_silver_and_panel_table_has_a_suite_and_every_suite_a_table() -> None:
    suites = {suite.table for layer in LAYERS for suite in load_suites(expectations_root(), layer)}  # type: ignore[arg-type]
    assert suites <= set(TABLES)
    assert {name for name, table in TABLES.items() if table.layer in LAYERS} <= suites


def test_every_expectation_says_why_and_names_columns_its_table_has() -> None:
    for path in sorted(expectations_root().glob("*.json")):
        content = json.loads(path.read_text())
        for expectation in content["expectations"]:
            kwargs = expectation["kwargs"]
            named = {*kwargs.get("column_list", ()), kwargs.get("column")} - {None}
            assert expectation["meta"]["why"], path.name
            assert named <= set(TABLES[path.stem].column_names), path.name


def test_a_layer_gets_its_own_suites_only() -> None:
    panel = {suite.table for suite in load_suites(expectations_root(), "panel")}
    assert panel == {"panel.cells", "panel.moments", "panel.bounds"}
    assert "dq.ledger" in {suite.table for suite in load_suites(expectations_root(), "silver")}


GOOD: dict[str, Any] = {
    "name": "silver.things",
    "meta": {"layer": "silver"},
    "expectations": [
        {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 1}, "meta": {"severity": "error"}}
    ],
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "silver.others"}, "silver.others"),
        ({"meta": {"layer": "gold"}}, "gold"),
        ({"meta": {}}, "layer"),
        ({"expectations": [GOOD["expectations"][0] | {"meta": {"severity": "fatal"}}]}, "fatal"),
        ({"expectations": GOOD["expectations"] * 2}, "told apart"),
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
