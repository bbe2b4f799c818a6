"""Whether a run's numbers come from simulated returns, and where the truth of the simulation is.

The mark is the data's: of the lake's returns and of the tables made from them, then of the files of results. No option
of a command takes it away.
"""

from __future__ import annotations

import json
from typing import Any

from sos_spark.config.simulated import TRUTH_FILE
from sos_spark.config.study import Study
from sos_spark.errors import InputError
from sos_spark.places import Place
from sos_spark.steps.context import Run
from sos_spark.steps.results import write_result
from sos_spark.tables import PANEL_CELLS

COLUMN = "is_simulated"
"""The column of estimates.csv that says it."""


def run_is_simulated(run: Run) -> bool:
    """Returns whether the run's results come from simulated returns: its lake's, or its source's."""
    if truth_file(run) is not None:
        return True
    return run.environment.lake is not None and panel_is_simulated(run.lake_root, run.the_study)


def panel_is_simulated(lake_root: Place, study: Study) -> bool:
    """Returns whether a study's cells in a lake come from simulated returns. Outcomes of published tables do not."""
    from sos_spark.lake.simulated import holds_simulated, is_marked

    return _needs_records(study) and (holds_simulated(lake_root) or is_marked(lake_root, PANEL_CELLS))


def _needs_records(study: Study) -> bool:
    return any(outcome.is_from_records for outcome in study.outcomes)


def truth_file(run: Run) -> Place | None:
    """Returns the truth of the simulation: the source's, the lake's, or that beside the results, else None.

    A source that has none is real, whatever an earlier one left beside the results.
    """
    if not _needs_records(run.the_study):
        return None
    folders = [run.environment.source, run.environment.lake]
    if run.environment.source is None:
        folders.append(run.environment.out)
    found = (folder / TRUTH_FILE for folder in folders if folder is not None)
    return next((path for path in found if path.exists()), None)


def keep_truth(run: Run) -> None:
    """Keeps the truth of a simulated source beside the tables made from it."""
    given = run.source / TRUTH_FILE
    if given.exists():
        write_result(run.lake_root / TRUTH_FILE, given.read_bytes())


def sidecar_of(cells: Place) -> Place:
    """Returns the file beside exported cells that says what their columns do not."""
    return cells.with_suffix(".provenance.json")


def write_sidecar(cells: Place, *, study_id: str, simulated: bool) -> None:
    """Writes what exported cells are made from."""
    content = {"study_id": study_id, COLUMN: simulated}
    write_result(sidecar_of(cells), json.dumps(content, indent=1) + "\n")


def cells_are_simulated(cells: Place) -> bool:
    """Returns whether exported cells say that they come from simulated returns.

    Raises:
        InputError: What stands beside them cannot be read.
    """
    path = sidecar_of(cells)
    if not path.exists():
        return False
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return bool(content[COLUMN])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            "What stands beside the cells cannot be read",
            where=str(path),
            expected=f"JSON with {COLUMN}",
            remedy="Export the cells again, with their .provenance.json",
        ) from None
