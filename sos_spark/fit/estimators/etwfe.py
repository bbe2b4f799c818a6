"""Wooldridge's extended two-way fixed effects: an effect for each group of pilots and period, averaged."""

from __future__ import annotations

from sos_spark.config.model import Words
from sos_spark.fit.estimators.base import Estimator, LinearEstimate, influence_of_panel, register
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.etwfe import Etwfe, etwfe_moments
from sos_spark.fit.staggered.etwfe_refit import EtwfeRefit


def _influence(estimate: LinearEstimate) -> Array:
    fitted = Etwfe.of(estimate.panel, weights=estimate.weights)
    return influence_of_panel(estimate.panel, fitted.panel, fitted.influence(fitted.simple))


etwfe = register(
    Estimator(
        name="etwfe",
        average="ATT by extended two-way fixed effects (Wooldridge)",
        words=Words(
            "Extended two-way fixed effects",
            "authority and period effects with an effect for each group of pilots and each period since their start,"
            " averaged over the pilots' rows",
        ),
        moments_of=lambda panel, weights: (etwfe_moments(panel, weights=weights), None),
        takes_covariates=True,
        influence_of=_influence,
        refit_of=lambda panel, weights: EtwfeRefit(panel, weights).scored,
    )
)
