"""Two-way fixed effects: the coefficient of the treatment beside LA, period and covariate effects.

Under several go-lives some effects may have negative weights (de Chaisemartin and D'Haultfoeuille 2020, American
Economic Review 110(9)): under parallel trends the coefficient is sum_gt W_gt effect_gt over treated LA-periods, W_gt =
N_gt e_gt / sum over treated of N_gt e_gt with N the weight of the rows and e the mean residual of the treatment on LA,
period and covariates. Weights add up to 1; with negative ones it can have the opposite sign of every effect.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sos_spark.config.model import Words
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.estimators.base import Estimator, LinearEstimate, Permutations, register, shares_one_go_live
from sos_spark.fit.inference.effect_distribution import EffectDistribution
from sos_spark.fit.inference.randomisation import go_live_distribution
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import TREATED, PreparedPanel, Regression, Weights, treatment_regression
from sos_spark.fit.regression.moments import Array, ClusterMoments

_ROUNDING = 1e-12


def _moments(panel: PreparedPanel, weights: Weights) -> tuple[ClusterMoments, Regression]:
    regression = treatment_regression(panel, weights=weights)
    if TREATED not in regression.moments.names:
        raise NotEstimableError(
            "The effect cannot be told from periods and covariates",
            expected="periods in which some units are treated and others are not, and both seen before",
            remedy="Add comparators, or take out the covariate that only pilots have",
        )
    return regression.moments, regression


def _permute(estimate: LinearEstimate, plan: Permutations) -> EffectDistribution:
    return go_live_distribution(
        estimate.panel, weights=estimate.weights, permutations=plan.n, seed=plan.seed, strata=plan.strata
    )


def _influence(estimate: LinearEstimate) -> Array:
    panel, regression = estimate.panel, estimate.regression
    names = estimate.moments.names

    def regressor(name: str) -> Array:
        """A regressor by unit and period, (G, T)."""
        if regression is not None and name in regression.effects:
            return regression.effects[name]
        is_period = (panel.periods == int(name.removeprefix("period_"))).astype(np.float64)
        return np.asarray(np.broadcast_to(is_period, panel.rows.shape))

    x = np.stack([regressor(name) for name in names], axis=2)
    x = x - (np.einsum("gt,gtk->gk", panel.rows, x) / panel.rows.sum(axis=1)[:, None])[:, None, :]
    slope = Sandwich(estimate.moments).bread[names.index(estimate.coefficient)]
    return np.asarray(estimate.moments.weight[:, None] * (x @ slope) * (panel.rows > 0))


def _cautions(estimate: LinearEstimate) -> Iterator[str]:
    if estimate.panel.partial is not None:
        yield "periods that contain a go-live count by their share of days; what else is fitted leaves them out"
    if not shares_one_go_live(estimate.panel):
        share = negative_weight_share(estimate.panel, weights=estimate.weights)
        yield f"under several go-lives {abs(share):.1%} of treated rows' weight is negative (share of absolute weight)"


twfe = register(
    Estimator(
        name="twfe",
        average="ATT",
        words=Words(
            "Two-way fixed effects",
            "one average over all pilots and periods, from authority and period effects; misleading where pilots start"
            " at different times and effects grow",
        ),
        moments_of=_moments,
        permute=_permute,
        takes_covariates=True,
        by_dummies=True,
        takes_partial=True,
        influence_of=_influence,
        cautions_of=_cautions,
    )
)


def two_way_weights(panel: PreparedPanel, *, weights: Weights) -> Array:
    """Returns W (G, T) of the fit under these weights, 0 where untreated or without rows; the sum is 1.

    Raises:
        NotEstimableError: Periods and covariates determine the treatment.
    """
    fitted = twfe(panel, weights=weights)
    moments = fitted.moments
    bread = Sandwich(moments).bread[moments.names.index(fitted.coefficient)]
    # A coefficient's weight on a row is its bread times the row's regressors less their LA means.
    by_name = dict(zip(moments.names, bread, strict=True))
    level = by_name[fitted.coefficient] * panel.exposure
    level = level + np.array([by_name.get(f"period_{number}", 0.0) for number in panel.periods])
    z = np.array([by_name.get(name, 0.0) for name in panel.covariates])
    sums = panel.rows * level + panel.z_sum @ z
    sums -= panel.rows * (sums.sum(axis=1) / panel.rows.sum(axis=1))[:, None]
    return np.asarray(panel.row_weight(weights)[:, None] * sums * panel.exposure)


def negative_weight_share(panel: PreparedPanel, *, weights: Weights) -> float:
    """Returns the share of negative weights: the sum of |W| where W < 0 over the sum of |W|, from 0 to below 0.5.

    Raises:
        NotEstimableError: Periods and covariates determine the treatment.
    """
    found = two_way_weights(panel, weights=weights)
    found = np.where(np.abs(found) > _ROUNDING * np.abs(found).max(), found, 0.0)
    return float(-found[found < 0].sum() / np.abs(found).sum())
