"""Sun and Abraham's interaction-weighted estimator: group-by-event-time dummies in the two-way model, averaged.

Sun and Abraham (2021, Journal of Econometrics 225): y = LA + period + covariates + sum over groups and event times of
d[g, t] + e, the groups of LAs that go live together, against never-treated LAs and against the group's last period
before go-live. Where nobody is never treated the last group compares, and the periods from its go-live on are left out.
Effects are averaged with the groups' shares of the rows (child weights) or of the LAs (LA-equal).

It is one regression, within LAs, unlike the differences of group means of `staggered`, which it equals where every LA
has the same rows in every period. For its variance where some group is small see `group_period`.
"""

from __future__ import annotations

import numpy as np

from sos_spark.fit.cells.subpanel import Mask, only_periods_of
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.design import NEVER, Ints, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.staggered.group_period import GroupPeriodRegression
from sos_spark.fit.staggered.group_time import aggregate


class SunAbraham(GroupPeriodRegression):
    """Every period of every group but its last before go-live, without periods that have no comparators."""

    @classmethod
    def of(cls, panel: PreparedPanel, *, weights: Weights) -> SunAbraham:
        """Fits the regression.

        Raises:
            NotEstimableError: No group has comparators and a period before go-live, or effects cannot be told apart.
        """
        kept = only_periods_of(panel, _comparable(panel))
        group = _cohorts(kept)
        weighed = kept.row_weight(weights)[:, None] * kept.rows
        cells, share = [], []
        for g in np.unique(group[group != NEVER]):
            mine = group == g
            rows = kept.rows[mine].sum(axis=0)
            reference = np.flatnonzero((rows > 0) & (kept.periods < g))[-1]
            for t in np.flatnonzero(rows > 0):
                if t != reference:
                    cells.append((int(g), int(kept.periods[t])))
                    share.append(float(weighed[mine].sum()))
        left_out = panel.n_rows - kept.n_rows
        return cls.fitted(kept, cells, share, cohorts=group, weights=weights, n_left_out=left_out)

    @property
    def simple(self) -> Array:
        """The average (K,) of all effects from go-live on, each group weighed by its rows over the window.

        Raises:
            NotEstimableError: No group has comparators after its go-live.
        """
        group, period = self.effects.effects.T
        if not (period >= group).any():
            raise NotEstimableError("No group has comparators after its go-live", remedy="Add comparators")
        return aggregate(self.effects, "simple")["overall"]


def sun_abraham_moments(panel: PreparedPanel, *, weights: Weights) -> ClusterMoments:
    """Returns the regression with the average of all effects from go-live on as its coefficient `treated`.

    Raises:
        NotEstimableError: As `SunAbraham.of`, or no group has comparators after its go-live.
    """
    fitted = SunAbraham.of(panel, weights=weights)
    return fitted.moments(fitted.simple)


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
