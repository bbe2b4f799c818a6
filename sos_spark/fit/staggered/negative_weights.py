"""How much of the weighted two-way fit rests on effects with negative weights.

De Chaisemartin and D'Haultfoeuille (2020, American Economic Review 110(9)): under parallel trends the coefficient of
the treatment is sum_gt W_gt effect_gt over treated LA-periods, W_gt = N_gt e_gt / sum over treated of N_gt e_gt with N
the weight of the rows and e the mean residual of the treatment on LA, period and covariates. Weights add up to 1; some
may be negative, so that the coefficient can have the opposite sign of every effect.
"""

from __future__ import annotations

import numpy as np

from sos_spark.fit.estimators import twfe
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array

_ROUNDING = 1e-12


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
    level = by_name[fitted.coefficient] * panel.treated
    level = level + np.array([by_name.get(f"period_{number}", 0.0) for number in panel.periods])
    z = np.array([by_name.get(name, 0.0) for name in panel.covariates])
    sums = panel.rows * level + panel.z_sum @ z
    sums -= panel.rows * (sums.sum(axis=1) / panel.rows.sum(axis=1))[:, None]
    return np.asarray(panel.row_weight(weights)[:, None] * sums * panel.treated)


def negative_weight_share(panel: PreparedPanel, *, weights: Weights) -> float:
    """Returns the share of negative weights: the sum of |W| where W < 0 over the sum of |W|, from 0 to below 0.5.

    Raises:
        NotEstimableError: Periods and covariates determine the treatment.
    """
    found = two_way_weights(panel, weights=weights)
    found = np.where(np.abs(found) > _ROUNDING * np.abs(found).max(), found, 0.0)
    return float(-found[found < 0].sum() / np.abs(found).sum())
