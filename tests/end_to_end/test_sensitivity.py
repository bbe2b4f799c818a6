"""`sos-spark sensitivity`: a panel in, the specification curve and what stands beside it out."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from sos_spark.cli.commands_analysis import _shown_p
from sos_spark.cli.main import main
from sos_spark.steps.fit import SENSITIVITY_FILES
from sos_spark.tables.results import SENSITIVITY
from tests.end_to_end.test_fit_panel_file import a_study, some_outcomes


def sensitivity(folder: Path, *more: str, outcome: str = "o") -> int:
    some_outcomes().query("outcome_id == @outcome").to_csv(folder / "cells.csv", index=False)
    places = {"--study": a_study(folder), "--panel": folder / "cells.csv", "--out": folder / "out"}
    options = [text for option, path in places.items() for text in (option, str(path))]
    return main(["sensitivity", *options, "--set", 'sensitivity.comparators=["matched"]', *more])


def test_every_specification_is_a_row_and_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sensitivity(tmp_path) == 0
    with (tmp_path / "out" / "sensitivity.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows[0]) == SENSITIVITY.column_names
    names = [row["specification"] for row in rows]
    assert names[0] == "main"
    assert "comparators=matched" in names
    assert float(rows[0]["difference"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in names)
    assert {path.stem for path in (tmp_path / "out").iterdir()} == set(SENSITIVITY_FILES)


@pytest.mark.parametrize(("p", "said"), [(0.00001, "<0.001"), (0.0, "<0.001"), (0.0321, "0.032"), (None, "")])
def test_a_p_value_is_never_printed_as_0(p: float | None, said: str) -> None:
    assert _shown_p(p) == said


def test_json_holds_the_same_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sensitivity(tmp_path, "--json") == 0
    rows = json.loads(capsys.readouterr().out)["sensitivity"]
    assert rows[0]["specification"] == "main"
    assert isinstance(rows[0]["att"], float)


def test_nothing_to_compare_is_exit_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sensitivity(tmp_path, outcome="late") == 4
    assert "before go-live" in capsys.readouterr().err


def test_lacking_options_are_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sensitivity"]) == 2
    assert "--study" in capsys.readouterr().err
