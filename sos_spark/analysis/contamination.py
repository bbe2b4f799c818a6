"""Had the comparators some of the programme too? The effect without those, with them as a dose, and bounds.

An estimate is linear in the outcomes. If an exposed LA's rows have the share x of the effect that pilots have, then
what is estimated is not the effect b but b (1 + sum_j x_j s_j), with s_j the estimate of an outcome that is 1 in the
exposed periods of LA j and 0 elsewhere: the same estimator, weights and covariates, and mostly below 0. So

    effect = estimate / (1 + sum_j x_j s_j),

which is the instrumental-variable estimate of the dose, with the pilots as its instrument; an interval for the estimate
is one for the effect in the same way. Since the divisor is linear in the x_j, its ends over everything that they can be
are at their ends, and the bounds are exact. p of 'no effect' is the same at every dose. What this takes for granted:
exposure works as the programme does, in proportion, and from its first whole period on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sos_spark.analysis.secondary.traits import by_unit
from sos_spark.config.exposures import Exposure
from sos_spark.config.study import Inference, Study
from sos_spark.errors import InputError
from sos_spark.fit.cells.prepare import Prepared
from sos_spark.fit.dominance import NEARLY_ONE, is_dominated
from sos_spark.fit.estimators import LinearEstimate, main_estimate
from sos_spark.fit.inference.wild import wild_cluster_interval
from sos_spark.fit.lone_pilot import distribution_of
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.result import DidResult
from sos_spark.fit.thresholds import FEW_TREATED
from sos_spark.tables.results import CONTAMINATION

ALL = "all"
"""In place of a kind: exposures of every kind."""

_NAN = float("nan")
_LEAST_DIVISOR = 0.1
"""With a smaller divisor nearly all of the contrast is gone, and an effect divided by it says nothing."""


@dataclass(frozen=True)
class ExposedUnit:
    """A comparator of the panel: where it is exposed (T,), by how much, and what that may be.

    Of several exposures of a unit, the greatest intensity counts in each period: `given`, `least`, `most` (T,).
    """

    unit_id: str
    given: Array
    least: Array
    most: Array


def exposures_of(study: Study) -> tuple[Exposure, ...]:
    """Returns the declared exposures; practice models are exposures whose intensity is known."""
    models = tuple(
        Exposure(kind="similar_model", la_codes=(model.la_code,), from_=model.from_, intensity=model.intensity)
        for model in study.practice_models
    )
    return (*study.exposures, *models)


def exposed_units(panel: PreparedPanel, exposures: Sequence[Exposure]) -> tuple[ExposedUnit, ...]:
    """Returns the comparators of a panel that are exposed in a period with rows, by unit id."""
    starts = np.array(panel.period_starts, dtype="datetime64[D]")
    declared = by_unit(panel, ((code, exposure) for exposure in exposures for code in exposure.la_codes))
    found = []
    for place, unit in enumerate(panel.unit_ids):
        if panel.is_treated_unit[place] or unit not in declared:
            continue
        given, least, most = (np.zeros(len(starts)) for _ in range(3))
        for exposure in declared[unit]:
            on = (starts >= np.datetime64(exposure.from_, "D")) & (panel.rows[place] > 0)
            low, high = exposure.range
            for dose, value in ((given, exposure.intensity), (least, low), (most, high)):
                np.maximum(dose, value * on, out=dose)
        if most.any():
            found.append(ExposedUnit(unit, given, least, most))
    return tuple(found)


def contamination_frame(main: DidResult, prepared: Prepared, *, study: Study, note: str = "") -> pd.DataFrame:
    """Returns an outcome's effect under its exposures: the columns of contamination.csv.

    Args:
        main: The main result.
        prepared: Its panel.
        study: Declares the exposures.
        note: What is said of every row.

    Returns:
        Grain: one row per kind of exposure (all first) and part. No rows where no comparator of the panel is exposed.
    """
    exposures = exposures_of(study)
    if main.fitted is None or not exposed_units(main.fitted.panel, exposures):
        return pd.DataFrame(columns=list(CONTAMINATION.column_names))
    kinds = list(dict.fromkeys(exposure.kind for exposure in exposures))
    rows = []
    for kind in [ALL, *(kinds if len(kinds) > 1 else ())]:
        own = [exposure for exposure in exposures if kind in (ALL, exposure.kind)]
        exposed = exposed_units(main.fitted.panel, own)
        if exposed:
            named = {"outcome_id": main.outcome_id, "kind": kind, "n_exposed": len(exposed)}
            rows += [
                named | row | {"note": "; ".join(part for part in (note, str(row.get("note", ""))) if part)}
                for row in _parts(main, main.fitted, prepared, exposed, inference=study.inference)
            ]
    return pd.DataFrame(rows, columns=list(CONTAMINATION.column_names))


def _parts(
    main: DidResult,
    estimate: LinearEstimate,
    prepared: Prepared,
    exposed: Sequence[ExposedUnit],
    *,
    inference: Inference,
) -> Iterator[dict[str, object]]:
    interval = _interval(main)
    yield {"part": "as estimated", "att": main.att, "ci_low": interval[0], "ci_high": interval[1], "divisor": 1.0}
    yield _without(prepared.panel, exposed, inference)
    given, ends = _divisors(estimate, exposed)
    yield {"part": "dose", **_scaled(main.att, interval, (given, given))}
    yield {"part": "bounds", **_scaled(main.att, interval, ends), "att": _NAN}


def _divisors(estimate: LinearEstimate, exposed: Sequence[ExposedUnit]) -> tuple[float, tuple[float, float]]:
    """Returns the divisor at the declared doses, and its least and greatest over all that they can be.

    Estimates of doses add up, so that LAs whose dose is known are estimated as one.
    """
    panel = estimate.panel
    known, given, low, high = np.zeros(panel.rows.shape), 1.0, 1.0, 1.0
    for one in exposed:
        place = panel.unit_ids.index(one.unit_id)
        if np.array_equal(one.least, one.most):
            known[place] = one.given
            continue
        ends = []
        for dose in (one.given, one.least, one.most):
            doses = np.zeros(panel.rows.shape)
            doses[place] = dose
            ends.append(_estimate_of(estimate, doses))
        given, low, high = given + ends[0], low + min(ends[1:]), high + max(ends[1:])
    shared = _estimate_of(estimate, known) if known.any() else 0.0
    return given + shared, (low + shared, high + shared)


def _scaled(att: float, interval: tuple[float, float], ends: tuple[float, float]) -> dict[str, object]:
    """Returns the estimate and its interval divided by everything from the least to the greatest divisor."""
    if ends[0] < _LEAST_DIVISOR:
        why = "so much of the comparison would be exposed that the effect cannot be told"
        return {"att": _NAN, "divisor": ends[0], "note": why}
    effects = [att / end for end in ends]
    return {
        "att": effects[0],
        "att_low": min(effects),
        "att_high": max(effects),
        "ci_low": min(interval[0] / end for end in ends),
        "ci_high": max(interval[1] / end for end in ends),
        "divisor": ends[0],
    }


def _without(panel: PreparedPanel, exposed: Sequence[ExposedUnit], inference: Inference) -> dict[str, object]:
    """Returns the effect without the exposed comparators."""
    rest = panel.without({one.unit_id for one in exposed})
    try:
        estimate = main_estimate(rest, weights=inference.weights, staggered=inference.staggered)
    except InputError as error:
        return {"part": "without", "note": error.what}
    att = Sandwich(estimate.moments).estimate(estimate.coefficient)
    if is_dominated(rest, inference.weights):
        return {"part": "without", "att": att, "divisor": 1.0, "note": NEARLY_ONE}
    if rest.n_treated_units > FEW_TREATED:
        drawn = wild_cluster_interval(
            estimate.moments, coefficient=estimate.coefficient, draws=inference.draws, seed=inference.seed
        )
        low, high = drawn.low, drawn.high
    else:
        given = {"permutations": inference.permutations, "seed": inference.seed}
        low, high = distribution_of(estimate, **given, strata=inference.strata).interval()
    return {"part": "without", "att": att, "ci_low": low, "ci_high": high, "divisor": 1.0}


def _interval(result: DidResult) -> tuple[float, float]:
    """Returns the interval of a result's headline."""
    by_ri = result.headline == "p_ri"
    return (result.ci_low_ri, result.ci_high_ri) if by_ri else (result.ci_low_wcr, result.ci_high_wcr)


def _estimate_of(estimate: LinearEstimate, outcome: Array) -> float:
    """Returns the estimate of an outcome (G, T) that is the same in all rows of an LA and period."""
    again = estimate.on(estimate.panel.with_outcome(outcome))
    return Sandwich(again.moments).estimate(again.coefficient)
