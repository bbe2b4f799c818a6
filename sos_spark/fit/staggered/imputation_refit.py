"""The imputation estimate under any assignment of go-lives, fast enough to permute them.

Estimate and scores are those of `imputation`, so that assignments are ranked by the standard error that CR2 and the
bootstrap have, about residuals that treated rows share (`shared_refit`): of its own a lone group has none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.errors import InputError
from sos_spark.fit.cells.subpanel import Mask, period_products
from sos_spark.fit.inference.randomisation import effect_and_scores
from sos_spark.fit.regression.design import NEVER, TREATED, Ints, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.imputation import imputation_moments
from sos_spark.fit.staggered.shared_refit import SharedResiduals
from sos_spark.fit.staggered.untreated import UntreatedRows, predicted, pseudo_inverse

_NOT_IDENTIFIED = 1e-7


@dataclass(frozen=True)
class ImputationRefit:
    """A panel's untreated rows by LA if it went live on each date, to be put together for whatever is tried.

    `outcomes` are the panels of y and of the actual treatment. Shapes, M dates with NEVER among them: dates (M,)
    ascending; before (M, T); of rows before each date: rows (M, G), x_mean (M, G, K), xx (M, G, K, K) of period dummies
    and covariates, LA means swept out, zz (M, G, P, P) and zy (2, M, G, P) as they are; y_sum (2, G, T).
    """

    outcomes: tuple[PreparedPanel, PreparedPanel]
    weights: Weights
    weight: Array
    dates: Ints
    before: Mask
    rows: Array
    x_mean: Array
    xx: Array
    zz: Array
    zy: Array
    y_sum: Array
    every: SharedResiduals

    @classmethod
    def of(cls, panel: PreparedPanel, *, weights: Weights) -> ImputationRefit:
        """Sums the panel's rows before each of its dates."""
        outcomes = (panel, panel.with_effect_as_outcome())
        dates = np.unique(panel.gtime)
        before = np.asarray((dates == NEVER)[:, None] | (panel.periods < dates[:, None]))
        by_period = [period_products(each) for each in outcomes]
        zz = np.einsum("mt,gtpq->mgpq", before, by_period[0][0])
        zy = np.stack([np.einsum("mt,gtp->mgp", before, zy) for _, zy in by_period])
        parts = [
            UntreatedRows.of(panel, np.broadcast_to(mask, panel.rows.shape), zz=zz[m], zy=zy[0, m])
            for m, mask in enumerate(before)
        ]
        whole = np.ones(panel.rows.shape, dtype=bool)
        every = [UntreatedRows.of(each, whole, zz=each.zz_sum, zy=each.zy_sum) for each in outcomes]
        weight = panel.row_weight(weights)
        return cls(
            outcomes=outcomes,
            weights=weights,
            weight=weight,
            dates=dates,
            before=before,
            rows=np.stack([part.rows for part in parts]),
            x_mean=np.stack([part.x_mean for part in parts]),
            xx=np.stack([part.xx for part in parts]),
            zz=zz,
            zy=zy,
            y_sum=np.stack([each.y_sum for each in outcomes]),
            every=SharedResiduals(panel.periods, weight, every[0].xx, np.stack([own.xy for own in every])),
        )

    def scored(self, gtime: Ints) -> tuple[Array, Array]:
        """Returns the estimate of each outcome (2,) and the LAs' scores (2, G) when they go live as given, (G,).

        Dates are among the panel's.

        Raises:
            InputError: Nothing can be estimated.
        """
        panel = self.outcomes[0].with_gtime(gtime)
        if not predicted(panel)[panel.rows > 0].all():
            return self._without_unpredicted(gtime)
        date, unit = np.searchsorted(self.dates, gtime), np.arange(len(gtime))
        before, rows, x_mean = self.before[date], self.rows[date, unit], self.x_mean[date, unit]
        total = float(self.weight @ (panel.rows * ~before).sum(axis=1))
        if not total:
            raise InputError("No effect can be measured under this assignment")
        target = ~before / total
        n, z = target * panel.rows, target[:, :, None] * panel.z_sum
        taken = n.sum(axis=1)
        slope = np.concatenate([n, z.sum(axis=1)], axis=1) - taken[:, None] * x_mean
        xx = np.einsum("g,gkl->kl", self.weight, self.xx[date, unit])
        direction = self.weight @ slope
        multiplier = pseudo_inverse(xx) @ direction
        if np.abs(xx @ multiplier - direction).max() > _NOT_IDENTIFIED * np.abs(direction).max():
            raise InputError("No effect can be measured under this assignment")
        n_periods = len(panel.periods)
        constant = -taken / np.maximum(rows, 1.0) + x_mean @ multiplier
        level = np.where(before, constant[:, None] - multiplier[:n_periods], target) * (panel.rows > 0)
        return self._scored(gtime, date, level, -multiplier[n_periods:])

    def _scored(self, gtime: Ints, date: Ints, level: Array, z_before: Array) -> tuple[Array, Array]:
        """Returns estimates and scores of weights v: of a row, level (G, T) and, before go-live, z'z_before more."""
        panel, unit, before = self.outcomes[0], np.arange(len(gtime)), self.before[date]
        z_part = self.zz[date, unit] @ z_before
        sums = panel.rows * level + before * (panel.z_sum @ z_before)
        with_z = np.einsum("gt,gtp->gp", level, panel.z_sum) + z_part
        with_z_before = np.einsum("gt,gtp->gp", before * level, panel.z_sum) + z_part
        vy = np.einsum("gt,ogt->og", level, self.y_sum) + self.zy[:, date, unit] @ z_before
        vx = np.concatenate([sums, with_z], axis=1)
        vv = np.einsum("gt,gt->g", level, sums) + with_z_before @ z_before
        return vy @ self.weight, self.every.scores(gtime, vx=vx, vy=vy, vv=vv)

    def _without_unpredicted(self, gtime: Ints) -> tuple[Array, Array]:
        """The same where treated rows have to go that nothing predicts: by the regression itself, which is slower."""
        att, scores = np.zeros(2), np.zeros((2, len(gtime)))
        for outcome, panel in enumerate(self.outcomes):
            moments = imputation_moments(panel.with_gtime(gtime), weights=self.weights)
            att[outcome], own = effect_and_scores(moments, TREATED)
            scores[outcome, [panel.unit_ids.index(unit_id) for unit_id in moments.unit_ids]] = own
        return att, scores
