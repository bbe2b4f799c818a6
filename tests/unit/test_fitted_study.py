"""Results carry the study that was fitted, and a report can be of no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sos_spark.cli.main import main
from sos_spark.config.load import load_study
from sos_spark.errors import InputError
from sos_spark.steps.fitted_study import fitted_study
from tests.end_to_end.test_fit_panel_file import a_study, some_outcomes

FEW_DRAWS = ("--set", "inference.draws=99")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A study file, and the results of a fit of it with one key from the command line."""
    folder = tmp_path_factory.mktemp("fitted")
    study, cells, out = a_study(folder), folder / "cells.csv", folder / "out"
    some_outcomes().to_csv(cells, index=False)
    assert main(["study", "freeze", str(study)]) == 0
    assert main(["fit", "--panel", str(cells), "--study", str(study), "--out", str(out), *FEW_DRAWS]) == 0
    return study, out


def test_the_results_hold_the_study_as_it_was_fitted(run: tuple[Path, Path]) -> None:
    study, out = run
    kept = fitted_study(out)

    assert kept.study == load_study(study, overrides=["inference.draws=99"])
    assert kept.overrides == ("inference.draws=99",)
    assert kept.origins["inference.draws"] == "command line"
    assert kept.origins["study_id"] == "file"
    assert not kept.is_simulated
    content = json.loads((out / "study.json").read_text())
    assert content["lock_sha256"] is not None
    assert content["code"]["version"]


def test_a_fit_of_another_plan_is_not_called_frozen(run: tuple[Path, Path]) -> None:
    _, out = run
    kept = fitted_study(out)

    assert kept.frozen is not None
    assert kept.frozen.changes == ("inference.draws: 999 -> 99",)
    assert not kept.frozen.as_planned


def test_a_report_needs_neither_the_study_file_nor_a_lake(run: tuple[Path, Path]) -> None:
    _, out = run
    before = (out / "report.html").read_text()
    (out / "report.html").unlink()

    assert main(["report", "--out", str(out)]) == 0

    after = (out / "report.html").read_text()
    assert "changed since" in after
    assert "<code>inference.draws=99</code>" in after  # what was set on the command line
    assert len(after) == len(before)


def test_a_report_of_another_study_is_refused_with_what_differs(
    run: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study, out = run
    capsys.readouterr()
    page = (out / "report.html").read_bytes()

    assert main(["report", "--out", str(out), "--study", str(study)]) == 2

    told = capsys.readouterr().err
    assert "inference.draws: 99 -> 999" in told
    assert (out / "report.html").read_bytes() == page
    assert main(["report", "--out", str(out), "--study", str(study), *FEW_DRAWS]) == 0


def test_a_study_that_was_changed_by_hand_is_no_fitted_study(run: tuple[Path, Path], tmp_path: Path) -> None:
    _, out = run
    content = json.loads((out / "study.json").read_text())
    content["study"]["title"] = "Another"
    (tmp_path / "study.json").write_text(json.dumps(content))

    with pytest.raises(InputError, match="fingerprint"):
        fitted_study(tmp_path)


def test_set_without_a_study_is_a_fault(run: tuple[Path, Path]) -> None:
    assert main(["report", "--out", str(run[1]), *FEW_DRAWS]) == 2
