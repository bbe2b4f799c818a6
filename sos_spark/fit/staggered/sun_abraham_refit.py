"""Sun and Abraham's average under any assignment of go-lives, fast enough to permute them.

A group's effects take up all its periods but one, so in effect each group has period effects of its own, within LAs,
and only covariates link the groups: small systems, one a group, in place of one large regression. Estimate and CR0
standard error are those of `sun_abraham`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.errors import InputError
from sos_spark.fit.cells.subpanel import period_products
from sos_spark.fit.regression.design import NEVER, Ints, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.sun_abraham import comparison_groups
from sos_spark.fit.staggered.untreated import UntreatedRows, pseudo_inverse

_NOT_IDENTIFIED = 1e-7


@dataclass(frozen=True)
class SunAbrahamRefit:
    """Cross-products by LA, which no assignment changes. Shapes: periods (T,); rows (G, T); weight (G,)."""

    periods: Ints
    rows: Array
    weight: Array
    every: UntreatedRows

    @classmethod
    def of(cls, panel: PreparedPanel, *, weights: Weights) -> SunAbrahamRefit:
        """Sums the rows by LA: of periods before the last go-live only, where nobody is never treated."""
        keep = np.ones(len(panel.periods), dtype=bool)
        if not ((panel.gtime == NEVER) | (panel.gtime > panel.periods[-1])).any():
            keep = np.asarray(panel.periods < panel.gtime.max())
        zz, zy = panel.zz_sum, panel.zy_sum
        if not keep.all():
            by_period = period_products(panel)
            zz, zy = np.einsum("t,gtpq->gpq", keep, by_period[0]), np.einsum("t,gtp->gp", keep, by_period[1])
        rows = panel.rows * keep
        totals = np.maximum(rows.sum(axis=1), 1.0)
        every = UntreatedRows.of(panel, np.broadcast_to(keep, rows.shape), zz=zz, zy=zy)
        weight = np.ones_like(totals) if weights == "child" else 1.0 / totals
        # Dates after the periods that are left mark the group that compares.
        return cls(panel.periods[keep], rows[:, keep], weight, _only(every, keep))

    def under(self, gtime: Ints) -> tuple[float, float]:
        """Returns the average and its CR0 standard error when the LAs go live as given, (G,).

        Raises:
            InputError: Nothing can be estimated.
        """
        group = comparison_groups(gtime, self.periods)
        groups, group_of = np.unique(group, return_inverse=True)
        member = (group_of == np.arange(len(groups))[:, None]) * self.weight
        n_periods = len(self.periods)
        xx = np.tensordot(member, self.every.xx, axes=1)
        xy = member @ self.every.xy
        contrast = self._contrast(groups, member)
        inner = np.array([pseudo_inverse(part) for part in xx[:, :n_periods, :n_periods]])
        across = xx[:, :n_periods, n_periods:]
        # Covariates first, what each group's periods explain taken out; then each group's periods.
        carried = np.matmul(inner, across)
        left = (xx[:, n_periods:, n_periods:] - np.matmul(across.transpose(0, 2, 1), carried)).sum(axis=0)
        z_inverse = pseudo_inverse(left) if len(left) else left
        beta_z = z_inverse @ (xy[:, n_periods:].sum(axis=0) - np.einsum("htp,ht->p", carried, xy[:, :n_periods]))
        beta_t = np.einsum("hts,hs->ht", inner, xy[:, :n_periods] - across @ beta_z)
        slope_z = -z_inverse @ np.einsum("htp,ht->p", carried, contrast)
        slope_t = np.einsum("hts,hs->ht", inner, contrast - across @ slope_z)
        found = np.einsum("hst,ht->hs", xx[:, :n_periods, :n_periods], slope_t) + across @ slope_z
        if np.abs(found - contrast).max() > _NOT_IDENTIFIED * np.abs(contrast).max():
            raise InputError("No effect can be measured under this assignment")
        beta = np.concatenate([beta_t, np.tile(beta_z, (len(groups), 1))], axis=1)[group_of]
        slope = np.concatenate([slope_t, np.tile(slope_z, (len(groups), 1))], axis=1)[group_of]
        residual = self.every.xy - np.einsum("gkl,gl->gk", self.every.xx, beta)
        scores = self.weight * np.einsum("gk,gk->g", slope, residual)
        return float(np.sum(contrast * beta_t)), float(np.linalg.norm(scores))

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


def _only(every: UntreatedRows, keep: Array) -> UntreatedRows:
    """Returns the cross-products without the dummies of periods that are left out."""
    places = np.concatenate([np.flatnonzero(keep), np.arange(len(keep), every.x_mean.shape[1])])
    return UntreatedRows(
        rows=every.rows,
        x_mean=every.x_mean[:, places],
        y_mean=every.y_mean,
        xx=every.xx[:, places][:, :, places],
        xy=every.xy[:, places],
    )
