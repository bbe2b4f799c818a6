"""Which estimator a study quotes."""

from __future__ import annotations

from typing import get_args

from sos_spark.config.study import Staggered
from sos_spark.fit.estimators.base import ESTIMATORS, LinearEstimate, shares_one_go_live
from sos_spark.fit.estimators.twfe import twfe
from sos_spark.fit.regression.design import PreparedPanel, Weights


def main_estimate(panel: PreparedPanel, *, weights: Weights, staggered: Staggered) -> LinearEstimate:
    """Returns the estimate a study quotes: twfe under one go-live, else by the estimator that it names."""
    estimator = twfe if shares_one_go_live(panel) else ESTIMATORS[staggered]
    return estimator(panel, weights=weights)


def require_every_name() -> None:
    """Checks that a study can name each registered estimator but two-way fixed effects as its headline, and no other.

    Raises:
        TypeError: What is registered and what a study file takes differ.
    """
    nameable, registered = set(get_args(Staggered)), set(ESTIMATORS) - {twfe.name}
    faults = {
        "registered, and not in Staggered of sos_spark/config/study.py": registered - nameable,
        "in Staggered of sos_spark/config/study.py, and not imported in sos_spark/fit/estimators": nameable
        - registered,
    }
    told = [f"{', '.join(sorted(names))} ({what})" for what, names in faults.items() if names]
    if told:
        raise TypeError(f"estimators that a study file and a fit know differently: {'; '.join(told)}")
