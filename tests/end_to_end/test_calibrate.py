"""`sos-spark calibrate`: a panel or a run in, calibration.csv out, and its exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from sos_spark.cli.main import main
from sos_spark.tables.results import CALIBRATION
from tests.end_to_end.test_fit_panel_file import a_study, some_outcomes


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / CALIBRATION.file_name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_a_panel_and_a_run_give_the_same_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells, study = tmp_path / "cells.csv", a_study(tmp_path)
    some_outcomes().to_csv(cells, index=False)
    common = ["calibrate", "--study", str(study), "--replications", "3", "--effects", "0.05"]
    assert main([*common, "--panel", str(cells), "--out", str(tmp_path / "a")]) == 0
    said = capsys.readouterr()
    rows = rows_of(tmp_path / "a")
    assert tuple(rows[0]) == CALIBRATION.column_names
    assert {(row["measure"], row["effect"]) for row in rows if row["outcome_id"] == "o"} == {
        ("size", "0.0"), ("coverage", "0.0"), ("power", "0.05"), ("coverage", "0.05"),
        *((evidence, effect) for evidence in ("strong", "moderate") for effect in ("0.0", "0.05")),
    }  # fmt: skip
    assert "before go-live" in next(row["note"] for row in rows if row["outcome_id"] == "late")
    assert "headline" in said.out
    assert "absent" in said.err

    run = tmp_path / "run"
    run.mkdir()
    cells.rename(run / "cells.csv")
    assert main([*common, "--out", str(run), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert rows_of(run) == rows
    assert len(found["calibration"]) == len(rows)


def test_without_a_panel_and_a_run_it_is_exit_4_and_without_a_study_exit_2(tmp_path: Path) -> None:
    assert main(["calibrate", "--study", str(a_study(tmp_path)), "--out", str(tmp_path / "none")]) == 4
    assert main(["calibrate", "--out", str(tmp_path)]) == 2
