"""How reliable each way of doing the sums is: what the headline rule comes to in simulated studies, way by way.

Of an outcome that is asked about every linear specification that the study declares is calibrated on its own panel, at
the effects asked about; of the others the main one, at its smallest effect of interest. A share cannot fall below 0, so
where `baseline_mean` is smaller than a planted fall, less is planted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from sos_spark.analysis.calibration import Rate, Scatter, calibrate, conditions
from sos_spark.analysis.declared import MAIN, Specification, main_specification, specifications
from sos_spark.analysis.specification import prepared_panel
from sos_spark.config.study import Study
from sos_spark.errors import SosError
from sos_spark.fit.did import fit_prepared

Row = dict[str, Any]


def ways_of(study: Study, outcome_id: str, *, every: bool) -> list[Specification]:
    """Returns the main specification and, with `every`, the other linear ones that use all periods."""
    others = specifications(study, outcome_id) if every else ()
    linear = [one for one in others if one.estimator == MAIN and one.before is None]
    return [main_specification(study, outcome_id), *linear]


def switch_rows(
    panel: pd.DataFrame, study: Study, outcome_id: str, asked: Mapping[str, Sequence[float]], *, replications: int
) -> Iterator[Row]:
    """Yields an outcome's rows, by column, the conditions of `calibration.conditions` among them.

    Args:
        panel: Collapsed cells.
        study: The design; its seed decides every draw.
        outcome_id: An outcome of the panel.
        asked: Effects by outcome, in its own unit; an outcome with none of its own is simulated at its smallest effect
            of interest.
        replications: Studies simulated for each specification.

    Raises:
        SosError: `main` cannot be estimated. Another specification that cannot is a row whose note says why.
    """
    present = set(panel["outcome_id"])
    for way in ways_of(study, outcome_id, every=outcome_id in asked):
        if way.panel_outcome_id not in present:
            continue
        try:
            yield from _rows_of(panel, way, asked.get(outcome_id, ()), replications=replications)
        except SosError as error:
            if way.name == MAIN:
                raise
            yield blank_row(outcome_id, way.name, error.what)


def blank_row(outcome_id: str, specification: str, note: str) -> Row:
    """Returns the row of a specification of which nothing can be simulated."""
    counts = dict.fromkeys(("n_rows", "n_clusters", "n_treated_clusters", "replications"), 0)
    return {"outcome_id": outcome_id, "specification": specification, "note": note, **counts}


def _rows_of(panel: pd.DataFrame, way: Specification, effects: Sequence[float], *, replications: int) -> Iterator[Row]:
    design, inference = way.design, way.inference
    bound = design.smallest_effect_of_interest
    prepared = prepared_panel(panel, way)
    result = fit_prepared(prepared, design=design, inference=inference)
    scatter = Scatter.of(prepared.panel, seed=inference.seed)
    grid = tuple(effects) or ((bound,) if bound is not None else ())
    rates = calibrate(
        prepared.panel, scatter, grid, inference=inference, replications=replications, smallest_effect=bound
    )
    found = {(rate.measure, rate.effect): rate for rate in rates if rate.method == "headline"}
    common = conditions(result, scatter)
    for effect in dict.fromkeys((0.0, *grid)):
        yield {"outcome_id": design.outcome_id, "specification": way.name} | _rates(found, effect) | common


def _rates(found: Mapping[tuple[str, float], Rate], effect: float) -> Row:
    reported = found["power" if effect else "size", effect]
    return {
        "effect": effect,
        "reported": reported.value,
        "mc_se": reported.mc_se,
        "rated_strong": found["strong", effect].value,
        "coverage": found["coverage", effect].value,
        "replications": reported.replications,
    }
