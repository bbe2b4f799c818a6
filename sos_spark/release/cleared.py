"""What may be written to a release: objects that only this module makes, after it has looked at every value.

A draft says of each column what it is. What is not declared is not released; a count that the profile hides, or that is
no multiple of its base, is refused here whatever was decided before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Literal

import pandas as pd

from sos_spark.config.disclosure import Profile
from sos_spark.errors import DisclosureError

Kind = Literal["label", "constant", "count", "share", "estimate"]
"""Label: a name or word of the plan. Constant: a number of the design, such as how many authorities. Count: of children
or of what happened to them. Share: a quotient of two counts, or a mean. Estimate: of a regression."""
HIDDEN = "[c]"
"""What stands for a hidden number, after the Government Statistical Service's symbols: confidential."""
_SEAL = object()


@dataclass(frozen=True)
class Draft:
    """A table before it is cleared.

    Attributes:
        name: Its file's name.
        title: Its caption.
        kind: Table, or regression for estimates.
        columns: The kind of each column that is to be published, in order.
        frame: The numbers to publish; a hidden one is NaN and stands in `hidden`.
        hidden: Shape of the frame's columns: True where a number is hidden; a NaN that is not is unknown.
        checks: For the checker alone: what stands behind each row or number, the rule and the reason.
        flags: For each rule, the places it hid: row and column of the frame.
    """

    name: str
    title: str
    kind: Literal["table", "regression"]
    columns: Mapping[str, Kind]
    frame: pd.DataFrame
    hidden: pd.DataFrame
    checks: pd.DataFrame
    flags: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)


class Cleared:
    """Something that disclosure control has cleared. Only this module can make one."""

    def __init__(self, name: str, title: str, seal: object) -> None:
        if seal is not _SEAL:
            raise DisclosureError(
                "Something that was not cleared was to be written to a release",
                found=type(self).__name__,
                remedy="Pass it through sos_spark.release.cleared",
            )
        self.name, self.title = name, title


class ClearedTable(Cleared):
    """A cleared table: `text` as published, `numbers` the same as numbers, hidden ones NaN."""

    def __init__(self, draft: Draft, text: pd.DataFrame, numbers: pd.DataFrame, seal: object) -> None:
        super().__init__(draft.name, draft.title, seal)
        self.text, self.numbers, self.kind, self.checks, self.flags = (
            text,
            numbers,
            draft.kind,
            draft.checks,
            draft.flags,
        )
        self.columns, self.n_hidden = dict(draft.columns), int(draft.hidden.to_numpy().sum())


_Tables = tuple[ClearedTable, ...]


class ClearedFigure(Cleared):
    """A figure drawn from cleared tables alone: its files by ending."""

    def __init__(self, name: str, title: str, files: Mapping[str, bytes], made_from: _Tables, seal: object) -> None:
        super().__init__(name, title, seal)
        self.files, self.made_from = dict(files), made_from


class ClearedPage(Cleared):
    """A page made of cleared tables and figures alone."""

    def __init__(self, name: str, title: str, html: str, made_from: _Tables, seal: object) -> None:
        super().__init__(name, title, seal)
        self.html, self.made_from = html, made_from


def clear_table(draft: Draft, profile: Profile) -> ClearedTable:
    """Returns a draft as a cleared table.

    Raises:
        DisclosureError: A count is shown that the profile hides, or one that is not rounded as it asks.
    """
    numbers = draft.frame[list(draft.columns)].copy()
    for column, kind in draft.columns.items():
        if kind == "count":
            _require_counts(numbers[column], draft.name, column, profile)
        elif kind in ("estimate", "share"):
            numbers[column] = [significant(value, profile.estimates.significant_digits) for value in numbers[column]]
    page = numbers.copy()
    for column, kind in draft.columns.items():
        if kind in ("estimate", "share"):
            page[column] = list(map(towards, numbers[column], draft.frame[column]))
    text = pd.DataFrame(
        {
            column: [
                HIDDEN if hidden else written(value)
                for value, hidden in zip(numbers[column], draft.hidden[column], strict=True)
            ]
            for column in draft.columns
        },
        index=numbers.index,
    )
    return ClearedTable(draft, text, page, _SEAL)


def clear_figure(name: str, title: str, files: Mapping[str, bytes], *, made_from: _Tables) -> ClearedFigure:
    """Returns a figure as cleared: `made_from` are the tables that hold all it shows."""
    _require_cleared(made_from)
    return ClearedFigure(name, title, files, made_from, _SEAL)


def clear_page(name: str, title: str, html: str, *, made_from: _Tables) -> ClearedPage:
    """Returns a page as cleared: `made_from` are the tables that hold all it shows."""
    _require_cleared(made_from)
    return ClearedPage(name, title, html, made_from, _SEAL)


def _require_cleared(tables: tuple[object, ...]) -> None:
    if not tables or not all(isinstance(table, ClearedTable) for table in tables):
        raise DisclosureError(
            "A figure or page was to be cleared that is not made from cleared tables",
            remedy="Make it from what clear_table returns",
        )


def _require_counts(column: pd.Series, table: str, name: str, profile: Profile) -> None:
    counts = profile.counts
    for value in column.dropna():
        if value != int(value) or counts.is_sensitive(int(value)) or int(value) % counts.round_to:
            raise DisclosureError(
                "A count is shown that the profile does not allow",
                where=f"{table}, column {name}",
                expected=f"nothing of 1 to {counts.hide_up_to}, multiples of {counts.round_to}",
                remedy="This is a fault of the program: report it, and release nothing of this run",
            )


def significant(value: object, digits: int) -> float:
    """Returns a number to some significant digits; NaN and infinity as they are."""
    number = float(value) if isinstance(value, Real) else math.nan
    if number == 0 or not math.isfinite(number):
        return number
    return round(number, digits - 1 - math.floor(math.log10(abs(number))))


def towards(rounded: float, value: object) -> float:
    """Returns a rounded number moved by a millionth of a millionth towards what it was rounded from.

    Rounded again, as a page does, it then is what its whole value would be: 9.15 is 9.1 where it was 9.149.
    """
    number = float(value) if isinstance(value, Real) else math.nan
    if rounded == number or not (math.isfinite(rounded) and math.isfinite(number)):
        return rounded
    return rounded + math.copysign(abs(rounded) * 1e-12, number - rounded)


def written(value: object) -> str:
    """Returns a cell as text: blank where it is not known."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():  # the end of an endless interval is none
        return str(int(value))
    return str(value)
