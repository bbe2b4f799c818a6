"""The calibrate step: how reliable each method is on a study's own design, by simulation. Needs no Spark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pandas as pd

from sos_spark.analysis.calibration import Scatter, calibrate, conditions
from sos_spark.analysis.declared import MAIN
from sos_spark.analysis.switches import blank_row, switch_rows
from sos_spark.config.study import Study
from sos_spark.errors import StudyError
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.did import fit_prepared
from sos_spark.fit.errors import NotEstimableError
from sos_spark.places import Place
from sos_spark.steps.context import StepReport
from sos_spark.steps.outcomes import by_outcome
from sos_spark.tables.results import CALIBRATION, CALIBRATION_SWITCHES, ResultTable

REPLICATIONS = 500
"""Enough for a size of 5 % to be known to within 1 point (one standard error)."""


def calibrate_study(
    panel: pd.DataFrame,
    study: Study,
    out: Place,
    *,
    effects: Sequence[float] | None = None,
    replications: int = REPLICATIONS,
    while_step: Callable[[str], AbstractContextManager[list[StepReport]]],
) -> tuple[pd.DataFrame, StepReport]:
    """Simulates studies of every outcome that the panel has, and writes calibration.csv.

    Args:
        panel: Collapsed cells.
        study: The design; its seed decides every draw.
        out: The folder of results.
        effects: In the outcomes' own units, beside no effect; the smallest of interest, or the least detectable, if
            none.
        replications: Studies simulated for each outcome.
        while_step: Wraps the work on an outcome, for progress.

    Raises:
        InputError: The panel is faulty, or no outcome has anything to compare.
    """

    def one(cells: pd.DataFrame, outcome_id: str) -> pd.DataFrame:
        design, inference = study.design(outcome_id), study.inference
        prepared = prepare(cells, design)
        result = fit_prepared(prepared, design=design, inference=inference)
        bound = design.smallest_effect_of_interest
        grid = effects or [effect for effect in (result.mde if bound is None else bound,) if not np.isnan(effect)]
        scatter = Scatter.of(prepared.panel, seed=inference.seed)
        rates = calibrate(
            prepared.panel, scatter, grid, inference=inference, replications=replications, smallest_effect=bound
        )
        common = {"outcome_id": outcome_id} | conditions(result, scatter)
        return _frame(
            CALIBRATION,
            [
                {"measure": rate.measure, "method": rate.method, "effect": rate.effect, "share": rate.value,
                 "mc_se": rate.mc_se, "replications": rate.replications, "holds": rate.holds} | common
                for rate in rates
            ]
        )  # fmt: skip

    def blank(outcome_id: str, error: NotEstimableError) -> pd.DataFrame:
        counts = dict.fromkeys(("replications", "n_clusters", "n_treated_clusters"), 0)
        return _frame(CALIBRATION, [{"outcome_id": outcome_id, "note": error.what, **counts}])

    return by_outcome(panel, study, out, CALIBRATION, one, blank, while_step=while_step)


def calibrate_switches(
    panel: pd.DataFrame,
    study: Study,
    out: Place,
    *,
    asked: Mapping[str, Sequence[float]],
    replications: int = REPLICATIONS,
    while_step: Callable[[str], AbstractContextManager[list[StepReport]]],
) -> tuple[pd.DataFrame, StepReport]:
    """Simulates studies of each way of doing the sums, and writes calibration_switches.csv.

    Args:
        panel: Collapsed cells.
        study: The design; its seed decides every draw.
        out: The folder of results.
        asked: Effects by outcome, in its own unit, beside none. Each way of these outcomes is simulated, of the others
            main alone; where an outcome has no effects of its own, at its smallest effect of interest.
        replications: Studies simulated for each way.
        while_step: Wraps the work on an outcome, for progress.

    Raises:
        StudyError: An outcome asked about is not the study's.
        InputError: The panel is faulty, or no outcome has anything to compare.
    """
    if unknown := sorted(set(asked) - set(study.outcome_ids)):
        raise StudyError(
            "Outcomes asked about are not the study's",
            expected=", ".join(study.outcome_ids),
            found=", ".join(unknown),
        )

    def one(cells: pd.DataFrame, outcome_id: str) -> pd.DataFrame:
        return _frame(
            CALIBRATION_SWITCHES, list(switch_rows(cells, study, outcome_id, asked, replications=replications))
        )

    def blank(outcome_id: str, error: NotEstimableError) -> pd.DataFrame:
        return _frame(CALIBRATION_SWITCHES, [blank_row(outcome_id, MAIN, error.what)])

    return by_outcome(panel, study, out, CALIBRATION_SWITCHES, one, blank, while_step=while_step)


def _frame(table: ResultTable, rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(table.column_names))
