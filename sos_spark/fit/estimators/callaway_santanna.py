"""Callaway and Sant'Anna's simple aggregate of ATT(g,t), against LAs never treated or also against those not yet.

A coefficient of a saturated regression on group-by-period dummies (see `staggered`), without covariates.
"""

from __future__ import annotations

import numpy as np

from sos_spark.config.model import Words
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.estimators.base import Estimator, LinearEstimate, register, unit_panel
from sos_spark.fit.inference.randomisation import EffectEstimator
from sos_spark.fit.regression.design import NEVER, TREATED, Ints, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.staggered.group_time import Control, aggregate, group_time_effects
from sos_spark.fit.staggered.residuals import average_moments
from sos_spark.fit.staggered.simple_refit import SimpleEffect


def _moments(panel: PreparedPanel, weights: Weights, *, control: Control | None) -> ClusterMoments:
    units = unit_panel(panel).weighing(weights)
    effects = group_time_effects(units, control=control)
    if not (effects.event_time >= 0).any():
        raise NotEstimableError(
            "No effect can be measured after go-live",
            expected="comparators with rows after a go-live, and in the period before it",
            remedy="Widen the window, or name other comparators",
        )
    return average_moments(units, effects, {TREATED: aggregate(effects, "simple")["overall"]})


def _refit(panel: PreparedPanel, weights: Weights, *, control: Control | None) -> EffectEstimator:
    effect = SimpleEffect.of(unit_panel(panel).weighing(weights), control=control)

    def scored(gtime: Ints) -> tuple[Array, Array]:
        """Counts go-lives by their period's place among those that have rows, as the aggregate does."""
        return effect.scored(np.where(gtime == NEVER, NEVER, np.searchsorted(panel.periods, gtime)))

    return scored


def _influence(estimate: LinearEstimate, *, control: Control | None) -> Array:
    panel = estimate.panel
    units = unit_panel(panel).weighing(estimate.weights)
    effects = group_time_effects(units, control=control)
    simple = aggregate(effects, "simple")["overall"]
    w = np.zeros_like(panel.rows)
    for (g, t), slope in zip(effects.cells, simple, strict=True):
        members = units.gtime == g
        w[members, t] = slope / units.rows[members, t].sum()
    return w * np.divide(units.rows, panel.rows, out=np.zeros_like(w), where=panel.rows > 0)


cs_simple = register(
    Estimator(
        name="cs_simple",
        average="Simple average of ATT(g,t)",
        words=Words(
            "Callaway-Sant'Anna",
            "each group of pilots against authorities that never started, averaged over groups and periods",
        ),
        moments_of=lambda panel, weights: (_moments(panel, weights, control=None), None),
        takes_covariates=False,
        influence_of=lambda estimate: _influence(estimate, control=None),
        refit_of=lambda panel, weights: _refit(panel, weights, control=None),
    )
)
cs_not_yet = register(
    Estimator(
        name="cs_not_yet",
        average="Simple average of ATT(g,t) against those not yet treated",
        words=Words(
            "Callaway-Sant'Anna, also not-yet-pilots",
            "pilots that had not started yet compare as well, so that more authorities carry the comparison",
        ),
        moments_of=lambda panel, weights: (_moments(panel, weights, control="not_yet"), None),
        takes_covariates=False,
        influence_of=lambda estimate: _influence(estimate, control="not_yet"),
        refit_of=lambda panel, weights: _refit(panel, weights, control="not_yet"),
    )
)
