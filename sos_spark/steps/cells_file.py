"""What may stand beside a file of collapsed cells.

The bounds of what no cell counts, as `cells.bounds.csv`; grain: one row per outcome, unit, period and reason; the
columns of `panel.bounds` without the study's id. And `durations.csv`, the days of outcomes that are lengths.
"""

from __future__ import annotations

import pandas as pd

from sos_spark.analysis.bounds import UNKNOWN_COLUMNS
from sos_spark.config.study import Study
from sos_spark.errors import InputError
from sos_spark.places import Place
from sos_spark.steps.collapsed import ordered_frame
from sos_spark.steps.result_tables import read_table, write_table
from sos_spark.steps.results import write_result
from sos_spark.tables import OUTCOME_DURATIONS
from sos_spark.tables.results import DURATIONS


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


def durations_of_lake(lake_root: Place, study: Study) -> pd.DataFrame:
    """Returns the days of the study's outcomes that are lengths, as durations.csv; no rows where there are none."""
    frame = ordered_frame(lake_root, OUTCOME_DURATIONS, {"study_id": study.study_id})
    lengths = [outcome.outcome_id for outcome in study.outcomes if outcome.counted_days is not None]
    own = frame[frame["outcome_id"].isin(lengths)]
    return own[list(DURATIONS.column_names)].reset_index(drop=True)


def durations_beside(cells: Place) -> pd.DataFrame:
    """Returns the days in the folder of a file of cells; no rows where it has none.

    Raises:
        InputError: The file is no CSV of them.
    """
    folder = cells.parent
    try:
        frame = read_table(folder, DURATIONS)
        numbers = frame[["period", "days", "n"]].astype(float)
        sound = bool(((numbers >= 0) & (numbers % 1 == 0)).all(axis=None)) and bool(
            frame[["is_concluded", "is_followed"]].isin(["True", "False"]).all(axis=None)
        )
    except ValueError:
        sound = False
    if not sound:
        raise InputError(
            "The days beside the cells cannot be read",
            where=str(folder / DURATIONS.file_name),
            expected=f"CSV with {', '.join(DURATIONS.column_names)}: whole numbers, and True or False",
            remedy="Run the step panel again, or take the file away",
        )
    return frame


def keep_durations(durations: pd.DataFrame, out: Place) -> None:
    """Writes the days beside the cells of a run's results, where there are any."""
    if len(durations):
        write_table(out, DURATIONS, durations)
