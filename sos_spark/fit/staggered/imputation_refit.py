"""The imputation estimate under any assignment of go-lives, fast enough to permute them.

The estimate is that of `imputation`. Its scores here are the authors' own (Borusyak, Jaravel and Spiess 2024, theorem
3): the LA's sum of weights times residuals, which come from the untreated rows' regression and, where treated, are
effects less their mean over the rows that share one, adjusted for leverage (see `small_groups`). They need no second
regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.errors import InputError
from sos_spark.fit.cells.subpanel import Mask, period_products
from sos_spark.fit.regression.design import NEVER, Ints, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.residual_model import effect_groups, has_a_small_group
from sos_spark.fit.staggered.small_groups import about_shared_effects, count_of_comparators
from sos_spark.fit.staggered.untreated import UntreatedRows, pseudo_inverse

_NOT_IDENTIFIED = 1e-7


@dataclass(frozen=True)
class ImputationRefit:
    """A panel's untreated rows by LA if it went live on each date, to be put together for whatever is tried.

    The outcomes are y and, second, the actual treatment. Shapes, M dates with NEVER among them: dates (M,) ascending;
    before (M, T); y_sum (2, G, T); of rows before each date: rows (M, G), x_mean (M, G, K), xx (M, G, K, K) of period
    dummies and covariates, LA means swept out, y_mean (2, M, G), xy (2, M, G, K).
    """

    panel: PreparedPanel
    weight: Array
    dates: Ints
    before: Mask
    y_sum: Array
    rows: Array
    x_mean: Array
    xx: Array
    y_mean: Array
    xy: Array

    @classmethod
    def of(cls, panel: PreparedPanel, *, weights: Weights) -> ImputationRefit:
        """Sums the panel's rows before each of its dates."""
        outcomes = (panel, panel.with_effect_as_outcome())
        dates = np.unique(panel.gtime)
        before = np.asarray((dates == NEVER)[:, None] | (panel.periods < dates[:, None]))
        parts = []
        for each in outcomes:
            zz, zy = period_products(each)
            parts.append(
                [
                    UntreatedRows.of(
                        each,
                        np.broadcast_to(mask, panel.rows.shape),
                        zz=np.einsum("t,gtpq->gpq", mask, zz),
                        zy=np.einsum("t,gtp->gp", mask, zy),
                    )
                    for mask in before
                ]
            )
        first = parts[0]
        return cls(
            panel=panel,
            weight=panel.row_weight(weights),
            dates=dates,
            before=before,
            y_sum=np.stack([each.y_sum for each in outcomes]),
            rows=np.stack([part.rows for part in first]),
            x_mean=np.stack([part.x_mean for part in first]),
            xx=np.stack([part.xx for part in first]),
            y_mean=np.array([[part.y_mean for part in own] for own in parts]),
            xy=np.array([[part.xy for part in own] for own in parts]),
        )

    def scored(self, gtime: Ints) -> tuple[Array, Array]:
        """Returns the estimate of each outcome (2,) and the LAs' scores (2, G) when they go live as given, (G,).

        Dates are among the panel's.

        Raises:
            InputError: Nothing can be estimated.
        """
        panel, weight, n_periods = self.panel, self.weight, len(self.panel.periods)
        date, unit = np.searchsorted(self.dates, gtime), np.arange(len(gtime))
        x_mean, first_xx, first_xy = self.x_mean[date, unit], self.xx[date, unit], self.xy[:, date, unit]
        before = self.before[date]
        known = ~before & (self.rows[date, unit] > 0)[:, None] & ((panel.rows * before).sum(axis=0) > 0)
        n = known * panel.rows
        total = float(weight @ n.sum(axis=1))
        if not total:
            raise InputError("No effect can be measured under this assignment")
        n, z = n / total, known[:, :, None] * panel.z_sum / total
        slope = np.concatenate([n, z.sum(axis=1)], axis=1) - n.sum(axis=1)[:, None] * x_mean
        xx = np.einsum("g,gkl->kl", weight, first_xx)
        inverse = pseudo_inverse(xx)
        direction = weight @ slope
        multiplier = inverse @ direction
        if np.abs(xx @ multiplier - direction).max() > _NOT_IDENTIFIED * np.abs(direction).max():
            raise InputError("No effect can be measured under this assignment")
        beta = np.einsum("g,ogk->ok", weight, first_xy) @ inverse
        level = self.y_mean[:, date, unit] - beta @ x_mean.T
        of_period = level[:, :, None] + beta[:, None, :n_periods]
        effect = known * self.y_sum / total - n * of_period - np.einsum("gtp,op->ogt", z, beta[:, n_periods:])
        residual = first_xy - np.einsum("gkl,ol->ogk", first_xx, beta)
        shared = effect_groups(gtime, panel.periods)
        share = weight[:, None] * n
        scores = about_shared_effects(weight[:, None] * effect, share, shared) - weight * (residual @ multiplier)
        if has_a_small_group(gtime, panel.periods[-1]):
            scores *= count_of_comparators(shared)
        return np.einsum("g,ogt->o", weight, effect), scores
