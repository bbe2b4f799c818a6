"""The estimators of the main effect: each gives a regression's cross-products and the name of its coefficient.

Two-way fixed effects where all treated LAs share one go-live period; else Callaway and Sant'Anna's simple aggregate,
which is a coefficient of a saturated regression on group-by-period dummies (see `staggered`). Beside it, against those
not yet treated; by imputation, which adjusts for covariates; and Sun and Abraham's. Whatever comes after, the
covariances, bootstraps and multiple tests, needs no more than a `LinearEstimate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sos_spark.fit.cells.reading import NotEstimableError
from sos_spark.fit.inference.effect_distribution import EffectDistribution, RandomisationTest
from sos_spark.fit.inference.kernel import cr1_factor
from sos_spark.fit.inference.randomisation import go_live_distribution, randomise_effect
from sos_spark.fit.regression.design import NEVER, TREATED, PreparedPanel, Regression, Weights, treatment_regression
from sos_spark.fit.regression.moments import ClusterMoments
from sos_spark.fit.staggered.group_time import Control, UnitPanel, aggregate, group_time_effects
from sos_spark.fit.staggered.imputation import imputation_moments
from sos_spark.fit.staggered.imputation_refit import ImputationRefit
from sos_spark.fit.staggered.residuals import average_moments
from sos_spark.fit.staggered.simple_refit import SimpleEffect
from sos_spark.fit.staggered.sun_abraham import sun_abraham_moments
from sos_spark.fit.staggered.sun_abraham_refit import SunAbrahamRefit

Estimator = Literal["twfe", "cs_simple", "cs_not_yet", "imputation", "sun_abraham"]
UNADJUSTED: frozenset[Estimator] = frozenset({"cs_simple", "cs_not_yet"})
"""Estimators that take no covariates."""
ESTIMANDS: dict[tuple[Estimator, Weights], str] = {
    ("twfe", "child"): "ATT, each index row counts once",
    ("twfe", "la_equal"): "ATT, each authority counts once",
    ("cs_simple", "child"): "Simple average of ATT(g,t), each index row counts once",
    ("cs_simple", "la_equal"): "Simple average of ATT(g,t), each authority counts once",
    ("cs_not_yet", "child"): "Simple average of ATT(g,t) against those not yet treated, each index row counts once",
    ("cs_not_yet", "la_equal"): "Simple average of ATT(g,t) against those not yet treated, each authority counts once",
    ("imputation", "child"): "ATT by imputation, each index row counts once",
    ("imputation", "la_equal"): "ATT by imputation, each authority counts once",
    ("sun_abraham", "child"): "Interaction-weighted ATT (Sun and Abraham), each index row counts once",
    ("sun_abraham", "la_equal"): "Interaction-weighted ATT (Sun and Abraham), each authority counts once",
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

    @property
    def adjusted_for(self) -> tuple[str, ...]:
        """The covariates that the estimate adjusts for, each once: the panel's, as far as the estimator uses them."""
        if self.estimator in UNADJUSTED:
            return ()
        dropped = set(self.regression.dropped) if self.regression else set()
        return tuple(dict.fromkeys(name.partition("=")[0] for name in self.panel.covariates if name not in dropped))

    def randomise(self, *, permutations: int, seed: int) -> RandomisationTest:
        """Tests 'no effect' by `distribution`."""
        return self.distribution(permutations=permutations, seed=seed).test()

    def distribution(
        self, *, permutations: int, seed: int, strata: Literal["none", "size"] = "none"
    ) -> EffectDistribution:
        """Permutes the go-live dates over the LAs, within strata if asked, all dates together, and estimates again."""
        within = self.panel.strata(strata)
        if self.estimator == "twfe":
            return go_live_distribution(
                self.panel, weights=self.weights, permutations=permutations, seed=seed, strata=within
            )
        gtime = self.panel.gtime
        if self.estimator == "imputation":
            refit = ImputationRefit.of(self.panel, weights=self.weights).scored
        elif self.estimator == "sun_abraham":
            refit = SunAbrahamRefit.of(self.panel, weights=self.weights).scored
        else:
            units = unit_panel(self.panel)
            control: Control | None = "not_yet" if self.estimator == "cs_not_yet" else None
            gtime, refit = units.gtime, SimpleEffect.of(units.weighing(self.weights), control=control).scored
        return randomise_effect(
            refit,
            unit_ids=self.panel.unit_ids,
            gtime=gtime,
            permutations=permutations,
            seed=seed,
            strata=within,
            factor=cr1_factor(self.moments),
        )

    def on(self, panel: PreparedPanel) -> LinearEstimate:
        """Returns the same estimator, with the same weights, on another panel."""
        return ESTIMATORS[self.estimator](panel, weights=self.weights)


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
    return LinearEstimate("cs_simple", weights, panel, _simple(panel, weights, control=None), None)


def cs_not_yet(panel: PreparedPanel, *, weights: Weights) -> LinearEstimate:
    """Returns Callaway and Sant'Anna's simple aggregate against LAs not yet treated, never treated ones among them.

    Without covariates.

    Raises:
        InputError: No effect can be measured.
    """
    return LinearEstimate("cs_not_yet", weights, panel, _simple(panel, weights, control="not_yet"), None)


def imputation(panel: PreparedPanel, *, weights: Weights) -> LinearEstimate:
    """Returns Borusyak, Jaravel and Spiess' imputation estimate, adjusted for covariates.

    Raises:
        NotEstimableError: Untreated rows do not say what treated ones would have been.
    """
    return LinearEstimate("imputation", weights, panel, imputation_moments(panel, weights=weights), None)


def sun_abraham(panel: PreparedPanel, *, weights: Weights) -> LinearEstimate:
    """Returns Sun and Abraham's interaction-weighted average, adjusted for covariates.

    Raises:
        NotEstimableError: No group has comparators and a period before go-live.
    """
    return LinearEstimate("sun_abraham", weights, panel, sun_abraham_moments(panel, weights=weights), None)


ESTIMATORS: Mapping[Estimator, Callable[..., LinearEstimate]] = {
    "twfe": twfe,
    "cs_simple": cs_simple,
    "cs_not_yet": cs_not_yet,
    "imputation": imputation,
    "sun_abraham": sun_abraham,
}
"""Every estimator by its name: (panel, *, weights) -> LinearEstimate."""


def _simple(panel: PreparedPanel, weights: Weights, *, control: Control | None) -> ClusterMoments:
    units = unit_panel(panel).weighing(weights)
    effects = group_time_effects(units, control=control)
    if not (effects.event_time >= 0).any():
        raise NotEstimableError(
            "No effect can be measured after go-live",
            expected="comparators with rows after a go-live, and in the period before it",
            remedy="Widen the window, or name other comparators",
        )
    return average_moments(units, effects, {TREATED: aggregate(effects, "simple")["overall"]})


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
