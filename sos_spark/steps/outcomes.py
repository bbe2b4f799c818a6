"""A table that is made outcome by outcome, from collapsed cells: those that cannot be had say why, the others go on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pandas as pd

from sos_spark.config.study import Study
from sos_spark.fit.cells.reading import outcomes_in, read_panel
from sos_spark.fit.errors import NotEstimableError
from sos_spark.places import Place
from sos_spark.steps.context import StepReport
from sos_spark.steps.result_tables import write_table
from sos_spark.tables.result_table import ResultTable


def by_outcome(
    panel: pd.DataFrame,
    study: Study,
    out: Place,
    table: ResultTable,
    rows_of: Callable[[pd.DataFrame, str], pd.DataFrame],
    blank_of: Callable[[str, NotEstimableError], pd.DataFrame],
    *,
    while_step: Callable[[str], AbstractContextManager[list[StepReport]]],
) -> tuple[pd.DataFrame, StepReport]:
    """Makes a table's rows of every outcome of the study that the panel has, and writes the table.

    Args:
        panel: Collapsed cells.
        study: Whose outcomes.
        out: The folder of results.
        table: What is written.
        rows_of: The rows of one outcome, from the cells of all.
        blank_of: The row of an outcome that cannot be estimated, and why.
        while_step: Wraps the work on an outcome, for progress.

    Raises:
        InputError: The panel is faulty, or no outcome has anything to compare.
    """
    panel = read_panel(panel)
    present = [outcome_id for outcome_id in study.outcome_ids if outcome_id in set(outcomes_in(panel))]
    report = StepReport(table.name)
    if absent := [outcome_id for outcome_id in study.outcome_ids if outcome_id not in present]:
        report.warnings.append(f"the panel has no rows of {', '.join(absent)}")
    frames, failures = [], []
    for outcome_id in present or study.outcome_ids[:1]:
        with while_step(outcome_id) as shown:
            try:
                frames.append(rows_of(panel, outcome_id))
            except NotEstimableError as error:
                failures.append(error)
                report.warnings.append(f"{outcome_id}: {error.what}")
                frames.append(blank_of(outcome_id, error))
            shown.append(StepReport(table.name, rows={table.file_name: len(frames[-1])}))
    if len(failures) == len(frames):
        raise failures[0]
    frame = pd.concat(frames, ignore_index=True)
    report.rows[table.file_name] = write_table(out, table, frame)
    return frame, report
