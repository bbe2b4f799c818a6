"""Borusyak, Jaravel and Spiess' imputation: untreated rows say what treated ones would have been."""

from __future__ import annotations

from sos_spark.config.model import Words
from sos_spark.fit.estimators.base import Estimator, LinearEstimate, influence_of_panel, register
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.imputation import Imputation, imputation_moments
from sos_spark.fit.staggered.imputation_refit import ImputationRefit


def _influence(estimate: LinearEstimate) -> Array:
    parts = Imputation.of(estimate.panel, weights=estimate.weights)
    return influence_of_panel(estimate.panel, parts.panel, parts.influence(parts.simple))


imputation = register(
    Estimator(
        name="imputation",
        average="ATT by imputation",
        words=Words(
            "Imputation",
            "each pilot's path without the programme is predicted from rows not yet treated, and the gaps are averaged",
        ),
        moments_of=lambda panel, weights: (imputation_moments(panel, weights=weights), None),
        takes_covariates=True,
        influence_of=_influence,
        refit_of=lambda panel, weights: ImputationRefit.of(panel, weights=weights).scored,
    )
)
