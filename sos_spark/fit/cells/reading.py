"""Reads and checks collapsed cells: one outcome's rows of a panel file or frame, refused with a reason or exact.

Grain: one row per outcome, LA, period and covariate cell. Columns: study_id (optional), outcome_id, unit_id, period
(0-based), period_start (ISO), covariates, n, y_sum, y_sumsq (optional) and, for continuous covariates z and w centred
as the study says, `<z>__sum`, `<z>__<w>__sum` and `<z>__y__sum`. Text keeps its leading zeros. Whole numbers are exact
below 2^53, so sums at or beyond that are refused.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import TextIOWrapper

import numpy as np
import numpy.typing as npt
import pandas as pd

from sos_spark.config.periods import Period
from sos_spark.errors import InputError, shown_list, shown_name
from sos_spark.fit.regression.moments import Array
from sos_spark.places import Place, place_of

Ints = npt.NDArray[np.int64]
Text = npt.NDArray[np.object_]

REQUIRED = ("outcome_id", "unit_id", "period", "period_start", "n", "y_sum")
NOT_A_KEY = frozenset({"study_id", "outcome_id", "unit_id", "period", "period_start", "n", "y_sum", "y_sumsq"})
EXACT_BELOW = 2.0**53
"""Whole numbers from here on are not all doubles."""
_KEYS_BELOW = 2**62
MONTHS: dict[Period, int] = {"month": 1, "quarter": 3, "year": 12}

_NUMBER = r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*"


@dataclass(frozen=True)
class CheckedCells:
    """One outcome's cells, in order of their keys, without those of no rows.

    Shapes (C,): unit_id text; period; n, y_sum; y_sumsq or None where any is missing; each covariate's text, None where
    missing; each moment. `starts` maps every period that occurs to its first day, ascending.
    """

    outcome_id: str
    unit_id: Text
    period: Ints
    starts: dict[int, date]
    n: Array
    y_sum: Array
    y_sumsq: Array | None
    categorical: Mapping[str, Text]
    moments: Mapping[str, Array]
    warnings: tuple[str, ...]


def read_panel(source: pd.DataFrame | str | Place) -> pd.DataFrame:
    """Returns a panel as a frame; a CSV file's cells all as text, blanks as None.

    Raises:
        InputError: The file is missing, empty or no CSV, has a row of another length, or lacks a column.
    """
    frame = source if isinstance(source, pd.DataFrame) else _read_csv(place_of(source))
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        raise InputError(
            "The panel lacks columns",
            expected=", ".join(REQUIRED),
            found="no " + ", ".join(missing),
            remedy="Name the columns as the interface does",
        )
    if frame.empty:
        raise InputError("The panel has no rows", remedy="Check the step that made it")
    return frame


def _read_csv(path: Place) -> pd.DataFrame:
    """Reads a CSV as text, strictly: pandas' own reader takes rows that are too short for rows that end in blanks."""
    try:
        with TextIOWrapper(path.open("rb"), encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle, strict=True)
            header = [name.strip() for name in next(reader, [])]
            if not header:
                raise InputError("The panel file is empty", where=str(path), remedy="Check the step that made it")
            twice = [at for at, name in enumerate(header, start=1) if name in header[: at - 1]]
            if twice:
                declared = (*REQUIRED, *NOT_A_KEY)
                told = shown_list([shown_name(header[at - 1], at, declared) for at in twice])
                raise InputError("The panel names a column twice", where=str(path), found=told)
            columns: list[list[str]] = [[] for _ in header]
            once: dict[str, str] = {}
            for row in filter(None, reader):
                if len(row) != len(header):
                    raise InputError(
                        "A row of the panel file has another length than its header",
                        where=f"{path}, line {reader.line_num}",
                        expected=f"{len(header)} fields",
                        found=str(len(row)),
                    )
                for column, value in zip(columns, row, strict=True):
                    column.append(once.setdefault(value, value))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            "The panel file cannot be read", where=str(path), expected="CSV in UTF-8", found=type(error).__name__
        ) from None
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in zip(header, columns, strict=True)})


