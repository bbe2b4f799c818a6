"""`sos-spark calibrate`: a panel or a run in, calibration.csv out, and its exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from sos_spark.cli.main import main
from sos_spark.tables.results import CALIBRATION, CALIBRATION_SWITCHES
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


def test_each_way_of_doing_the_sums_is_a_row_at_the_effects_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells, study, out = tmp_path / "cells.csv", a_study(tmp_path), tmp_path / "out"
    some_outcomes().to_csv(cells, index=False)
    common = ["calibrate", "--study", str(study), "--replications", "2", "--panel", str(cells), "--out", str(out)]
    assert main([*common, "--switches", "o=-0.05"]) == 0
    assert "la_equal" in capsys.readouterr().out
    with (out / CALIBRATION_SWITCHES.file_name).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows[0]) == CALIBRATION_SWITCHES.column_names
    of_o = [(row["specification"], row["effect"]) for row in rows if row["outcome_id"] == "o"]
    assert of_o[:4] == [("main", "0.0"), ("main", "-0.05"), ("la_equal", "0.0"), ("la_equal", "-0.05")]
    assert "before go-live" in next(row["note"] for row in rows if row["outcome_id"] == "late")
    assert not (out / CALIBRATION.file_name).exists()


@pytest.mark.parametrize(
    "given", [["--switches", "nobody"], ["--switches", "o=much"], ["--switches", "o", "--effects", "0.1"]]
)
def test_what_is_asked_about_in_another_way_is_exit_2(given: list[str], tmp_path: Path) -> None:
    cells = tmp_path / "cells.csv"
    some_outcomes().to_csv(cells, index=False)
    asked = ["calibrate", "--study", str(a_study(tmp_path)), "--panel", str(cells), "--out", str(tmp_path)]
    assert main([*asked, *given]) == 2
