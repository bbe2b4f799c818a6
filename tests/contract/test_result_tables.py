"""Every file of a run's results is declared once, and what fits, writes and reads it agrees with the declaration."""

from __future__ import annotations

import ast
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sos_spark.analysis.outcome import TABLES
from sos_spark.analysis.study import FITTED
from sos_spark.errors import InputError
from sos_spark.fit.cells.reading import NOT_A_KEY, REQUIRED
from sos_spark.fit.event_study import EventTime
from sos_spark.fit.result import DidResult
from sos_spark.report.results import Results
from sos_spark.steps.result_tables import read_table, write_table
from sos_spark.tables import COVARIATES, Column, results
from sos_spark.tables.results import CELLS, ESTIMATES, EVENT_STUDY, RESULT_TABLES, ResultTable
from tests.contract.test_declared_tables import wording_faults

ROOT = Path(__file__).resolve().parents[2]


def test_every_column_of_a_file_has_a_plain_meaning() -> None:
    faults = {
        f"{table.file_name}: {column.name}": wording_faults(column)
        for table in RESULT_TABLES.values()
        for column in table.columns
        if wording_faults(column)
    }
    assert faults == {}
    assert all(table.grain and set(table.key) <= set(table.column_names) for table in RESULT_TABLES.values())


def test_one_name_has_one_type_in_every_file() -> None:
    types: dict[str, set[str]] = {}
    for table in RESULT_TABLES.values():
        for column in table.columns:
            types.setdefault(column.name, set()).add({"INT": "BIGINT"}.get(column.type, column.type))
    assert {name: kinds for name, kinds in types.items() if len(kinds) > 1} == {}


def test_every_table_that_is_declared_is_entered() -> None:
    modules = [import_module(f"{results.__name__}.{module.name}") for module in iter_modules(results.__path__)]
    declared = {value.name for module in modules for value in vars(module).values() if isinstance(value, ResultTable)}
    assert declared == set(RESULT_TABLES)


def test_the_documentation_names_every_file_of_a_run() -> None:
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert [table.file_name for table in RESULT_TABLES.values() if f"`{table.file_name}`" not in page] == []


def test_no_other_place_lists_the_columns_of_a_file() -> None:
    """Two thirds of a file's names in one tuple or list of literals are such a list."""
    found = []
    for place in ("analysis", "report", "steps", "cli"):
        for path in sorted((ROOT / "sos_spark" / place).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                elements = node.elts if isinstance(node, ast.Tuple | ast.List) else []
                names = {e.value for e in elements if isinstance(e, ast.Constant) and isinstance(e.value, str)}
                found += [
                    f"{path.name} lists the columns of {table.file_name}"
                    for table in RESULT_TABLES.values()
                    if len(names & set(table.column_names)) > max(4, len(table.columns) * 2 / 3)
                ]
    assert found == []


def test_each_file_of_a_fit_is_made_by_one_function() -> None:
    made = [table.name for table, _ in TABLES]
    beside = {
        "calibration",
        "calibration_switches",
        "estimates",
        "sensitivity",
        "bounds",
        "cells",
        "durations",
        "flow",
        "quality",
        "returns",
        "returns_to_mend",
    }
    assert len(made) == len(set(made))
    assert set(made) | beside == set(RESULT_TABLES)


def test_what_a_fit_knows_of_itself_is_what_estimates_declare() -> None:
    beside = {"arms", "gtimes", "treated_weight_share", "warnings", "inference", "fitted", "permuted", "label", "scale"}
    record = {field.name for field in fields(DidResult)} - beside
    assert record | {"treated_weight_max", "verdict"} == set(FITTED)
    assert set(ESTIMATES.column_names) - set(FITTED) == {"is_simulated"}


def test_an_event_time_is_what_the_event_study_declares() -> None:
    record = {field.name for field in fields(EventTime)} - {"df"}
    assert record | {"outcome_id", "specification"} == set(EVENT_STUDY.column_names)


def test_the_panel_that_a_fit_reads_is_the_one_that_is_declared() -> None:
    assert set(CELLS.required) == set(REQUIRED)
    assert set(CELLS.column_names) - set(COVARIATES) == NOT_A_KEY


def test_what_the_report_reads_is_declared() -> None:
    frames = {field.name for field in fields(Results) if field.type == "pd.DataFrame"}
    assert frames
    assert frames <= set(RESULT_TABLES)


A_TABLE = ResultTable(
    "things",
    "a thing",
    (
        Column("name", "STRING", "Its name"),
        Column("is_new", "BOOLEAN", "Whether it is new"),
        Column("n", "BIGINT", "N"),
    ),
    key=("name",),
)


def test_a_file_is_written_in_the_declared_order_and_read_as_it_was(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": [1.5, np.nan], "name": ["007", ""], "is_new": [True, False]})
    assert write_table(tmp_path, A_TABLE, frame) == 2
    assert (tmp_path / "things.csv").read_text() == "name,is_new,n\n007,True,1.5\n,False,\n"
    read = read_table(tmp_path, A_TABLE)
    assert read.to_dict("list") == {
        "name": ["007", ""],
        "is_new": ["True", "False"],
        "n": [1.5, pytest.approx(np.nan, nan_ok=True)],
    }


@pytest.mark.parametrize("change", [{"n": None}, {"more": 1}])
def test_a_frame_with_other_columns_is_not_written(tmp_path: Path, change: dict[str, Any]) -> None:
    frame = pd.DataFrame({"name": ["a"], "is_new": [True], "n": [1]})
    frame = frame.drop(columns="n") if "n" in change else frame.assign(**change)
    with pytest.raises(ValueError, match=r"things\.csv"):
        write_table(tmp_path, A_TABLE, frame)
    assert not (tmp_path / "things.csv").exists()


def test_a_file_that_lacks_a_column_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "things.csv").write_text("name,n\na,1\n")
    with pytest.raises(InputError) as told:
        read_table(tmp_path, A_TABLE)
    assert told.value.expected == "is_new"


def test_no_file_is_no_rows_with_every_column(tmp_path: Path) -> None:
    assert list(read_table(tmp_path, A_TABLE).columns) == ["name", "is_new", "n"]
    (tmp_path / "things.csv").write_text("\n")
    assert read_table(tmp_path, A_TABLE).empty