def outcomes_in(frame: pd.DataFrame) -> tuple[str, ...]:
    """Returns the outcome ids of a panel, sorted."""
    return tuple(sorted({str(value) for value in frame["outcome_id"].unique() if not _is_blank(value)}))


def units_in(frame: pd.DataFrame, outcome_id: str) -> frozenset[str]:
    """Returns the unit ids of an outcome's cells; blank ones are for the check of the cells to refuse."""
    own = frame.loc[frame["outcome_id"].astype(str) == outcome_id, "unit_id"]
    return frozenset(str(value) for value in own.unique() if not _is_blank(value))


def checked_cells(
    source: pd.DataFrame | str | Place,
    *,
    outcome_id: str,
    period: Period,
    categorical: Sequence[str] = (),
    continuous: Sequence[str] = (),
) -> CheckedCells:
    """Returns the cells of one outcome.

    Args:
        source: The panel.
        outcome_id: Which rows; nothing else says so.
        period: What a period number counts, to check period against period_start.
        categorical: Covariates wanted; those the panel lacks are left out, with a warning.
        continuous: The same, by the name z of their moments.

    Raises:
        InputError: The panel is faulty, or has no rows of the outcome.
    """
    frame = read_panel(source)
    mine = frame["outcome_id"].astype(str) == outcome_id
    if not mine.any():
        raise InputError(
            "The panel has no rows of the outcome",
            expected=outcome_id,
            found=f"{len(outcomes_in(frame)) or 'no'} other outcome_id",
            remedy="Give the outcome the panel's outcome_id in the study file",
        )
    frame = frame[mine.to_numpy()]
    n = _counts(frame, "n")
    y_sum = _numbers(frame, "y_sum")
    period_numbers = _counts(frame, "period").astype(np.int64)
    unit_id = _text(frame, "unit_id")
    if pd.isna(unit_id).any():
        raise _fault("Cells of the panel lack their unit_id", np.asarray(pd.isna(unit_id)))
    key = _keys(frame, unit_id, period_numbers)
    _refuse_duplicates(key)
    starts = _starts(frame, period_numbers, period)
    warnings: list[str] = []
    empty = (n == 0) & (y_sum != 0)
    if empty.any():
        raise _fault("Cells of no rows have a y_sum other than 0", empty)
    _refuse_inexact(n=n, y_sum=y_sum)
    y_sumsq = _sums_of_squares(frame, n, y_sum, warnings)
    _refuse_inexact(y_sumsq=y_sumsq)
    covariates = {name: _text(frame, name) for name in categorical if name in frame.columns}
    # A lake's panel has a column for every covariate there could be, empty where the outcome has none of it.
    covariates = {name: values for name, values in covariates.items() if any(value is not None for value in values)}
    moments = _moments(frame, continuous, n)
    known = {*covariates, *(name.removesuffix("__sum") for name in moments)}
    absent = [name for name in (*categorical, *continuous) if name not in known]
    if absent:
        warnings.append(f"the panel has no values of {', '.join(absent)}: not adjusted for")
    numbers = sorted(starts)
    gaps = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    if gaps:
        warnings.append(f"no unit has rows in period{'s' if len(gaps) > 1 else ''} {', '.join(map(str, gaps))}")
    # One order whatever the order they came in, so that sums that are not exact are the same to the last bit.
    order = np.argsort(key, kind="stable")
    keep = order[n[order] > 0]
    return CheckedCells(
        outcome_id=outcome_id,
        unit_id=unit_id[keep],
        period=period_numbers[keep],
        starts={number: starts[number] for number in numbers},
        n=n[keep],
        y_sum=y_sum[keep],
        y_sumsq=None if y_sumsq is None else y_sumsq[keep],
        categorical={name: values[keep] for name, values in covariates.items()},
        moments={name: values[keep] for name, values in moments.items()},
        warnings=tuple(warnings),
    )


