"""The report reads what the fit really writes, and says what the fit says."""

from __future__ import annotations

import json
import pickle
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from sos_spark.analysis import study
from sos_spark.cli.main import main
from sos_spark.config.environment import Environment
from sos_spark.config.freeze import FrozenPlan
from sos_spark.config.load import parse_study
from sos_spark.config.study import Study
from sos_spark.machine.side_by_side import as_it_is, started
from sos_spark.report.blocks import Table
from sos_spark.report.contents import pictures_of, sections_of
from sos_spark.report.page import render_page
from sos_spark.report.results import Results, rows_of
from sos_spark.report.sections import staggered
from sos_spark.report.words.declared import Declared
from sos_spark.report.words.verdicts import is_significant, verdicts
from sos_spark.steps import report
from sos_spark.steps.context import Run
from sos_spark.steps.fit import fit_panel_file
from sos_spark.steps.report import read_results
from tests.unit import report_example as example

STUDY = parse_study(
    example.STUDY_TEXT.replace('kind = "neighbours"', 'kind = "matched"')
    + "[inference]\ndraws = 199\npermutations = 99\n"
    + '[sensitivity]\ngo_live = ["2014-04-01"]\nplacebo_dates = ["2014-04-01"]\nplacebo_pilots = 20\n'
)
LATER = dict.fromkeys(example.PILOTS[3:6], date(2016, 4, 1)) | dict.fromkeys(example.PILOTS[6:], date(2017, 1, 1))
STAGGERED = STUDY.model_copy(
    update={
        "pilots": tuple(p.model_copy(update={"go_live": LATER.get(p.la_code, p.go_live)}) for p in STUDY.pilots),
        "outcomes": STUDY.outcomes[2:3],
    }
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fit")


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return _fitted(STUDY, folder)


def _fitted(study: Study, out: Path) -> Results:
    example.cells().to_csv(out / "cells.csv", index=False)
    run = Run("run", Environment(out=out), study, _no_session)  # type: ignore[arg-type]
    fit_panel_file(out / "cells.csv", run)
    return read_results(run)


def _no_session() -> None:
    raise AssertionError("neither fit nor report needs Spark")


def test_every_file_of_the_fit_is_read(results: Results) -> None:
    for name in ("event_study", "leave_one_out", "arms", "cells", "balance", "pretrend", "honest", "placebo_pilots",
                 "placebo_summary", "secondary", "power", "welch"):  # fmt: skip
        assert not getattr(results, name).empty, name


def test_the_page_and_the_fit_agree_on_what_is_significant(results: Results) -> None:
    rows = rows_of(results.main)

    assert len(rows) == 3
    for row in rows:
        said = {"True": True, "False": False}.get(row.significant)
        assert is_significant(results.main_row(row.outcome_id) or {}) is said


def test_the_example_has_a_finding_and_an_outcome_without_rows(results: Results) -> None:
    findings = {verdict.outcome_id: verdict.finding for verdict in verdicts(results)}

    assert findings["kinship_placement"] == "a change"
    assert findings["icpc"] == ""


def test_the_page_can_be_made(results: Results, tmp_path: Path) -> None:
    page = render_page(results, sections_of(results))

    assert "Evidence of a decrease" in page
    assert page.count("<h1>") == 1
    for anchor in ("detect", "drift", "other", "placebo", "secondary"):
        assert f'<h2 id="{anchor}">' in page
    assert "of 20 draws of pseudo-pilots gave an effect" in page


@pytest.mark.slow
def test_two_processes_leave_what_one_leaves(
    results: Results, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "MANY_CELLS", 0)
    run = Run("run", Environment(out=tmp_path), STUDY, _no_session, processes=2)  # type: ignore[arg-type]
    fit_panel_file(folder / "cells.csv", run)
    files = [path for path in sorted(tmp_path.glob("*.csv")) if path.name != "cells.csv"]
    assert len(files) > 20
    assert [path.name for path in files if path.read_bytes() != (folder / path.name).read_bytes()] == []

    draws = [picture.draw for picture in pictures_of(sections_of(results))]
    for draw in draws:
        pickle.dumps(draw)  # a helper can be given it
    with started(1, there=partial(as_it_is, report._made)) as helpers:
        assert list(helpers.share(report._made, draws[:4])) == [draw() for draw in draws[:4]]


@pytest.mark.usefixtures("results")
def test_its_tables_can_be_written_for_a_paper(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tables", "--out", str(folder), "--json"]) == 0

    written = json.loads(capsys.readouterr().out)
    pages, texts = ({path.stem for path in (folder / "tables").glob(f"*.{kind}")} for kind in ("html", "tex"))
    assert len(pages) == written["tables"] > 20
    assert texts == pages | {"all"}
    assert "Not cleared for release" in (folder / "tables" / "answer.html").read_text(encoding="utf-8")


def test_every_specification_that_was_fitted_was_declared(results: Results) -> None:
    frozen = FrozenPlan("2021-01-01", "f", (), STUDY.model_dump(mode="json", by_alias=True))
    declared = Declared(frozen, STUDY)

    marks = [declared.specification(row.outcome_id, row.specification) for row in rows_of(results.estimates)]

    assert len(marks) > 10
    assert not any(marks)


@pytest.mark.slow
def test_pilots_that_started_apart_have_their_section(tmp_path: Path) -> None:
    results = _fitted(STAGGERED, tmp_path)
    section = staggered.section(results)

    assert section is not None
    assert {picture.name for picture in section.pictures} == {"bacon_kinship_placement"}
    of_outcome = next(one for one in sections_of(results) if one.anchor == "answer-kinship_placement")
    assert "staggered_kinship_placement" in {picture.name for picture in of_outcome.pictures}
    simple = next(block.content for block in section.blocks if isinstance(block, Table) and not block.folded)
    assert len(simple.header) == 1 + results.aggregates["estimator"].nunique()
    assert all(cell for row in simple.rows for cell in row)
