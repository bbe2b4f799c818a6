"""`compare` and `reproduce` of runs that came from a file of cells."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from sos_spark.cli.main import main
from tests.end_to_end.test_fit_panel_file import a_study, some_outcomes


def fit(folder: Path, name: str, cells: pd.DataFrame, *options: str) -> Path:
    study, file, out = a_study(folder), folder / f"{name}.csv", folder / name
    cells.to_csv(file, index=False)
    assert main(["fit", "--panel", str(file), "--study", str(study), "--out", str(out), *options]) == 0
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    return fit(folder, "first", some_outcomes())


def told(capsys: pytest.CaptureFixture[str], *command: str) -> dict[str, object]:
    capsys.readouterr()
    main([*command, "--json"])
    said: dict[str, object] = json.loads(capsys.readouterr().out)
    return said


def test_another_seed_moves_the_bootstrap_and_not_the_estimate(
    run: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = fit(folder, "seed", some_outcomes(), "--set", "inference.seed=7")

    found = told(capsys, "compare", str(run), str(other))

    assert found["causes"]["seed"] == ["inference.seed: 20210101 -> 7"]
    assert found["causes"]["study"] == []
    columns = found["tables"]["estimates"]["columns"]
    assert "p_ri" in columns
    assert "att" not in columns
    assert found["tables"]["cells"]["changed"] == 0


def test_changed_cells_are_counted_and_the_page_is_written(
    run: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = some_outcomes()
    cells.loc[cells.index[0], "n"] += 1
    other = fit(folder, "cells", cells)
    page = folder / "compared.html"

    found = told(capsys, "compare", str(run), str(other), "--page", str(page))

    assert found["tables"]["cells"]["changed"] >= 1
    assert not found["equal"]
    assert "Cells of the panel" in page.read_text()


def test_a_run_is_made_again_to_the_last_digit(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["reproduce", str(run), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["equal"]
    assert "estimates.csv" in found["same"]
    assert not found["code_differs"]


def test_a_run_whose_numbers_were_changed_parts_where_they_were(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = fit(folder, "tampered", some_outcomes())
    estimates = (out / "estimates.csv").read_text()
    (out / "estimates.csv").write_text(estimates.replace(",main,", ",main_,", 1))

    assert main(["reproduce", str(out)]) == 1
    assert "differs: estimates.csv, line 2: " in capsys.readouterr().out


def test_cells_that_are_not_those_that_were_fitted_are_not_fitted_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = fit(folder, "other_cells", some_outcomes())
    (out / "cells.csv").write_text((out / "cells.csv").read_text() + "\n")

    assert main(["reproduce", str(out)]) == 4
    assert "not those that were fitted" in capsys.readouterr().err
