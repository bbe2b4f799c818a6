"""Which estimator a study quotes."""

from __future__ import annotations

from sos_spark.fit.estimators.base import LinearEstimate, shares_one_go_live
from sos_spark.fit.estimators.callaway_santanna import cs_simple
from sos_spark.fit.estimators.twfe import twfe
from sos_spark.fit.regression.design import PreparedPanel, Weights


def main_estimate(panel: PreparedPanel, *, weights: Weights) -> LinearEstimate:
    """Returns the estimate a study quotes: twfe under one go-live, else cs_simple."""
    return twfe(panel, weights=weights) if shares_one_go_live(panel) else cs_simple(panel, weights=weights)
