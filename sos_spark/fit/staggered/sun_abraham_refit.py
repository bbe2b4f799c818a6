"""Sun and Abraham's average under any assignment of go-lives, fast enough to permute them.

A group's effects take up all its periods but one, so in effect each group has period effects of its own, within LAs,
and only covariates link the groups: small systems, one a group, in place of one large regression. Estimate and scores
are those of `sun_abraham`: where some group is small, about residuals that groups share (`shared_refit`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sos_spark.errors import InputError
from sos_spark.fit.cells.subpanel import Mask, period_products
from sos_spark.fit.regression.design import NEVER, Ints, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.residual_model import has_a_small_group
from sos_spark.fit.staggered.shared_refit import SharedResiduals
from sos_spark.fit.staggered.sun_abraham import comparison_groups
from sos_spark.fit.staggered.untreated import UntreatedRows, pseudo_inverse

_NOT_IDENTIFIED = 1e-7


@dataclass(frozen=True)
class SunAbrahamRefit:
    """Cross-products by LA, which no assignment changes.

    Shapes: periods (T,); rows (G, T); weight (G,); xx (G, K, K) of period dummies and covariates, LA means swept out;
    xy (2, G, K) of y and of the actual treatment.
    """

    periods: Ints
    rows: Array
    weight: Array
    xx: Array
    xy: Array

    @classmethod
    def of(cls, panel: PreparedPanel, *, weights: Weights) -> SunAbrahamRefit:
        """Sums the rows by LA: of periods before the last go-live only, where nobody is never treated."""
        keep = np.ones(len(panel.periods), dtype=bool)
        if not ((panel.gtime == NEVER) | (panel.gtime > panel.periods[-1])).any():
            keep = np.asarray(panel.periods < panel.gtime.max())
        rows = panel.rows * keep
        every = [_products(each, keep) for each in (panel, panel.with_effect_as_outcome())]
        totals = np.maximum(rows.sum(axis=1), 1.0)
        weight = np.ones_like(totals) if weights == "child" else 1.0 / totals
        # Dates after the periods that are left mark the group that compares.
        return cls(
            panel.periods[keep], rows[:, keep], weight, every[0].xx, np.stack([products.xy for products in every])
        )

    def scored(self, gtime: Ints) -> tuple[Array, Array]:
        """Returns the average of each outcome (2,) and the LAs' scores (2, G) when they go live as given, (G,).

        Raises:
            InputError: Nothing can be estimated.
        """
        group = comparison_groups(gtime, self.periods)
        groups, group_of = np.unique(group, return_inverse=True)
        member = (group_of == np.arange(len(groups))[:, None]) * self.weight
        n_periods = len(self.periods)
        xx = np.tensordot(member, self.xx, axes=1)
        xy = member @ self.xy
        contrast = self._contrast(groups, member)
        inner = np.array([pseudo_inverse(part) for part in xx[:, :n_periods, :n_periods]])
        across = xx[:, :n_periods, n_periods:]
        # Covariates first, what each group's periods explain taken out; then each group's periods.
        carried = np.matmul(inner, across)
        left = (xx[:, n_periods:, n_periods:] - np.matmul(across.transpose(0, 2, 1), carried)).sum(axis=0)
        z_inverse = pseudo_inverse(left) if len(left) else left
        slope_z = -z_inverse @ np.einsum("htp,ht->p", carried, contrast)
        slope_t = np.einsum("hts,hs->ht", inner, contrast - across @ slope_z)
        found = np.einsum("hst,ht->hs", xx[:, :n_periods, :n_periods], slope_t) + across @ slope_z
        if np.abs(found - contrast).max() > _NOT_IDENTIFIED * np.abs(contrast).max():
            raise InputError("No effect can be measured under this assignment")
        slope = np.concatenate([slope_t, np.tile(slope_z, (len(groups), 1))], axis=1)[group_of]
        vx = np.einsum("gk,gkl->gl", slope, self.xx)
        vy = np.einsum("gk,ogk->og", slope, self.xy)
        if has_a_small_group(group, self.periods[-1]):
            shared = SharedResiduals(self.periods, self.weight, self.xx, self.xy)
            return vy @ self.weight, shared.scores(group, vx=vx, vy=vy, vv=np.einsum("gk,gk->g", vx, slope))
        z_right = xy[:, :, n_periods:].sum(axis=1) - np.einsum("htp,oht->op", carried, xy[:, :, :n_periods])
        beta_z = z_right @ z_inverse
        beta_t = np.einsum("hts,ohs->oht", inner, xy[:, :, :n_periods] - np.einsum("hsp,op->ohs", across, beta_z))
        of_groups = np.broadcast_to(beta_z[:, None], (2, len(groups), len(slope_z)))
        beta = np.concatenate([beta_t, of_groups], axis=2)[:, group_of]
        return vy @ self.weight, self.weight * (vy - np.einsum("gk,ogk->og", vx, beta))

    def _contrast(self, groups: Ints, member: Array) -> Array:
        """Returns the average's weights (M, T) on the groups' period effects, comparators among them."""
        rows = member @ self.rows
        control = int(np.flatnonzero(groups == NEVER)[0])
        both = (rows > 0) & (rows[control] > 0)
        contrast = np.zeros_like(rows)
        for place, g in enumerate(groups):
            before = np.flatnonzero(both[place] & (self.periods < g))
            if place == control or not len(before):
                continue
            weight = (rows[place] * both[place]).sum() * (both[place] & (self.periods >= g))
            for who, sign in ((place, 1.0), (control, -1.0)):
                contrast[who] += sign * weight
                contrast[who, before[-1]] -= sign * weight.sum()
        total = contrast[groups != NEVER].clip(min=0).sum()
        if not total:
            raise InputError("No effect can be measured under this assignment")
        return np.asarray(contrast / total)


def _products(panel: PreparedPanel, keep: Mask) -> UntreatedRows:
    """Returns the cross-products of the periods that are kept, without the dummies of others."""
    zz, zy = panel.zz_sum, panel.zy_sum
    if not keep.all():
        by_period = period_products(panel)
        zz, zy = np.einsum("t,gtpq->gpq", keep, by_period[0]), np.einsum("t,gtp->gp", keep, by_period[1])
    every = UntreatedRows.of(panel, np.broadcast_to(keep, panel.rows.shape), zz=zz, zy=zy)
    places = np.concatenate([np.flatnonzero(keep), np.arange(len(keep), every.x_mean.shape[1])])
    return replace(every, x_mean=every.x_mean[:, places], xx=every.xx[:, places][:, :, places], xy=every.xy[:, places])
