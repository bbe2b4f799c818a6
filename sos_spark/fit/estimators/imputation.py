"""Borusyak, Jaravel and Spiess' imputation: untreated rows say what treated ones would have been."""

from __future__ import annotations

from sos_spark.fit.estimators.base import Estimator, LinearEstimate, Permutations, Words, permuted, register
from sos_spark.fit.inference.effect_distribution import EffectDistribution
from sos_spark.fit.staggered.imputation import imputation_moments
from sos_spark.fit.staggered.imputation_refit import ImputationRefit


def _permute(estimate: LinearEstimate, plan: Permutations) -> EffectDistribution:
    refit = ImputationRefit.of(estimate.panel, weights=estimate.weights).scored
    return permuted(estimate, refit, plan)


imputation = register(
    Estimator(
        name="imputation",
        average="ATT by imputation",
        words=Words(
            "Imputation",
            "each pilot's path without the programme is predicted from rows not yet treated, and the gaps are averaged",
        ),
        moments_of=lambda panel, weights: (imputation_moments(panel, weights=weights), None),
        permute=_permute,
        takes_covariates=True,
    )
)
