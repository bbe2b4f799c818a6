"""The power step: what a study of this design can find, simulated from a panel's own scatter. Needs no Spark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import pandas as pd

from sos_spark.analysis.power import analytic_rows, blank_power, default_effects, simulated_rows
from sos_spark.analysis.variance_components import variance_components
from sos_spark.config.study import Study
from sos_spark.errors import StudyError
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.did import fit_prepared
from sos_spark.places import Place
from sos_spark.steps.context import StepReport
from sos_spark.steps.outcomes import by_outcome
from sos_spark.tables.results import POWER

REPLICATIONS = 500
"""Enough for a share near 80 % to be known to within 2 points (one standard error)."""


def power(
    panel: pd.DataFrame,
    study: Study,
    out: Place,
    *,
    effects: Sequence[float] | None = None,
    replications: int = REPLICATIONS,
    pilots: int | None = None,
    while_step: Callable[[str], AbstractContextManager[list[StepReport]]],
) -> tuple[pd.DataFrame, StepReport]:
    """Computes the power of every outcome of the study that the panel has, and writes power.csv.

    Args:
        panel: Collapsed cells.
        study: The design; its seed decides every draw.
        out: The folder of results.
        effects: In the outcomes' own units; multiples of the smallest effect of interest or of the MDE if none.
        replications: Studies simulated for each outcome.
        pilots: Pilots drawn at random in each simulated study in place of the study's own.
        while_step: Wraps the work on an outcome, for progress.

    Raises:
        InputError: The panel is faulty, or no outcome has anything to compare.
        StudyError: There are not more LAs than pilots asked for.
    """
    return by_outcome(
        panel,
        study,
        out,
        POWER,
        lambda cells, outcome_id: _outcome_power(cells, study, outcome_id, effects, replications, pilots),
        lambda outcome_id, error: blank_power(outcome_id, note=error.what),
        while_step=while_step,
    )


def _outcome_power(
    panel: pd.DataFrame,
    study: Study,
    outcome_id: str,
    effects: Sequence[float] | None,
    replications: int,
    pilots: int | None,
) -> pd.DataFrame:
    design, inference = study.design(outcome_id), study.inference
    prepared = prepare(panel, design)
    n_units = len(prepared.panel.unit_ids)
    if pilots is not None and pilots >= n_units:
        raise StudyError(
            "There are not more authorities than pilots asked for",
            where=f"outcome {outcome_id}",
            expected=f"--pilots below {n_units}",
            found=str(pilots),
            remedy="Ask for fewer, or let more authorities compare",
        )
    result = fit_prepared(prepared, design=design, inference=inference)
    components = variance_components(prepared.panel)
    grid = effects or default_effects(smallest_effect=design.smallest_effect_of_interest, mde=result.mde)
    simulated = simulated_rows(
        prepared.panel, components, grid, inference=inference, replications=replications, pilots=pilots
    )
    return simulated if pilots else pd.concat([analytic_rows(result, components, grid), simulated], ignore_index=True)
