"""Wooldridge's extended two-way fixed effects: an effect for each group and period from go-live on, averaged.

Wooldridge (2025, Empirical Economics 69; first as a working paper of 2021): y = LA + period + covariates + sum over
groups g and periods t >= g of d[g, t] + e. Every row not treated yet compares, the group's own before go-live among
them, so no single period before go-live carries the comparison. Effects are averaged with the weights of their treated
rows, so that the simple average is over every treated row, as the imputation's. The two are one number where the LAs
of a group have the same rows as one another in every period; else they weigh LAs within a group differently.

Covariates have one coefficient each over all rows, as in every other regression here; Wooldridge lets them differ by
group and period as well. Rows that nothing untreated stands beside are left out: of LAs seen only from go-live on, and
of periods in which all are treated.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sos_spark.fit.cells.subpanel import only_periods_of
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.design import NEVER, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.staggered.group_period import GroupPeriodRegression
from sos_spark.fit.staggered.untreated import predicted


class Etwfe(GroupPeriodRegression):
    """Every period of every group from go-live on."""

    @classmethod
    def of(cls, panel: PreparedPanel, *, weights: Weights) -> Etwfe:
        """Fits the regression.

        Raises:
            NotEstimableError: No treated row has untreated ones beside it, or effects cannot be told apart.
        """
        kept = only_periods_of(panel, predicted(panel))
        if not (kept.rows * kept.treated).any():
            raise NotEstimableError(
                "No treated row has untreated ones beside it",
                expected="treated authorities seen before go-live, in periods when others were not treated",
                remedy="Widen the window, or add comparators",
            )
        group = np.where(kept.gtime > kept.periods[-1], NEVER, kept.gtime)
        weighed = kept.row_weight(weights)[:, None] * kept.rows
        cells, share = [], []
        for g in np.unique(group[group != NEVER]):
            own = weighed[group == g].sum(axis=0)
            for t in np.flatnonzero((own > 0) & (kept.periods >= g)):
                cells.append((int(g), int(kept.periods[t])))
                share.append(float(own[t]))
        left_out = panel.n_rows - kept.n_rows
        return cls.fitted(kept, cells, share, cohorts=group, weights=weights, n_left_out=left_out)

    @property
    def simple(self) -> Array:
        """The average (K,) over every treated row."""
        return self._average(np.ones(len(self.effects.share), dtype=bool))

    def averages(self) -> Iterator[tuple[str, str, Array]]:
        """Yields the averages by kind (simple, group, calendar, event) and level, each a map (K,).

        Within a level effects weigh as their treated rows do; `overall` of a kind is over its levels: groups by their
        rows over the window, periods and event times equally.
        """
        yield "simple", "overall", self.simple
        group, period = self.effects.effects.T
        weighed = self.panel.row_weight(self.weights) * self.panel.rows.sum(axis=1)
        for kind, value in (("group", group), ("calendar", period), ("event", period - group)):
            levels = np.unique(value)
            maps = [self._average(value == level) for level in levels]
            for level, own in zip(levels, maps, strict=True):
                yield kind, str(level), own
            rows = [weighed[self.cohorts == g].sum() for g in levels] if kind == "group" else None
            yield kind, "overall", np.average(maps, axis=0, weights=rows)

    def _average(self, chosen: Array) -> Array:
        weight = self.effects.share * chosen
        return np.asarray(weight @ self.effects.maps / weight.sum())


def etwfe_moments(panel: PreparedPanel, *, weights: Weights) -> ClusterMoments:
    """Returns the regression with the average over every treated row as its coefficient `treated`.

    Raises:
        NotEstimableError: As `Etwfe.of`.
    """
    fitted = Etwfe.of(panel, weights=weights)
    return fitted.moments(fitted.simple)
