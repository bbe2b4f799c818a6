"""What the fit noted, as a reader says it: authorities by name, days as days."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

import pandas as pd

from sos_spark.report.results import Results
from sos_spark.report.words.numbers import day_in_words

_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_UNITS = re.compile(r"(?<=: )\d{3}(?:\+\d{3})*(?:, \d{3}(?:\+\d{3})*)*$")


def in_plain_words(results: Results) -> Results:
    """Returns the results with the notes of every frame in plain words; files keep what the fit wrote."""
    changed: dict[str, Any] = {}
    for field in fields(results):
        frame = getattr(results, field.name)
        if isinstance(frame, pd.DataFrame) and "note" in frame and len(frame):
            said = frame["note"].map(lambda note: plain(results, note) if isinstance(note, str) else note)
            changed[field.name] = frame.assign(note=said)
    return replace(results, **changed)


def plain(results: Results, note: str) -> str:
    """Returns a note with days written out and, at its end, units by their names."""
    named = _UNITS.sub(lambda found: ", ".join(results.name_of(unit) for unit in found[0].split(", ")), note)
    return _DAY.sub(lambda found: day_in_words(found[0]), named)
