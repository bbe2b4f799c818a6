"""The imputation estimate under any assignment of go-lives, fast enough to permute them.

The estimate is that of `imputation`. Its standard error here is the authors' own (Borusyak, Jaravel and Spiess 2024,
theorem 3): the LA's sum of weights times residuals, which come from the untreated rows' regression and, where treated,
are effects less their mean over the rows that share a residual effect. It needs no second regression, and ranks
assignments by the same studentised effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.errors import InputError
from sos_spark.fit.cells.subpanel import Mask, period_products
from sos_spark.fit.regression.design import NEVER, Ints, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.residual_model import effect_groups
from sos_spark.fit.staggered.untreated import UntreatedRows, pseudo_inverse

_NOT_IDENTIFIED = 1e-7


@dataclass(frozen=True)
class ImputationRefit:
    """A panel's untreated rows by LA if it went live on each date, to be put together for whatever is tried.

    Shapes, M dates with NEVER among them: dates (M,) ascending; before (M, T); the parts of `first` have M before G.
    """

    panel: PreparedPanel
    weight: Array
    dates: Ints
    before: Mask
    first: UntreatedRows

    @classmethod
    def of(cls, panel: PreparedPanel, *, weights: Weights) -> ImputationRefit:
        """Sums the panel's rows before each of its dates."""
        dates = np.unique(panel.gtime)
        before = np.asarray((dates == NEVER)[:, None] | (panel.periods < dates[:, None]))
        zz, zy = period_products(panel)
        parts = [
            UntreatedRows.of(
                panel,
                np.broadcast_to(mask, panel.rows.shape),
                zz=np.einsum("t,gtpq->gpq", mask, zz),
                zy=np.einsum("t,gtp->gp", mask, zy),
            )
            for mask in before
        ]
        stacked = UntreatedRows(
            *(np.stack([getattr(part, name) for part in parts]) for name in ("rows", "x_mean", "y_mean", "xx", "xy"))
        )
        return cls(panel, panel.row_weight(weights), dates, before, stacked)

    def under(self, gtime: Ints) -> tuple[float, float]:
        """Returns the estimate and its standard error when the LAs go live as given, (G,), dates among the panel's.

        Raises:
            InputError: Nothing can be estimated.
        """
        panel, weight = self.panel, self.weight
        date, unit = np.searchsorted(self.dates, gtime), np.arange(len(gtime))
        first = UntreatedRows(*(part[date, unit] for part in vars(self.first).values()))
        before = self.before[date]
        seen = panel.rows * before
        known = ~before & (first.rows > 0)[:, None] & (seen.sum(axis=0) > 0)
        n = known * panel.rows
        total = float(weight @ n.sum(axis=1))
        if not total:
            raise InputError("No effect can be measured under this assignment")
        n = n / total
        taken = n.sum(axis=1)
        z = known[:, :, None] * panel.z_sum / total
        slope = np.concatenate([n, z.sum(axis=1)], axis=1) - taken[:, None] * first.x_mean
        xx = np.einsum("g,gkl->kl", weight, first.xx)
        inverse = pseudo_inverse(xx)
        beta = inverse @ (weight @ first.xy)
        direction = weight @ slope
        multiplier = inverse @ direction
        if np.abs(xx @ multiplier - direction).max() > _NOT_IDENTIFIED * np.abs(direction).max():
            raise InputError("No effect can be measured under this assignment")
        n_periods = len(panel.periods)
        level = first.y_mean - first.x_mean @ beta
        effect = known * panel.y_sum / total - n * (level[:, None] + beta[:n_periods]) - z @ beta[n_periods:]
        scores = effect.sum(axis=1) - (first.xy - first.xx @ beta) @ multiplier
        att = float(weight @ effect.sum(axis=1))
        return att, float(np.linalg.norm(weight * (scores - self._shared(gtime, effect, n))))

    def _shared(self, gtime: Ints, effect: Array, n: Array) -> Array:
        """Returns the sum (G,) over each LA's treated rows of the mean effect of those that share one."""
        groups = effect_groups(gtime, self.panel.periods)
        mine = groups >= 0
        _, place = np.unique(groups[mine], return_inverse=True)
        weight = np.broadcast_to(self.weight[:, None], n.shape)[mine]
        rows = np.bincount(place, weight * n[mine])
        mean = np.bincount(place, weight * effect[mine]) / np.where(rows > 0, rows, 1.0)
        shared = np.zeros_like(n)
        shared[mine] = n[mine] * mean[place]
        return np.asarray(shared.sum(axis=1))
