"""Finding a module's fields among the columns of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sos_spark.bronze.fault import SourceError
from sos_spark.bronze.fields import DECLARED, NEVER_STORED
from sos_spark.errors import shown_name

MAX_COLUMNS = 2_000
"""No return has near as many; Spark's CSV reader ends at 20,480 columns, without the file's name."""


@dataclass(frozen=True)
class Columns:
    """Where a module's fields stand in a file.

    `positions` has an index for each field, in the module's order, None where it is absent. `unknown` is what may be
    said of each column the module does not know; `absent` names the fields the file lacks.
    """

    positions: tuple[int | None, ...]
    unknown: tuple[str, ...]
    absent: tuple[str, ...]


def find_columns(names: Sequence[str], fields: Sequence[str], *, required: Sequence[str]) -> Columns:
    """Finds fields among a file's column names, whatever their case.

    Raises:
        SourceError: A required column is missing, a name occurs twice, or there are too many columns.
    """
    if len(names) > MAX_COLUMNS:
        raise SourceError("The file has too many columns", expected=f"at most {MAX_COLUMNS}", found=str(len(names)))
    at: dict[str, int] = {}
    for index, name in enumerate(names):
        key = name.strip().casefold()
        if key and key in at:
            first, again = at[key] + 1, index + 1
            told = shown_name(name, again, DECLARED)
            which = f"columns {first} and {again}" + ("" if told.startswith("column ") else f", {told}")
            raise SourceError("The header has a column twice, or the file has no header", found=which)
        at[key] = index
    missing = [name for name in required if name.casefold() not in at]
    if missing:
        raise SourceError("The file lacks required columns, or its header", expected=", ".join(missing))
    known = {field.casefold() for field in fields} | NEVER_STORED
    return Columns(
        positions=tuple(at.get(field.casefold()) for field in fields),
        unknown=tuple(
            shown_name(name, index + 1, DECLARED)
            for index, name in enumerate(names)
            if name.strip() and name.strip().casefold() not in known
        ),
        absent=tuple(field for field in fields if field.casefold() not in at),
    )
