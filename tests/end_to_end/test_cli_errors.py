"""The command line's errors: one paragraph, the right exit code, never a message that may quote a record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sos_spark.cli.boundary import within_boundary
from sos_spark.cli.main import main
from sos_spark.errors import ConflictError, DisclosureError, EnvironmentFaultError, InputError, QualityGateError

STUDIES = Path(__file__).resolve().parents[2] / "conf" / "studies"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nope"], 2, "nope"),
        (["run", "--from", "fit", "--to", "ingest"], 2, "end before it starts"),
        (["run", "--from", "magic"], 2, "magic"),
        (["run"], 2, "--source, --lake, --study, --out"),
        (["simulate", "--out", "x", "--years", "soon"], 2, "2013-2020"),
        (["study", "check", "none.toml"], 4, "none.toml"),
        (["fit", "--panel", "cells.csv"], 2, "--study and --out"),
    ],
)
def test_a_wrong_call_is_one_line_and_its_exit_code(
    arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    shown = capsys.readouterr()
    assert says in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_help_and_no_arguments_are_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    with_option = capsys.readouterr().out
    assert main([]) == 0
    assert capsys.readouterr().out == with_option
    for command in ("simulate", "run", "ingest", "validate", "cohort", "outcome", "panel", "fit", "report", "doctor"):
        assert command in with_option


@pytest.mark.parametrize(
    ("error", "code"),
    [(QualityGateError, 3), (InputError, 4), (ConflictError, 5), (DisclosureError, 6), (EnvironmentFaultError, 7)],
)
def test_each_kind_of_error_has_its_exit_code(error: type[Exception], code: int) -> None:
    def fail() -> int:
        raise error("It stopped")

    assert within_boundary(fail, debug=False, as_json=False) == code


def test_a_foreign_error_is_told_without_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise ValueError("could not convert CANARY-CHILD-1 to a date")

    assert within_boundary(fail, debug=True, as_json=False) == 1
    shown = capsys.readouterr().err
    assert "ValueError" in shown
    assert "CANARY" not in shown
    assert "test_cli_errors.py" in shown


def test_an_interrupt_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise KeyboardInterrupt

    assert within_boundary(fail, debug=False, as_json=True) == 130
    assert json.loads(capsys.readouterr().err)["exit_code"] == 130


def test_dry_run_prints_the_plan_and_does_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = str(STUDIES / "signs_of_safety.toml")
    assert main(["run", "--study", study, "--out", str(tmp_path / "out"), "--from", "outcome", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "outcome",
        "panel, then the quality gate of panel",
        "fit",
        "report",
    ]
    assert not (tmp_path / "out").exists()


def test_study_new_writes_a_file_that_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.toml"
    assert main(["study", "new", str(path)]) == 0
    assert main(["study", "check", str(path)]) == 0
    assert "fingerprint" in capsys.readouterr().out
    assert main(["study", "new", str(path)]) == 2


def test_a_missing_key_is_told_before_anything_is_ingested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOS_SPARK_KEY", raising=False)
    monkeypatch.delenv("SOS_SPARK_KEY_FILE", raising=False)
    (tmp_path / "returns" / "cin" / "2015").mkdir(parents=True)
    places = ["--source", str(tmp_path / "returns"), "--lake", str(tmp_path / "lake")]
    assert main(["quality", *places]) == 7
    assert "There is no pseudonym key" in capsys.readouterr().err
    assert not (tmp_path / "lake").exists()
