"""`sos-spark fit --panel`: collapsed cells in, the files of results out, and its exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from sos_spark.cli.main import main
from sos_spark.steps.simulated import cells_are_simulated, write_sidecar
from tests.fit_panels import some_cells

STUDY = """
schema_version = 1
study_id = "made_up"
title = "A made-up study"
[window]
baseline = ["2013-04-01", "2014-01-01"]
follow_up = ["2014-01-01", "2015-04-01"]
data_ends = "2015-03-31"
{pilots}
[[outcomes]]
outcome_id = "o"
kind = "icpc"
[[outcomes]]
outcome_id = "late"
kind = "icpc"
within_months = 3
[[outcomes]]
outcome_id = "absent"
kind = "icpc"
within_months = 12
[covariates]
categorical = ["sex"]
[comparators]
kind = "{comparators}"
[inference]
draws = 999
permutations = 199
"""


def a_study(folder: Path, *, comparators: str = "all") -> Path:
    pilots = "\n".join(f'[[pilots]]\nla_code = "{code}"\ngo_live = 2014-01-01' for code in range(201, 207))
    path = folder / "study.toml"
    path.write_text(STUDY.format(pilots=pilots, comparators=comparators))
    return path


def some_outcomes() -> pd.DataFrame:
    """Outcome o by sex, and one that only begins at go-live."""
    cells = some_cells()
    o = pd.concat([cells.assign(sex="female"), cells.assign(sex="male", y_sum=cells["y_sum"] // 2)])
    o["y_sumsq"] = o["y_sum"]
    late = o[o["period"] >= 3].assign(outcome_id="late")
    return pd.concat([o, late])


def fitted(folder: Path, cells: pd.DataFrame, *, comparators: str = "all") -> int:
    cells.to_csv(folder / "cells.csv", index=False)
    study = a_study(folder, comparators=comparators)
    return main(["fit", "--panel", str(folder / "cells.csv"), "--study", str(study), "--out", str(folder / "out")])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_every_specification_and_every_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fitted(tmp_path, some_outcomes()) == 0
    out = tmp_path / "out"
    rows = rows_of(out / "estimates.csv")
    assert [(row["outcome_id"], row["specification"]) for row in rows] == [
        ("o", "main"),
        ("o", "la_equal"),
        ("o", "unadjusted"),
        ("o", "logit"),
        ("o", "synthetic_did"),
        ("o", "missing=indicator"),
        ("late", "main"),
    ]
    assert [row["specification"] for row in rows_of(out / "sensitivity.csv")] == [row["specification"] for row in rows]
    main_row, *_, late = rows
    assert repr(float(main_row["att"])) == main_row["att"]
    assert main_row["p_adjusted"] == main_row["p_wcr"]  # a family of one
    assert late["att"] == ""
    assert "before go-live" in late["note"]
    records = json.loads((out / "estimates.json").read_text())
    assert records[0]["att"] == float(main_row["att"])
    assert records[-1]["att"] is None
    assert {row["outcome_id"] for row in rows_of(out / "event_study.csv")} == {"o"}
    assert len(rows_of(out / "leave_one_out.csv")) == 14
    arms = {row["unit_id"]: (row["arm"], row["gtime"]) for row in rows_of(out / "arms.csv")}
    assert arms["201"] == ("pilot", "3")
    assert arms["214"] == ("comparator", "")
    for name in ("balance", "pretrend", "honest", "secondary", "power", "welch"):
        assert {row["outcome_id"] for row in rows_of(out / f"{name}.csv")} == {"o"}, name
    for name in ("group_time", "aggregates", "goodman_bacon", "placebo_pilots", "placebo_summary", "bounds"):
        assert rows_of(out / f"{name}.csv") == [], name
    messages = capsys.readouterr().err
    assert "absent" in messages
    assert "late" in messages


def test_matched_comparators_leave_a_balance_table(tmp_path: Path) -> None:
    assert fitted(tmp_path, some_outcomes().query("outcome_id == 'o'"), comparators="matched") == 0
    assert [row["variable"] for row in rows_of(tmp_path / "out" / "balance.csv")] == ["level", "trend", "log_rows"]
    assert "unused" in {row["arm"] for row in rows_of(tmp_path / "out" / "arms.csv")}


def test_a_panel_whose_only_outcome_cannot_be_estimated_is_exit_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fitted(tmp_path, some_outcomes().query("outcome_id == 'late'")) == 4
    assert "Traceback" not in capsys.readouterr().err


def test_a_faulty_panel_is_exit_4_and_writes_nothing(tmp_path: Path) -> None:
    cells = some_outcomes().astype({"n": object})
    cells.iloc[3, cells.columns.get_loc("n")] = "-1"
    assert fitted(tmp_path, cells) == 4
    assert not (tmp_path / "out" / "estimates.csv").exists()


def test_text_cells_cannot_start_a_formula(tmp_path: Path) -> None:
    cells = some_outcomes().query("outcome_id == 'o'").replace({"unit_id": {"214": "=cmd()"}})
    assert fitted(tmp_path, cells) == 0
    assert "'=cmd()" in {row["unit_id"] for row in rows_of(tmp_path / "out" / "arms.csv")}


def test_the_same_panel_gives_the_same_bytes(tmp_path: Path) -> None:
    cells = some_outcomes()
    contents = []
    for name, order in (("a", cells), ("b", cells.sample(frac=1, random_state=7))):
        folder = tmp_path / name
        folder.mkdir()
        assert fitted(folder, order) == 0
        contents.append([path.read_bytes() for path in sorted((folder / "out").glob("*.csv"))])
    assert contents[0] == contents[1]


@pytest.mark.parametrize("simulated", [True, False])
def test_exported_cells_keep_the_mark_of_simulated_data(tmp_path: Path, simulated: bool) -> None:
    cells = some_outcomes().query("outcome_id == 'o'")
    write_sidecar(tmp_path / "cells.csv", study_id="s", simulated=simulated)
    assert fitted(tmp_path, cells) == 0
    out = tmp_path / "out"
    assert {row["is_simulated"] for row in rows_of(out / "estimates.csv")} == {str(simulated)}
    assert cells_are_simulated(out / "cells.csv") is simulated
    assert ("Simulated data" in (out / "report.html").read_text()) is simulated


def test_a_broken_word_beside_the_cells_is_exit_4(tmp_path: Path) -> None:
    (tmp_path / "cells.provenance.json").write_text("{}")
    assert fitted(tmp_path, some_outcomes().query("outcome_id == 'o'")) == 4
