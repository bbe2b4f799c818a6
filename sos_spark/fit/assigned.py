"""Two-way fixed effects, or a staggered estimator, under assignments of go-lives that are given: their att and t."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from sos_spark.config.study import Staggered
from sos_spark.errors import InputError
from sos_spark.fit.estimators import ESTIMATORS, twfe
from sos_spark.fit.inference.assignments import Ints
from sos_spark.fit.inference.kernel import cr1_factor, kernel_of
from sos_spark.fit.inference.randomisation import Estimator
from sos_spark.fit.inference.refits import Refits, blocks_of, course_by_gtime, refits_of
from sos_spark.fit.regression.design import NEVER, TREATED, PreparedPanel, Weights, treatment_regression


def refits_of_assignments(
    panel: PreparedPanel,
    batches: Iterable[Ints],
    *,
    weights: Weights,
    staggered: Staggered | None,
) -> Iterator[Refits]:
    """Yields att and t of the assignments (P, G) of each batch, units in the panel's order, which is sorted.

    By two-way fixed effects where `staggered` is None.
    """
    if staggered is not None:
        scored = ESTIMATORS[staggered].refit(panel, weights=weights)

        def effect(gtime: Ints) -> tuple[float, float]:
            att, scores = scored(gtime)
            return float(att[0]), float(np.linalg.norm(scores[0]))

        for batch in batches:
            yield _each(batch, effect)
        return
    fitted = treatment_regression(panel, weights=weights).moments
    period_of = {f"period_{number}": int(number) for number in panel.periods[1:]}
    if not {TREATED, *period_of} <= set(fitted.names):
        # A period that is one LA's alone has no effect to read the dates from: fit every assignment from the panel.
        for batch in batches:
            yield _each(batch, lambda gtime: _two_way(panel.with_gtime(gtime), weights))
        return
    dates = np.unique(panel.gtime[panel.gtime != NEVER])
    order = range(fitted.n_clusters)
    blocks = blocks_of(fitted, order, TREATED, dates, period_of, int(panel.periods[0]), course_by_gtime(panel))
    root = float(np.sqrt(cr1_factor(fitted)))
    for batch in batches:
        refits = refits_of(blocks, batch)
        yield Refits(att=refits.att, t=refits.t / root)


def _each(batch: Ints, estimator: Estimator) -> Refits:
    """Estimates assignments one by one; NaN where one has no estimate or no standard error."""
    pairs = np.full((len(batch), 2), np.nan)
    for row, gtime in enumerate(batch):
        try:
            att, se = estimator(gtime)
        except InputError:
            continue
        if se > 0:
            pairs[row] = att, att / se
    return Refits(att=pairs[:, 0], t=pairs[:, 1])


def _two_way(panel: PreparedPanel, weights: Weights) -> tuple[float, float]:
    """Returns the two-way fixed effects estimate and its CR1 standard error."""
    kernel = kernel_of(twfe(panel, weights=weights).moments, TREATED)
    return kernel.estimate, kernel.se * float(np.sqrt(kernel.factor))
