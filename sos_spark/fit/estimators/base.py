"""What an estimator is, and the registry: each estimator is one file of this room, and nothing outside asks its name.

Every linear estimator gives a regression's cross-products and the name of its coefficient. Whatever comes after, the
covariances, bootstraps and multiple tests, needs no more than a `LinearEstimate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from sos_spark.config.model import Words
from sos_spark.config.study import Staggered
from sos_spark.fit.cells.subpanel import settled
from sos_spark.fit.inference.effect_distribution import EffectDistribution, RandomisationTest
from sos_spark.fit.inference.kernel import cr1_factor
from sos_spark.fit.inference.randomisation import EffectEstimator, randomise_effect
from sos_spark.fit.regression.design import NEVER, TREATED, Ints, PreparedPanel, Regression, Weights
from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.staggered.group_time import UnitPanel

_ROWS_COUNT: dict[Weights, str] = {
    "child": "each index row counts once",
    "la_equal": "each authority counts once",
}


@dataclass(frozen=True)
class Permutations:
    """How many permutations of go-live dates, by which seed, and the stratum of each LA (G,) within which they stay."""

    n: int
    seed: int
    strata: Ints


@dataclass(frozen=True)
class Estimator:
    """An estimator of the main effect that is one coefficient of a regression; calling it estimates.

    `average`: what it averages, the first half of an estimand. `moments_of`: the regression's cross-products, and the
    regression where LA effects are swept out (else None); raises NotEstimableError where there is no effect to measure.
    `takes_covariates`: whether it adjusts for any. `influence_of`: of an estimate without covariates the weights w
    (G, T) with att = sum w y_sum. `refit_of`: estimates and scores under any assignment of the panel's go-lives;
    `permute`: a faster way to all permuted assignments at once, in its place. `by_dummies`: whether its event study is
    dummies in the same regression, where all pilots share one go-live; else averages of ATT(g, t). `takes_partial`:
    whether it takes a period that is treated in part by its share; it is left out otherwise. `cautions_of`: what
    a reader must know of an estimate, a sentence each.
    """

    name: str
    average: str
    words: Words
    moments_of: Callable[[PreparedPanel, Weights], tuple[ClusterMoments, Regression | None]]
    takes_covariates: bool
    influence_of: Callable[[LinearEstimate], Array] | None = None
    refit_of: Callable[[PreparedPanel, Weights], EffectEstimator] | None = None
    permute: Callable[[LinearEstimate, Permutations], EffectDistribution] | None = None
    by_dummies: bool = False
    takes_partial: bool = False
    cautions_of: Callable[[LinearEstimate], Iterator[str]] | None = None

    def __call__(self, panel: PreparedPanel, *, weights: Weights) -> LinearEstimate:
        """Returns the estimate from a prepared panel.

        Raises:
            NotEstimableError: There is no effect to measure.
        """
        used = panel if self.takes_partial else settled(panel)
        moments, regression = self.moments_of(used, weights)
        return LinearEstimate(self, weights, used, moments, regression)

    def estimand(self, weights: Weights) -> str:
        """Returns what is estimated, in words."""
        return f"{self.average}, {_ROWS_COUNT[weights]}"

    def refit(self, panel: PreparedPanel, *, weights: Weights) -> EffectEstimator:
        """Returns what estimates any assignment of a panel's go-lives.

        Raises:
            ValueError: The estimator declares none.
        """
        if self.refit_of is None:
            raise ValueError(f"the estimator {self.name} declares no refit")
        return self.refit_of(panel if self.takes_partial else settled(panel), weights)


@dataclass(frozen=True)
class LinearEstimate:
    """An effect that is one coefficient of a regression. `regression` is None where LA effects are not swept out."""

    method: Estimator
    weights: Weights
    panel: PreparedPanel
    moments: ClusterMoments
    regression: Regression | None
    coefficient: str = TREATED

    @property
    def estimator(self) -> str:
        """The estimator's name."""
        return self.method.name

    @property
    def adjusted_for(self) -> tuple[str, ...]:
        """The covariates that the estimate adjusts for, each once: the panel's, as far as the estimator uses them."""
        if not self.method.takes_covariates:
            return ()
        dropped = set(self.regression.dropped) if self.regression else set()
        return tuple(dict.fromkeys(name.partition("=")[0] for name in self.panel.covariates if name not in dropped))

    @property
    def cautions(self) -> Iterator[str]:
        """What a reader must know of this estimate: covariates that it does not use, and what its estimator says."""
        if self.panel.covariates and not self.method.takes_covariates:
            yield f"{self.method.words.name}: not adjusted for covariates"
        if self.method.cautions_of is not None:
            yield from self.method.cautions_of(self)

    def randomise(self, *, permutations: int, seed: int) -> RandomisationTest:
        """Tests 'no effect' by `distribution`."""
        return self.distribution(permutations=permutations, seed=seed).test()

    def distribution(
        self, *, permutations: int, seed: int, strata: Literal["none", "size"] = "none"
    ) -> EffectDistribution:
        """Permutes the go-live dates over the LAs, within strata if asked, all dates together, and estimates again."""
        plan = Permutations(permutations, seed, self.panel.strata(strata))
        if self.method.permute is not None:
            return self.method.permute(self, plan)
        return randomise_effect(
            self.method.refit(self.panel, weights=self.weights),
            unit_ids=self.panel.unit_ids,
            gtime=self.panel.gtime,
            permutations=plan.n,
            seed=plan.seed,
            strata=plan.strata,
            factor=cr1_factor(self.moments),
        )

    def on(self, panel: PreparedPanel) -> LinearEstimate:
        """Returns the same estimator, with the same weights, on another panel."""
        return self.method(panel, weights=self.weights)

    def influence(self) -> Array:
        """Returns the weights w (G, T) with att = sum w y_sum; 0 where a unit has no rows.

        Of an estimate without covariates.

        Raises:
            ValueError: The estimator declares no weights.
        """
        if self.method.influence_of is None:
            raise ValueError(f"no weights are known of the estimator {self.estimator}")
        return self.method.influence_of(self)


