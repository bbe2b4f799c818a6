"""CSV that opens safely in a spreadsheet: no text cell can start a formula; numbers are never touched."""

from __future__ import annotations

import re

import pandas as pd

_STARTS_A_FORMULA = re.compile(r"^\s*[=+\-@\t\r＝＋－＠]")
_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")


def guarded_text(value: object) -> object:
    """Returns a cell with an apostrophe before text that a spreadsheet would run as a formula.

    Text that is a number stays as it is: it cannot be a formula.
    """
    if isinstance(value, str) and _STARTS_A_FORMULA.match(value) and not _NUMBER.match(value):
        return "'" + value
    return value


def guarded_csv(frame: pd.DataFrame) -> str:
    """Returns a frame as CSV: guarded text, shortest round-trip numbers, blank where not known, line feeds."""
    safe = frame.rename(columns=lambda name: str(guarded_text(str(name))))
    text = [name for name in safe.columns if safe[name].dtype == object]
    safe = safe.assign(**{name: safe[name].map(guarded_text) for name in text})
    csv: str = safe.to_csv(index=False, lineterminator="\n")
    return csv
