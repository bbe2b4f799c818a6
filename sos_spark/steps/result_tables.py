"""A run's tables as files: written and read as `sos_spark.tables.results` declares them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from sos_spark.errors import InputError
from sos_spark.places import Place, n_bytes_of
from sos_spark.steps.guarded_csv import guarded_csv
from sos_spark.steps.results import write_result
from sos_spark.tables.results import ResultTable

_ONE_LINE_FEED = 1
"""Bytes of a file made from a frame without columns."""


def write_table(out: Place, table: ResultTable, frame: pd.DataFrame) -> int:
    """Writes a table's file: shortest round-trip numbers, blank where not known, text guarded. Returns its rows.

    Raises:
        ValueError: The frame lacks a declared column or has another: a fault of the code that made it.
        EnvironmentFaultError: The file cannot be written; an earlier one is then as it was.
    """
    lacking = [name for name in table.required if name not in frame.columns]
    surplus = [str(name) for name in frame.columns if name not in table.column_names]
    if lacking or (surplus and not table.further):
        raise ValueError(f"{table.file_name}: lacks {lacking}, and nothing declares {surplus}")
    write_result(out / table.file_name, guarded_csv(frame if table.further else frame[list(table.column_names)]))
    return len(frame)


def read_table(out: Place, table: ResultTable, *, only: Sequence[str] = ()) -> pd.DataFrame:
    """Returns a table's rows: text columns as text, all others as numbers with NaN for blanks. No file: no rows.

    Args:
        out: The folder of results.
        table: Which file.
        only: The columns that are read, where not all.

    Raises:
        InputError: The file lacks a column.
    """
    path = out / table.file_name
    wanted = tuple(only) or table.column_names
    if not path.exists() or n_bytes_of(path) <= _ONE_LINE_FEED:
        return pd.DataFrame(columns=list(wanted))
    with path.open("rb") as handle:
        header = list(pd.read_csv(handle, nrows=0).columns)
    missing = [name for name in wanted if name not in header and name not in table.optional]
    if missing:
        raise InputError(
            "A file of results lacks columns",
            where=str(path),
            expected=", ".join(missing),
            remedy="Run the step fit again into the same --out",
        )
    kept = [name for name in header if name in wanted]
    with path.open("rb") as handle:
        return pd.read_csv(
            handle,
            usecols=kept,
            dtype={name: str for name in kept if name in table.text_columns},
            keep_default_na=False,
            na_values={name: [""] for name in kept if name not in table.text_columns},
            float_precision="round_trip",
        )
