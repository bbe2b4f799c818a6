"""Sun and Abraham's interaction-weighted average of effects by group and time since go-live."""

from __future__ import annotations

from sos_spark.config.model import Words
from sos_spark.fit.estimators.base import Estimator, LinearEstimate, influence_of_panel, register
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.sun_abraham import SunAbraham, sun_abraham_moments
from sos_spark.fit.staggered.sun_abraham_refit import SunAbrahamRefit


def _influence(estimate: LinearEstimate) -> Array:
    fitted = SunAbraham.of(estimate.panel, weights=estimate.weights)
    return influence_of_panel(estimate.panel, fitted.panel, fitted.influence(fitted.simple))


sun_abraham = register(
    Estimator(
        name="sun_abraham",
        average="Interaction-weighted ATT (Sun and Abraham)",
        words=Words(
            "Sun-Abraham",
            "an effect for each group of pilots that started together and each time since, averaged by the groups'"
            " sizes",
        ),
        moments_of=lambda panel, weights: (sun_abraham_moments(panel, weights=weights), None),
        takes_covariates=True,
        influence_of=_influence,
        refit_of=lambda panel, weights: SunAbrahamRefit.of(panel, weights=weights).scored,
    )
)
