"""The fit step: reads the panel from the lake or a file and writes its estimates. Needs no Spark."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from sos_spark.analysis.bounds import study_bounds
from sos_spark.analysis.study import StudyFit, fit_study
from sos_spark.config.characteristics import with_simulated
from sos_spark.config.study import Study
from sos_spark.errors import InputError
from sos_spark.fit.cells.reading import read_panel
from sos_spark.places import Place, is_same
from sos_spark.steps.cells_file import (
    bounds_beside,
    durations_beside,
    durations_of_lake,
    keep_bounds,
    keep_durations,
)
from sos_spark.steps.collapsed import collapsed_frame, has_table
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.fitted_study import write_fitted_study
from sos_spark.steps.result_tables import write_table
from sos_spark.steps.results import write_result
from sos_spark.steps.returns import returns_of
from sos_spark.steps.simulated import COLUMN, cells_are_simulated, run_is_simulated, truth_file, write_sidecar
from sos_spark.tables import OUTCOME_FLOW, PANEL_BOUNDS, PANEL_CELLS, PANEL_MOMENTS
from sos_spark.tables.results import RESULT_TABLES

SENSITIVITY_FILES = ("sensitivity", "leave_one_out", "placebo_pilots", "placebo_summary", "pretrend", "honest")


def fit(run: Run) -> StepReport:
    """Fits the study's outcomes on the lake's panel and writes the results to the run's folder.

    Files: estimates.csv and .json, sensitivity.csv, bounds.csv, and one for each of `analysis.outcome.TABLES`. An
    outcome with nothing to compare is a row of blanks with its reason, and the run goes on. Where the source is
    simulated, traits of authorities that the study lacks are the simulation's, and the report says so.

    Raises:
        InputError: The lake has no panel of the study, or a faulty one.
    """
    simulated = run_is_simulated(run)
    filled = with_simulated(run.the_study, _simulated_authorities(run))
    cells = panel_frame(run.lake_root, run.the_study)
    durations = durations_of_lake(run.lake_root, run.the_study)
    fitted = fit_study(
        cells,
        filled.study,
        sources=filled.sources,
        durations=durations,
        counted=run.counted,
        processes=run.processes,
    )
    report = _written(fitted, _bounds(run, cells), run.out, simulated=simulated)
    report.facts["simulated"] = list(filled.filled)
    _write_frames({"returns": returns_of(run.lake_root)}, run.out, report)
    write_fitted_study(run, is_simulated=simulated)
    return report


def fit_panel_file(panel_csv: Place, run: Run) -> StepReport:
    """Fits the study's outcomes that a CSV of collapsed cells has; files as `fit`, and the cells, for the report.

    Raises:
        InputError: The file is faulty, or none of its outcomes has anything to compare.
    """
    study, out = run.the_study, run.out
    cells = read_panel(panel_csv)
    durations = durations_beside(panel_csv)
    fitted = fit_study(cells, study, durations=durations, counted=run.counted, processes=run.processes)
    if all(result.fitted is None for result in fitted.results):
        raise fitted.failures[0]
    simulated = cells_are_simulated(panel_csv)
    bounds = study_bounds(cells, study, published=bounds_beside(panel_csv))
    report = _written(fitted, bounds, out, simulated=simulated)
    if not is_same(panel_csv, out / "cells.csv"):
        _write_frames({"cells": _in_order(cells)}, out, report)
        write_sidecar(out / "cells.csv", study_id=study.study_id, simulated=simulated)
        keep_bounds(panel_csv, out / "cells.csv")
        keep_durations(durations, out)
    write_fitted_study(run, is_simulated=simulated)
    return report


def _in_order(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells by what names them, so that the same panel in another order makes the same file."""
    sums = {"n", "y_sum", "y_sumsq"}
    names = [column for column in cells.columns if column not in sums and "__" not in column]
    return cells.sort_values(names, kind="stable", ignore_index=True)


def fit_sensitivity(cells: pd.DataFrame, study: Study, out: Place) -> tuple[pd.DataFrame, StepReport]:
    """Fits what a study's findings hang on, and writes SENSITIVITY_FILES. Returns the specifications.

    Raises:
        InputError: The panel is faulty, or none of its outcomes has anything to compare.
    """
    fitted = fit_study(cells, study)
    if all(result.fitted is None for result in fitted.results):
        raise fitted.failures[0]
    report = StepReport("sensitivity", warnings=list(fitted.warnings))
    _write_frames({name: fitted.files[name] for name in SENSITIVITY_FILES}, out, report)
    return fitted.sensitivity, report


def _simulated_authorities(run: Run) -> list[Mapping[str, Any]]:
    """What a simulated source says of its authorities; nothing where the source is not known to be simulated."""
    path = truth_file(run)
    if path is None:
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return list(content.get("authorities", []))
    except (OSError, ValueError, AttributeError, TypeError):
        raise InputError(
            "The truth of the simulated data cannot be read",
            where=str(path),
            remedy="Simulate the source again",
        ) from None


def _bounds(run: Run, cells: pd.DataFrame) -> pd.DataFrame:
    """Bounds over what is suppressed or missing, as far as the lake counts it."""
    frames = {
        name: collapsed_frame(run.lake_root, table, where={"study_id": run.the_study.study_id})
        for name, table in (("published", PANEL_BOUNDS), ("flow", OUTCOME_FLOW))
        if has_table(run.lake_root, table)
    }
    return study_bounds(cells, run.the_study, **frames)


def panel_frame(lake_root: Place, study: Study) -> pd.DataFrame:
    """Returns the study's cells in the columns of a panel file: moments of continuous covariates are columns."""
    where = {"study_id": study.study_id}
    cells = collapsed_frame(lake_root, PANEL_CELLS, where=where)
    if not study.covariates.continuous or not has_table(lake_root, PANEL_MOMENTS):
        return cells
    moments = collapsed_frame(lake_root, PANEL_MOMENTS, where=where)
    keys = list(PANEL_CELLS.key)
    wide = moments.astype({"value": float}).pivot(index=keys, columns="moment", values="value").reset_index()
    return cells.merge(wide, on=keys, how="left", validate="one_to_one")


def _written(fitted: StudyFit, bounds: pd.DataFrame, out: Place, *, simulated: bool) -> StepReport:
    """Writes the frames; numbers as shortest round-trip doubles, blank where not known, text guarded.

    Estimates say of themselves whether they come from simulated returns.
    """
    report = StepReport("fit", warnings=list(fitted.warnings), facts={COLUMN: simulated})
    estimates = fitted.estimates.assign(**{COLUMN: simulated})
    _write_frames({**fitted.files, "estimates": estimates, "bounds": bounds}, out, report)
    records = [_plain(row) for row in estimates.to_dict(orient="records")]
    write_result(out / "estimates.json", json.dumps(records, indent=1, allow_nan=False) + "\n")
    return report


def _write_frames(frames: Mapping[str, pd.DataFrame], out: Place, report: StepReport) -> None:
    for name, frame in frames.items():
        table = RESULT_TABLES[name]
        report.rows[table.file_name] = write_table(out, table, frame)


def _plain(row: Mapping[Any, Any]) -> dict[str, object]:
    """A row for JSON, which has no NaN (null here) and no infinity (text here)."""

    def value_of(value: Any) -> object:
        if isinstance(value, float) and not math.isfinite(value):
            return None if math.isnan(value) else str(value)
        return value

    return {str(name): value_of(value) for name, value in row.items()}
