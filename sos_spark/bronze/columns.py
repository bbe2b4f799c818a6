"""Finding a module's fields among the columns of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sos_spark.bronze.fault import SourceError
from sos_spark.bronze.modules import NEVER_STORED, shown_names


@dataclass(frozen=True)
class Columns:
    """Where a module's fields stand in a file: an index a field, in the module's order; None: absent."""

    positions: tuple[int | None, ...]
    unknown: tuple[str, ...]
    absent: tuple[str, ...]


def find_columns(names: Sequence[str], fields: Sequence[str], *, required: Sequence[str]) -> Columns:
    """Finds fields among a file's column names, whatever their case.

    Raises:
        SourceError: A required column is missing, or a name occurs twice.
    """
    at: dict[str, int] = {}
    for index, name in enumerate(names):
        key = name.strip().casefold()
        if key and key in at:
            raise SourceError("The header has a column twice", found=shown_names([name.strip()]))
        at[key] = index
    missing = [name for name in required if name.casefold() not in at]
    if missing:
        raise SourceError("The file lacks required columns, or its header", expected=", ".join(missing))
    known = {field.casefold() for field in fields} | NEVER_STORED
    return Columns(
        positions=tuple(at.get(field.casefold()) for field in fields),
        unknown=tuple(name.strip() for name in names if name.strip() and name.strip().casefold() not in known),
        absent=tuple(field for field in fields if field.casefold() not in at),
    )
