"""Bad panels through the command: exit 4, one paragraph that says what is wrong, nothing written, no traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sos_spark.cli.main import main
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
[covariates]
categorical = ["sex"]
{covariates}
[inference]
draws = 499
permutations = 99
"""

Change = Callable[[pd.DataFrame], pd.DataFrame]


def by_sex() -> pd.DataFrame:
    cells = some_cells()
    return pd.concat([cells.assign(sex="female"), cells.assign(sex="male")], ignore_index=True)


def at(row: int, **values: object) -> Change:
    def change(cells: pd.DataFrame) -> pd.DataFrame:
        changed = cells.astype(object)
        for column, value in values.items():
            changed.loc[row, column] = value
        return changed

    return change


def fit(folder: Path, text: str | bytes | None, *, covariates: str = "", pilots: range = range(201, 207)) -> int:
    """Runs the command on a file of that text; None: there is no file."""
    given = "\n".join(f'[[pilots]]\nla_code = "{code}"\ngo_live = 2014-01-01' for code in pilots)
    (folder / "study.toml").write_text(STUDY.format(pilots=given, covariates=covariates))
    if text is not None:
        (folder / "cells.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    paths = {"--study": "study.toml", "--panel": "cells.csv", "--out": "out"}
    return main(["fit", *(part for option, name in paths.items() for part in (option, str(folder / name)))])


def refused(folder: Path, capsys: pytest.CaptureFixture[str], code: int, *, said: str) -> None:
    told = capsys.readouterr()
    assert code == 4
    assert said in told.err
    assert told.err.startswith("error: ")
    assert told.err.count("\n") == 1
    assert "Traceback" not in told.err
    assert told.out == ""
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(at(5, n=-4), "n is negative or no whole number", id="negative n"),
        pytest.param(at(5, n="4.5"), "n is negative or no whole number", id="half a row"),
        pytest.param(at(5, y_sumsq=1, y_sum=30), "y_sumsq is less than it can be", id="impossible squares"),
        pytest.param(at(5, y_sum="twelve"), "Text stands where a number belongs, in y_sum", id="text"),
        pytest.param(at(5, n="1e999"), "missing or infinite in n", id="beyond doubles"),
        pytest.param(at(5, n=""), "missing or infinite in n", id="blank"),
        pytest.param(at(5, n="0x10"), "Text stands where a number belongs, in n", id="hexadecimal"),
        pytest.param(at(5, n="1_000"), "Text stands where a number belongs, in n", id="underscore"),
        pytest.param(at(5, n="١٢"), "Text stands where a number belongs, in n", id="other digits"),
        pytest.param(at(5, period="first"), "Text stands where a number belongs, in period", id="period as text"),
        pytest.param(at(5, period_start="2013-13-01"), "period_start is no date", id="no such month"),
        pytest.param(at(5, period_start="2013-04-02"), "disagree in order or spacing", id="inside a period"),
        pytest.param(at(5, unit_id=""), "lack their unit_id", id="no unit"),
        pytest.param(lambda c: pd.concat([c, c.iloc[[7]]]), "a cell twice", id="duplicated cell"),
        pytest.param(lambda c: c[c["period"] >= 3], "No treated unit has rows before go-live", id="no pre-period"),
        pytest.param(lambda c: c[c["period"] < 3], "No treated unit has rows from go-live on", id="no post-period"),
        pytest.param(lambda c: c[c["unit_id"] > "206"], "no treated unit", id="no treated unit"),
        pytest.param(lambda c: c[c["unit_id"] <= "206"], "No unit of the panel can compare", id="no comparator"),
        pytest.param(
            lambda c: c[(c["unit_id"] != "202") | (c["period"] < 3)], "202", id="a treated unit missing on one side"
        ),
        pytest.param(lambda c: c[c["unit_id"] != "202"], "202", id="a treated unit missing"),
        pytest.param(at(5, sex="not recorded"), "sex: not recorded", id="a level in one unit only"),
        pytest.param(lambda c: c.drop(columns="period_start"), "lacks columns", id="no period_start"),
        pytest.param(lambda c: c.assign(outcome_id="other"), "none of the study's outcomes", id="another outcome"),
    ],
)
def test_a_bad_panel(change: Change, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = fit(tmp_path, change(by_sex()).to_csv(index=False))
    refused(tmp_path, capsys, code, said=said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "The panel file is empty", id="empty"),
        pytest.param("\n\n", "The panel file is empty", id="blank lines"),
        pytest.param("outcome_id,unit_id,period,period_start,n,y_sum\n", "no rows", id="header only"),
        pytest.param("<?xml version='1.0'?>\n<cells/>\n", "lacks columns", id="XML"),
        pytest.param(b"PK\x03\x04\xff\xfe", "cannot be read", id="a spreadsheet"),
        pytest.param(None, "cannot be read", id="no file"),
    ],
)
def test_no_panel(text: str | bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(tmp_path, capsys, fit(tmp_path, text), said=said)


@pytest.mark.parametrize("rule", ["merge", "drop"])
def test_a_level_in_one_unit_only_may_be_merged_or_dropped(rule: str, tmp_path: Path) -> None:
    cells = at(5, sex="not recorded")(by_sex()).to_csv(index=False)
    assert fit(tmp_path, cells, covariates=f'lone_levels = "{rule}"') == 0


def test_a_message_quotes_no_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = fit(tmp_path, at(5, y_sum="Jane Doe")(by_sex()).to_csv(index=False))
    assert code == 4
    assert "Jane" not in capsys.readouterr().err
