"""The report reads what the fit really writes, and says what the fit says."""

from __future__ import annotations

from pathlib import Path

import pytest

from sos_spark.config.environment import Environment
from sos_spark.config.load import parse_study
from sos_spark.report.page import Pictures, render_page
from sos_spark.report.results import Results, rows_of
from sos_spark.report.verdicts import is_significant, verdicts
from sos_spark.steps.context import Run
from sos_spark.steps.fit import fit_panel_file
from sos_spark.steps.report import read_results
from tests.unit import report_example as example

STUDY = parse_study(
    example.STUDY_TEXT.replace('kind = "neighbours"', 'kind = "matched"')
    + "[inference]\ndraws = 199\npermutations = 99\n"
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    out = tmp_path_factory.mktemp("fit")
    example.cells().to_csv(out / "cells.csv", index=False)
    fit_panel_file(out / "cells.csv", STUDY, out)
    return read_results(Run("run", Environment(out=out), STUDY, _no_session))  # type: ignore[arg-type]


def _no_session() -> None:
    raise AssertionError("neither fit nor report needs Spark")


def test_every_file_of_the_fit_is_read(results: Results) -> None:
    for frame in (results.event_study, results.leave_one_out, results.arms, results.cells, results.balance):
        assert not frame.empty


def test_the_page_and_the_fit_agree_on_what_is_significant(results: Results) -> None:
    rows = rows_of(results.main)

    assert len(rows) == 3
    for row in rows:
        said = {"True": True, "False": False}.get(row.significant)
        assert is_significant(results.main_row(row.outcome_id) or {}) is said


def test_the_example_has_a_finding_and_an_outcome_without_rows(results: Results) -> None:
    findings = {verdict.outcome_id: verdict.finding for verdict in verdicts(results)}

    assert findings["kinship_placement"] == "change"
    assert findings["icpc"] == "not estimable"


def test_the_page_can_be_made(results: Results, tmp_path: Path) -> None:
    page = render_page(results, Pictures())

    assert "Evidence of a decrease" in page
    assert page.count("<h1>") == 1
