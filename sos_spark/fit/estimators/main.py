"""Which estimator a study quotes."""

from __future__ import annotations

from sos_spark.config.study import Staggered
from sos_spark.fit.estimators.base import ESTIMATORS, LinearEstimate, shares_one_go_live
from sos_spark.fit.estimators.twfe import twfe
from sos_spark.fit.regression.design import PreparedPanel, Weights


def main_estimate(panel: PreparedPanel, *, weights: Weights, staggered: Staggered) -> LinearEstimate:
    """Returns the estimate a study quotes: twfe under one go-live, else by the estimator that it names."""
    estimator = twfe if shares_one_go_live(panel) else ESTIMATORS[staggered]
    return estimator(panel, weights=weights)
