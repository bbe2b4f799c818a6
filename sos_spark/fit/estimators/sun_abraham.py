"""Sun and Abraham's interaction-weighted average of effects by group and time since go-live."""

from __future__ import annotations

from sos_spark.fit.estimators.base import Estimator, LinearEstimate, Permutations, Words, permuted, register
from sos_spark.fit.inference.effect_distribution import EffectDistribution
from sos_spark.fit.staggered.sun_abraham import sun_abraham_moments
from sos_spark.fit.staggered.sun_abraham_refit import SunAbrahamRefit


def _permute(estimate: LinearEstimate, plan: Permutations) -> EffectDistribution:
    refit = SunAbrahamRefit.of(estimate.panel, weights=estimate.weights).scored
    return permuted(estimate, refit, plan)


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
        permute=_permute,
        takes_covariates=True,
    )
)
