"""What may stand beside a file of collapsed cells: the bounds of what no cell counts, as `cells.bounds.csv`.

Grain: one row per outcome, unit, period and reason; the columns of `panel.bounds` without the study's id.
"""

from __future__ import annotations

import pandas as pd

from sos_spark.analysis.bounds import UNKNOWN_COLUMNS
from sos_spark.errors import InputError
from sos_spark.places import Place
from sos_spark.steps.results import write_result


def bounds_file_of(cells: Place) -> Place:
    """Returns the file beside exported cells that holds the bounds of what they do not count."""
    return cells.with_suffix(".bounds.csv")


def bounds_beside(cells: Place) -> pd.DataFrame | None:
    """Returns the bounds beside a file of cells; None where there are none.

    Raises:
        InputError: The file is no CSV of bounds.
    """
    path = bounds_file_of(cells)
    if not path.exists():
        return None
    numbers = dict.fromkeys(("n", "y_low", "y_high"), "Float64")
    try:
        with path.open("rb") as handle:
            frame = pd.read_csv(handle, dtype={"outcome_id": "str", "unit_id": "str", "reason": "str", **numbers})
        return frame[list(UNKNOWN_COLUMNS)]
    except (OSError, ValueError, KeyError):
        raise InputError(
            "The bounds beside the cells cannot be read",
            where=str(path),
            expected=f"CSV with {', '.join(UNKNOWN_COLUMNS)}",
            remedy="Export the cells again, or take the file away",
        ) from None


def keep_bounds(cells: Place, kept: Place) -> None:
    """Copies the bounds beside one file of cells to another, which the same command fits again from."""
    source = bounds_file_of(cells)
    if source.exists():
        write_result(bounds_file_of(kept), source.read_bytes())