def _fault(what: str, rows: npt.NDArray[np.bool_], *, expected: str = "") -> InputError:
    """An error that counts rows and says where the first is, never what it holds."""
    first = int(np.argmax(rows)) + 1
    return InputError(
        what,
        where=f"first in row {first} of the outcome's cells",
        expected=expected,
        found=f"{int(rows.sum())} of {len(rows)} rows",
        remedy="Mend the panel; it is made by the step `panel`",
    )


def _is_blank(value: object) -> bool:
    return value is None or value == "" or value is pd.NaT or (isinstance(value, float) and value != value)


def _text(frame: pd.DataFrame, name: str) -> Text:
    """Returns a column as text, None where blank; a number read by someone else's CSV reader loses its '.0'."""

    def one(value: object) -> str | None:
        if _is_blank(value) or value is pd.NA:
            return None
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return str(value).strip() or None

    codes, values = pd.factorize(frame[name], use_na_sentinel=True)
    named = np.array([*(one(value) for value in values), None], dtype=object)
    return np.asarray(named[codes], dtype=object)


def _numbers(frame: pd.DataFrame, name: str, *, may_be_blank: bool = False) -> Array:
    """Returns a column as finite doubles, NaN where it may be blank and is."""
    column = frame[name]
    if pd.api.types.is_bool_dtype(column):
        raise _fault(f"Text stands where a number belongs, in {name}", np.ones(len(column), dtype=bool))
    if not pd.api.types.is_numeric_dtype(column):
        # A file's column is text with few distinct values: each is read once. Other objects may only look alike.
        distinct = pd.api.types.infer_dtype(column, skipna=True) == "string"
        codes, given = pd.factorize(column, use_na_sentinel=False) if distinct else (np.arange(len(column)), column)
        text = pd.Series(given, dtype=object)
        text = text.map(lambda value: "" if _is_blank(value) or value is pd.NA else str(value)).astype(str)
        blank = (text.str.strip() == "").to_numpy()
        bad = ~(text.str.fullmatch(_NUMBER).to_numpy(dtype=bool) | blank)
        if bad.any():
            raise _fault(f"Text stands where a number belongs, in {name}", bad[codes], expected="a plain number")
        values = np.array(
            ["nan" if empty else value for value, empty in zip(text, blank, strict=True)], dtype=np.float64
        )[codes]
    else:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    unknown = np.isnan(values)
    if np.isinf(values).any() or (unknown.any() and not may_be_blank):
        raise _fault(f"Numbers are missing or infinite in {name}", ~np.isfinite(values))
    return values


def _counts(frame: pd.DataFrame, name: str) -> Array:
    values = _numbers(frame, name)
    bad = (values < 0) | (values % 1 != 0)
    if bad.any():
        raise _fault(f"{name} is negative or no whole number", bad, expected="0, 1, 2, ...")
    return values


def _sums_of_squares(frame: pd.DataFrame, n: Array, y_sum: Array, warnings: list[str]) -> Array | None:
    if "y_sumsq" not in frame.columns:
        warnings.append("no y_sumsq in the panel: iid and HC1 standard errors stay blank")
        return None
    values = _numbers(frame, "y_sumsq", may_be_blank=True)
    if np.isnan(values).any():
        warnings.append("y_sumsq is not known in every cell: iid and HC1 standard errors stay blank")
    whole = (y_sum % 1 == 0) & (values % 1 == 0) & (values * n < EXACT_BELOW) & (y_sum**2 < EXACT_BELOW)
    slack = np.where(whole, 0.0, 1e-9 * y_sum**2)
    impossible = (values < 0) | (values * n < y_sum**2 - slack)
    if impossible.any():
        raise _fault("y_sumsq is less than it can be", impossible, expected="at least y_sum^2 / n")
    return None if np.isnan(values).any() else values


def _refuse_inexact(**sums: Array | None) -> None:
    for name, values in sums.items():
        if values is not None and np.abs(values).sum() >= EXACT_BELOW:
            raise InputError(
                f"{name} is too large to be exact",
                expected="a total below 2^53",
                remedy="Give y in a larger unit, or centred",
            )


