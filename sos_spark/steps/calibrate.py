"""The calibrate step: how reliable each method is on a study's own design, by simulation. Needs no Spark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pandas as pd

from sos_spark.analysis.calibration import Scatter, calibrate
from sos_spark.config.study import Study
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.did import fit_prepared
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.result import DidResult
from sos_spark.places import Place
from sos_spark.steps.context import StepReport
from sos_spark.steps.outcomes import by_outcome
from sos_spark.tables.results import CALIBRATION

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
        common = _conditions(result, scatter)
        return _frame(
            [
                {"measure": rate.measure, "method": rate.method, "effect": rate.effect, "share": rate.value,
                 "mc_se": rate.mc_se, "replications": rate.replications, "holds": rate.holds} | common
                for rate in rates
            ]
        )  # fmt: skip

    def blank(outcome_id: str, error: NotEstimableError) -> pd.DataFrame:
        counts = dict.fromkeys(("replications", "n_clusters", "n_treated_clusters"), 0)
        return _frame([{"outcome_id": outcome_id, "note": error.what, **counts}])

    return by_outcome(panel, study, out, CALIBRATION, one, blank, while_step=while_step)


def _conditions(result: DidResult, scatter: Scatter) -> dict[str, object]:
    """Returns what every row of an outcome says of the design that was simulated."""
    shock, carried = (np.quantile(part, [0.025, 0.975]) for part in (scatter.sd_shock, scatter.autocorrelation))
    notes = [scatter.estimated.note, "covariates left out" if result.adjusted_for else ""]
    return {
        "outcome_id": result.outcome_id,
        "sd_shock": scatter.estimated.sd_shock,
        "sd_shock_low": float(shock[0]),
        "sd_shock_high": float(shock[1]),
        "autocorrelation": scatter.estimated.autocorrelation,
        "autocorrelation_low": float(carried[0]),
        "autocorrelation_high": float(carried[1]),
        "n_clusters": result.n_clusters,
        "n_treated_clusters": result.n_treated_clusters,
        "treated_weight_max": result.treated_weight_max,
        "leverage_max": result.leverage_max,
        "effective_clusters": result.effective_clusters,
        "note": "; ".join(filter(None, notes)),
    }


def _frame(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(CALIBRATION.column_names))