ESTIMATORS: dict[str, Estimator] = {}
"""Every registered estimator by its name, in the order in which they stand in tables."""


def register(estimator: Estimator) -> Estimator:
    """Adds an estimator to the registry and returns it.

    Raises:
        ValueError: Its name is taken, or it lacks what a run will ask of it.
    """
    if estimator.name in ESTIMATORS:
        raise ValueError(f"the estimator {estimator.name} is registered already")
    lacking = list(_lacking(estimator))
    if lacking:
        raise ValueError(f"the estimator {estimator.name} is not whole: {'; '.join(lacking)}")
    ESTIMATORS[estimator.name] = estimator
    return estimator


def _lacking(estimator: Estimator) -> Iterator[str]:
    if estimator.permute is None and estimator.refit_of is None:
        yield "it declares neither permute nor refit_of, so that no go-lives can be permuted"
    if estimator.name in get_args(Staggered):
        if estimator.refit_of is None:
            yield "a study may name it as its headline, and placebo pilots need its refit_of"
        if estimator.influence_of is None:
            yield "a study may name it as its headline, and bounds over unknown rows need its influence_of"


def shares_one_go_live(panel: PreparedPanel) -> bool:
    """Returns whether all treated LAs start in one period."""
    return len(np.unique(panel.gtime[panel.gtime != NEVER])) == 1


def unit_panel(panel: PreparedPanel) -> UnitPanel:
    """Returns the panel for group-time effects: periods by their place among those that have rows.

    A go-live in a period without rows counts from the next that has some.
    """
    panel = settled(panel)
    place = np.searchsorted(panel.periods, panel.gtime)
    return UnitPanel(
        unit_ids=panel.unit_ids,
        gtime=np.where(panel.gtime == NEVER, NEVER, place).astype(np.int64),
        rows=panel.rows,
        y_sum=panel.y_sum,
        y_sumsq=panel.y_sumsq,
    )


def influence_of_panel(panel: PreparedPanel, kept: PreparedPanel, influence: Array) -> Array:
    """Returns weights (G, T) on a panel's sums of y from those on a part of its LAs and periods: 0 beyond."""
    whole = np.zeros_like(panel.rows)
    units = np.array([panel.unit_ids.index(unit) for unit in kept.unit_ids])
    whole[np.ix_(units, np.searchsorted(panel.periods, kept.periods))] = influence
    return whole