def _keys(frame: pd.DataFrame, unit_id: Text, period: Ints) -> Ints:
    """Returns a number for each cell, in the order of unit, period and every text column; study_id tells nothing apart.

    A cell is known by these, so equal numbers are one cell twice.
    """
    key, size = np.zeros(len(frame), dtype=np.int64), 1
    for part in (unit_id, period, *reversed(_other_keys(frame))):
        codes = pd.factorize(part, sort=True)[0].astype(np.int64) + 1  # 0: blank
        width = int(codes.max()) + 1
        if size * width >= _KEYS_BELOW:
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
            size = int(key.max()) + 1
        key, size = key * width + codes, size * width
    return key


def _refuse_duplicates(key: Ints) -> None:
    again = pd.Series(key).duplicated().to_numpy()
    if again.any():
        raise _fault("The panel has a cell twice", again, expected="one row per unit, period and covariate cell")


def _other_keys(frame: pd.DataFrame) -> list[Text]:
    """Returns the text columns that tell cells apart beside unit and period: covariates, adjusted for or not."""
    names = sorted((name for name in frame.columns if name not in NOT_A_KEY and "__" not in str(name)), key=str)
    return [_text(frame, name) for name in names]


def _starts(frame: pd.DataFrame, period: Ints, kind: Period) -> dict[int, date]:
    """Returns the first day of each period, having checked that the two agree in order and spacing."""
    codes, values = pd.factorize(frame["period_start"], use_na_sentinel=False)
    days = [_day(value) for value in values]
    bad = np.array([day is None for day in days])[codes]
    if bad.any():
        raise _fault("period_start is no date", bad, expected="YYYY-MM-DD")
    once = pd.DataFrame({"period": period, "code": codes}).drop_duplicates().itertuples(index=False)
    pairs = sorted({(int(number), day) for number, code in once if (day := days[code])})
    starts = dict(pairs)
    first_number, first = pairs[0]
    astray = [
        number
        for number, day in pairs
        if (day.year - first.year) * 12 + day.month - first.month != (number - first_number) * MONTHS[kind]
        or day.day != first.day
    ]
    if astray:
        raise InputError(
            "period and period_start disagree in order or spacing",
            where=f"first at period {astray[0]}",
            expected=f"one start a period, a {kind} from each number to the next",
            remedy="Mend the panel, or say in the study file what a period is (window.period)",
        )
    return starts


def _day(value: object) -> date | None:
    if isinstance(value, datetime):  # a pandas Timestamp is one
        return None if _is_blank(value) else value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, np.datetime64):
        return _day(pd.Timestamp(value))
    try:
        return datetime.fromisoformat(str(value).strip()).date()
    except ValueError:
        return None


def _moments(frame: pd.DataFrame, continuous: Sequence[str], n: Array) -> dict[str, Array]:
    """Returns the moment columns of the continuous covariates the panel has, under one name a pair."""
    present = [z for z in continuous if f"{z}__sum" in frame.columns]
    moments: dict[str, Array] = {}
    for place, z in enumerate(present):
        moments[f"{z}__sum"] = _numbers(frame, f"{z}__sum")
        moments[f"{z}__y__sum"] = _numbers(frame, _named(frame, f"{z}__y__sum"))
        for w in present[place:]:
            moments[f"{z}__{w}__sum"] = _numbers(frame, _named(frame, f"{z}__{w}__sum", f"{w}__{z}__sum"))
        squares, first = moments[f"{z}__{z}__sum"], moments[f"{z}__sum"]
        impossible = squares * n < first**2 * (1 - 1e-9) - 1e-6
        if impossible.any():
            raise _fault(f"{z}__{z}__sum is less than it can be", impossible, expected="at least sum^2 / n")
    return moments


def _named(frame: pd.DataFrame, *names: str) -> str:
    for name in names:
        if name in frame.columns:
            return name
    raise InputError(
        "The panel lacks a moment", expected=" or ".join(names), remedy="Give every product of the moments"
    )
