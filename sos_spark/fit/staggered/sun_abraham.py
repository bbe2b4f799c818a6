"""Sun and Abraham's interaction-weighted estimator: group-by-event-time dummies in the two-way model, averaged.

Sun and Abraham (2021, Journal of Econometrics 225): y = LA + period + covariates + sum over groups and event times of
d[g, t] + e, the groups of LAs that go live together, against never-treated LAs and against the group's last period
before go-live. Where nobody is never treated the last group compares, and the periods from its go-live on are left out.
Effects are averaged with the groups' shares of the rows (child weights) or of the LAs (LA-equal).

It is one regression, within LAs, unlike the differences of group means of `staggered`, which it equals where every LA
has the same rows in every period. A group's effects of its own leave a small group little residual or none, so where
there is one the averages' variance comes from a model in which groups share effects by event time (`residual_model`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sos_spark.fit.cells.subpanel import Mask, only_periods_of
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.combination import with_combination
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import NEVER, TREATED, Ints, PreparedPanel, Regression, Weights, regression
from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.staggered.group_time import GroupTime, aggregate
from sos_spark.fit.staggered.residual_model import RowWeights, has_a_small_group, moments_of, shared_effects


@dataclass(frozen=True)
class SunAbraham:
    """The regression and its group-by-period effects.

    `effects` (gtime and period by number) has maps (E, K) onto the regression's coefficients, which are its means.
    `panel` is without the `n_left_out` rows of periods without comparators and of groups seen only from go-live on.
    """

    panel: PreparedPanel
    weights: Weights
    regression: Regression
    effects: GroupTime
    n_left_out: int

    @classmethod
    def of(cls, panel: PreparedPanel, *, weights: Weights) -> SunAbraham:
        """Fits the regression.

        Raises:
            NotEstimableError: No group has comparators and a period before go-live, or effects cannot be told apart.
        """
        kept = only_periods_of(panel, _comparable(panel))
        group = _cohorts(kept)
        weighed = kept.row_weight(weights)[:, None] * kept.rows
        cells, columns, share = [], {}, []
        for g in np.unique(group[group != NEVER]):
            mine = group == g
            rows = kept.rows[mine].sum(axis=0)
            reference = np.flatnonzero((rows > 0) & (kept.periods < g))[-1]
            for t in np.flatnonzero(rows > 0):
                if t != reference:
                    cells.append((g, kept.periods[t]))
                    columns[f"group_{g}_period_{kept.periods[t]}"] = np.outer(mine, np.arange(len(rows)) == t) * 1.0
                    share.append(float(weighed[mine].sum()))
        fitted = regression(kept, columns, weights=weights)
        if not cells or any(name not in kept.covariates for name in fitted.dropped):
            raise NotEstimableError(
                "Effects of groups and periods cannot be told apart",
                expected="comparators and groups whose authorities share periods, before go-live and after",
                found=", ".join(fitted.dropped[:8]),
                remedy="Add comparators, or leave out authorities that are seen in few periods",
            )
        names = fitted.moments.names
        maps = np.array([[name == other for other in names] for name in columns], dtype=np.float64)
        effects = GroupTime(
            cells=np.empty((0, 2), np.int64),
            effects=np.array(cells, dtype=np.int64),
            maps=maps,
            means=Sandwich(fitted.moments).beta,
            share=np.array(share),
        )
        return cls(kept, weights, fitted, effects, panel.n_rows - kept.n_rows)

    def moments(self, linear_map: Array) -> ClusterMoments:
        """Returns the regression that has a combination (K,) of the effects as its coefficient `treated`."""
        panel, own = self.panel, self.regression.moments
        if not has_a_small_group(self.cohorts, panel.periods[-1]):
            return with_combination(own, linear_map, name=TREATED)
        n_covariates = len(panel.covariates)
        v = RowWeights(
            panel=panel,
            level=np.zeros(panel.rows.shape),
            z_all=np.zeros(n_covariates),
            z_before=np.zeros(n_covariates),
            zz=np.zeros((len(panel.rows), n_covariates, n_covariates)),
            zy=np.zeros((len(panel.rows), n_covariates)),
        )
        # A combination's weights on rows are a combination of the regressors; `less` subtracts one.
        by_name = dict(zip(own.names, -self._solved.bread @ linear_map, strict=True))
        return moments_of(v.less(by_name, dict(self.regression.effects)), *self._residual_model)

    @property
    def cohorts(self) -> Ints:
        """The gtime (G,) of the panel's LAs, NEVER for those that compare."""
        return _cohorts(self.panel)

    @cached_property
    def _solved(self) -> Sandwich:
        return Sandwich(self.regression.moments)

    @cached_property
    def _residual_model(self) -> tuple[Regression, Sandwich]:
        model = shared_effects(self.panel.with_gtime(self.cohorts), weights=self.weights)
        return model, Sandwich(model.moments)


def sun_abraham_moments(panel: PreparedPanel, *, weights: Weights) -> ClusterMoments:
    """Returns the regression with the average of all effects from go-live on as its coefficient `treated`.

    Raises:
        NotEstimableError: As `SunAbraham.of`, or no group has comparators after its go-live.
    """
    fitted = SunAbraham.of(panel, weights=weights)
    group, period = fitted.effects.effects.T
    if not (period >= group).any():
        raise NotEstimableError("No group has comparators after its go-live", remedy="Add comparators")
    return fitted.moments(aggregate(fitted.effects, "simple")["overall"])


def _cohorts(panel: PreparedPanel) -> Ints:
    return comparison_groups(panel.gtime, panel.periods)


def comparison_groups(gtime: Ints, periods: Ints) -> Ints:
    """Returns gtime (G,) with NEVER for LAs that compare: those that go live after the panel, else the last group."""
    group = np.where(gtime > periods[-1], NEVER, gtime)
    return group if (group == NEVER).any() else np.where(group == group.max(), NEVER, group)


def _comparable(panel: PreparedPanel) -> Mask:
    """Returns the LA-periods (G, T) that may stay."""
    group, seen = _cohorts(panel), panel.rows > 0
    compares = group == NEVER
    clean = seen & compares[:, None] & (panel.treated == 0)
    before = np.array([(seen[group == g].any(axis=0) & clean.any(axis=0) & (panel.periods < g)).any() for g in group])
    return np.asarray((compares | before)[:, None] & clean.any(axis=0))
