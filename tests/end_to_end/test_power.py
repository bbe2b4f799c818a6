"""`sos-spark power`: a panel in, power.csv out, and its exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from sos_spark.cli.main import main
from sos_spark.tables.results import POWER
from tests.end_to_end.test_fit_panel_file import a_study, some_outcomes


def power(folder: Path, *more: str, outcome: str | None = None) -> int:
    cells = some_outcomes()
    (cells if outcome is None else cells[cells["outcome_id"] == outcome]).to_csv(folder / "cells.csv", index=False)
    study, panel, out = a_study(folder), folder / "cells.csv", folder / "out"
    return main(["power", "--study", str(study), "--panel", str(panel), "--out", str(out), *more])


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "out" / "power.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_analytic_rows_and_simulated_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert power(tmp_path, "--replications", "6", "--effects", "0.05,0.3") == 0
    rows = rows_of(tmp_path)
    assert tuple(rows[0]) == POWER.column_names
    assert [(row["outcome_id"], row["source"], row["effect"]) for row in rows] == [
        ("o", "analytic", "0.05"),
        ("o", "analytic", "0.3"),
        ("o", "simulated", "0.05"),
        ("o", "simulated", "0.3"),
        ("late", "analytic", ""),
    ]
    assert rows[3]["power"] == "1.0"
    assert rows[3]["replications"] == "6"
    assert "before go-live" in rows[4]["note"]
    said = capsys.readouterr()
    assert "simulated" in said.out
    assert "absent" in said.err


def test_json_and_the_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for seed in ("1", "1", "2"):
        assert power(tmp_path, "--replications", "3", "--effects", "0.05", "--seed", seed, "--json") == 0
        found.append(json.loads(capsys.readouterr().out)["power"])
    assert found[0] == found[1]
    assert found[0][1]["se_cr2"] != found[2][1]["se_cr2"]
    assert found[0][0]["mc_se"] is None


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(("--effects", "a lot"), id="effects"),
        pytest.param(("--effects", "nan"), id="no number"),
        pytest.param(("--pilots", "14"), id="as many pilots as authorities"),
        pytest.param(("--replications", "0"), id="replications"),
        pytest.param(("--lake", "lake"), id="panel and lake"),
    ],
)
def test_what_cannot_be_asked_for_is_exit_2(tmp_path: Path, more: tuple[str, ...]) -> None:
    assert power(tmp_path, *more) == 2
    assert not (tmp_path / "out").exists()


def test_nothing_to_compare_is_exit_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert power(tmp_path, outcome="late") == 4
    assert "before go-live" in capsys.readouterr().err


def test_a_panel_without_the_study_s_outcomes_is_exit_4(tmp_path: Path) -> None:
    study = a_study(tmp_path)
    some_outcomes().assign(outcome_id="other").to_csv(tmp_path / "cells.csv", index=False)
    arguments = ["--study", str(study), "--panel", str(tmp_path / "cells.csv"), "--out", str(tmp_path / "out")]
    assert main(["power", *arguments]) == 4
