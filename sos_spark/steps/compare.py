"""Two runs compared, from their folders of results alone. Needs neither Spark nor a lake."""

from __future__ import annotations

import pandas as pd

from sos_spark.comparison.differences import Comparison, compare_runs
from sos_spark.comparison.runs import RunFiles
from sos_spark.comparison.words import sections
from sos_spark.errors import InputError
from sos_spark.places import Place, n_bytes_of
from sos_spark.report.page import render_document
from sos_spark.steps.fitted_study import fitted_study
from sos_spark.steps.results import write_result


def compare(before: Place, after: Place) -> Comparison:
    """Returns what differs between two runs, given as their folders of results.

    Raises:
        InputError: A folder holds no results, or none that say which study was fitted.
    """
    return compare_runs(read_run(before), read_run(after))


def read_run(out: Place) -> RunFiles:
    """Returns a run as its folder tells it; a file that the run did not leave is empty. Errors as `compare`."""
    fitted = fitted_study(out)
    return RunFiles(
        name=str(out),
        study=fitted.study,
        is_simulated=fitted.is_simulated,
        made_by=fitted.made_by,
        tables=fitted.tables,
        **{name: _read(out / f"{name}.csv") for name in ("returns", "estimates", "cells", "flow", "quality")},
    )


def _read(path: Place) -> pd.DataFrame:
    """A file as text: numbers are written so that equal doubles are equal text."""
    if not path.exists() or n_bytes_of(path) < 2:
        return pd.DataFrame()
    try:
        with path.open("rb") as handle:
            return pd.read_csv(handle, dtype=str, keep_default_na=False)
    except (OSError, ValueError):
        raise InputError("A file of results cannot be read", where=str(path), remedy="Run the step again") from None


def write_page(comparison: Comparison, path: Place) -> None:
    """Writes the comparison as a page."""
    page = render_document(
        "Two runs compared",
        "What changed between two runs of a study, and what could have changed it.",
        sections(comparison),
        simulated=comparison.is_simulated,
    )
    write_result(path, page)
