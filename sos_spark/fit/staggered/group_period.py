"""A two-way regression with effects of groups and periods of their own, and averages of these as one coefficient.

What Sun and Abraham's estimator and Wooldridge's have in common: y = LA + period + covariates + sum of d[g, t] + e over
groups of LAs that go live together, one regression within LAs. They differ in which d[g, t] are there and in how they
are averaged. A group's effects of its own leave a small group little residual or none, so where there is one the
averages' variance comes from a model in which groups share effects by event time (`residual_model`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.combination import with_combination
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import TREATED, Ints, PreparedPanel, Regression, Weights, regression
from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.staggered.group_time import GroupTime
from sos_spark.fit.staggered.residual_model import RowWeights, has_a_small_group, moments_of, shared_effects


@dataclass(frozen=True)
class GroupPeriodRegression:
    """The regression and its group-by-period effects.

    `effects` (gtime and period by number) has maps (E, K) onto the regression's coefficients, which are its means.
    `cohorts` (G,) is the gtime of the panel's LAs, NEVER for those that compare. `panel` is without the `n_left_out`
    rows that the estimator cannot use.
    """

    panel: PreparedPanel
    weights: Weights
    regression: Regression
    effects: GroupTime
    cohorts: Ints
    n_left_out: int

    @classmethod
    def fitted(
        cls,
        panel: PreparedPanel,
        cells: Sequence[tuple[int, int]],
        share: Sequence[float],
        *,
        cohorts: Ints,
        weights: Weights,
        n_left_out: int,
    ) -> Self:
        """Fits an effect for each cell, group and period by number; `share` is each one's weight in averages.

        Raises:
            NotEstimableError: There is no cell, or effects cannot be told apart.
        """
        columns = {
            f"group_{g}_period_{t}": np.outer(cohorts == g, panel.periods == t).astype(np.float64) for g, t in cells
        }
        found = regression(panel, columns, weights=weights)
        if not cells or any(name not in panel.covariates for name in found.dropped):
            raise NotEstimableError(
                "Effects of groups and periods cannot be told apart",
                expected="comparators and groups whose authorities share periods, before go-live and after",
                found=", ".join(found.dropped[:8]),
                remedy="Add comparators, or leave out authorities that are seen in few periods",
            )
        names = found.moments.names
        effects = GroupTime(
            cells=np.empty((0, 2), np.int64),
            effects=np.array(cells, dtype=np.int64),
            maps=np.array([[name == other for other in names] for name in columns], dtype=np.float64),
            means=Sandwich(found.moments).beta,
            share=np.array(share, dtype=np.float64),
        )
        return cls(panel, weights, found, effects, cohorts, n_left_out)

    def moments(self, linear_map: Array) -> ClusterMoments:
        """Returns the regression that has a combination (K,) of the effects as its coefficient `treated`."""
        if not has_a_small_group(self.cohorts, self.panel.periods[-1]):
            return with_combination(self.regression.moments, linear_map, name=TREATED)
        return moments_of(self._row_weights(linear_map), *self._residual_model)

    def influence(self, linear_map: Array) -> Array:
        """Returns the weights (G, T) on sums of y that make a combination (K,), of a panel without covariates."""
        return np.asarray(self.panel.row_weight(self.weights)[:, None] * self._row_weights(linear_map).level)

    def _row_weights(self, linear_map: Array) -> RowWeights:
        """Returns what a combination multiplies each row's y with, row weights left out."""
        panel, n_covariates = self.panel, len(self.panel.covariates)
        nothing = RowWeights(
            panel=panel,
            level=np.zeros(panel.rows.shape),
            z_all=np.zeros(n_covariates),
            z_before=np.zeros(n_covariates),
            zz=np.zeros((len(panel.rows), n_covariates, n_covariates)),
            zy=np.zeros((len(panel.rows), n_covariates)),
        )
        # Weights on rows are a combination of the regressors; `less` subtracts one.
        names = self.regression.moments.names
        by_name = dict(zip(names, -self._solved.bread @ linear_map, strict=True))
        return nothing.less(by_name, dict(self.regression.effects))

    @cached_property
    def _solved(self) -> Sandwich:
        return Sandwich(self.regression.moments)

    @cached_property
    def _residual_model(self) -> tuple[Regression, Sandwich]:
        model = shared_effects(self.panel.with_gtime(self.cohorts), weights=self.weights)
        return model, Sandwich(model.moments)
