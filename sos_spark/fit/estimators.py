"""The estimators of the main effect: each gives a regression's cross-products and the name of its coefficient.

Two-way fixed effects where all treated LAs share one go-live period; else Callaway and Sant'Anna's simple aggregate,
which is a coefficient of a saturated regression on group-by-period dummies (see `staggered`). Whatever comes after, the
covariances, bootstraps and multiple tests, needs no more than a `LinearEstimate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sos_spark.fit.design import NEVER, TREATED, PreparedPanel, Regression, Weights, treatment_regression
from sos_spark.fit.moments import ClusterMoments
from sos_spark.fit.panel import NotEstimableError
from sos_spark.fit.randomisation import RandomisationTest, go_live_test, randomise
from sos_spark.fit.staggered import UnitPanel, aggregate, group_time_effects, saturated_moments
from sos_spark.fit.staggered_simple import SimpleEffect

Estimator = Literal["twfe", "cs_simple"]
ESTIMANDS: dict[tuple[Estimator, Weights], str] = {
    ("twfe", "child"): "ATT, each index row counts once",
    ("twfe", "la_equal"): "ATT, each authority counts once",
    ("cs_simple", "child"): "Simple average of ATT(g,t), each index row counts once",
    ("cs_simple", "la_equal"): "Simple average of ATT(g,t), each authority counts once",
}


@dataclass(frozen=True)
class LinearEstimate:
    """An effect that is one coefficient of a regression. `regression` is None where LA effects are not swept out."""

    estimator: Estimator
    weights: Weights
    panel: PreparedPanel
    moments: ClusterMoments
    regression: Regression | None
    coefficient: str = TREATED

    def randomise(self, *, permutations: int, seed: int) -> RandomisationTest:
        """Permutes the go-live dates over the LAs, all dates together, and estimates again."""
        if self.estimator == "twfe":
            return go_live_test(self.panel, weights=self.weights, permutations=permutations, seed=seed)
        effect = SimpleEffect.of(unit_panel(self.panel).weighing(self.weights))
        return randomise(
            effect.under,
            unit_ids=self.panel.unit_ids,
            gtime=unit_panel(self.panel).gtime,
            permutations=permutations,
            seed=seed,
        )


def shares_one_go_live(panel: PreparedPanel) -> bool:
    """Says whether all treated LAs start in one period."""
    return len(np.unique(panel.gtime[panel.gtime != NEVER])) == 1


def main_estimate(panel: PreparedPanel, *, weights: Weights) -> LinearEstimate:
    """Returns the estimate a study quotes: twfe under one go-live, else cs_simple."""
    return twfe(panel, weights=weights) if shares_one_go_live(panel) else cs_simple(panel, weights=weights)


def twfe(panel: PreparedPanel, *, weights: Weights) -> LinearEstimate:
    """Returns the two-way fixed effects estimate.

    Raises:
        NotEstimableError: Periods and covariates determine the treatment.
    """
    regression = treatment_regression(panel, weights=weights)
    if TREATED not in regression.moments.names:
        raise NotEstimableError(
            "The effect cannot be told from periods and covariates",
            expected="periods in which some units are treated and others are not, and both seen before",
            remedy="Add comparators, or take out the covariate that only pilots have",
        )
    return LinearEstimate("twfe", weights, panel, regression.moments, regression)


def cs_simple(panel: PreparedPanel, *, weights: Weights) -> LinearEstimate:
    """Returns Callaway and Sant'Anna's simple aggregate, without covariates.

    Raises:
        InputError: No effect can be measured.
    """
    units = unit_panel(panel).weighing(weights)
    effects = group_time_effects(units)
    simple = aggregate(effects, "simple")["overall"]
    moments = saturated_moments(units, effects, {TREATED: simple})
    return LinearEstimate("cs_simple", weights, panel, moments, None)


def unit_panel(panel: PreparedPanel) -> UnitPanel:
    """Returns the panel for group-time effects: periods by their place among those that have rows.

    A go-live in a period without rows counts from the next that has some.
    """
    place = np.searchsorted(panel.periods, panel.gtime)
    return UnitPanel(
        unit_ids=panel.unit_ids,
        gtime=np.where(panel.gtime == NEVER, NEVER, place).astype(np.int64),
        rows=panel.rows,
        y_sum=panel.y_sum,
        y_sumsq=panel.y_sumsq,
    )
