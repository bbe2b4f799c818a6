"""CSV that a spreadsheet opens as text."""

import pandas as pd
import pytest

from sos_spark.steps.guarded_csv import guarded_csv, guarded_text


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd|x", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1+1"])
def test_text_that_would_run_is_defused(text: str) -> None:
    assert guarded_text(text) == "'" + text


@pytest.mark.parametrize("text", ["-12.5", "+3", "-1e-05", "Bath & NES", "", "a=b"])
def test_numbers_and_plain_text_stay(text: str) -> None:
    assert guarded_text(text) == text


def test_numbers_are_never_touched_and_come_back_the_same() -> None:
    value = -0.1 - 0.2

    lines = guarded_csv(pd.DataFrame({"note": ["-x"], "att": [value], "n": [7]})).splitlines()

    assert lines[0] == "note,att,n"
    assert lines[1].startswith("'-x,-0.3")
    assert float(lines[1].split(",")[1]) == value


def test_names_of_columns_are_guarded_too() -> None:
    assert guarded_csv(pd.DataFrame({"=x": [1]})).startswith("'=x\n")


def test_what_is_not_known_is_blank() -> None:
    assert guarded_csv(pd.DataFrame({"a": [None, "b"], "n": [float("nan"), 1.5]})) == "a,n\n,\nb,1.5\n"
