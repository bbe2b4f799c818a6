"""A linear estimate's variance from the residuals of a model coarser than the estimate's own.

An estimate tau = sum_i w_i v_i y_i with a free effect for each treated LA and period, or for each small group of LAs,
leaves treated rows no residual, or too little of one. Its variance then comes from a model in which treated rows share
effects d: y = LA + period + covariates + d + e (Borusyak, Jaravel and Spiess 2024, section 4.3). v need not be the
least-squares weight of that model: v = v_ols + u, u orthogonal to all its regressors. So the regression gets the
regressor u too, and with v orthogonal to LA, period and covariates

    tau = sum over d of (v's weight on the rows that share it) d + (u'u) k,      k the coefficient of u,

is a linear combination of its coefficients: the same estimate to the last digit, with the residuals, leverages,
bootstrap and degrees of freedom of one regression.

Which effects are shared: those of a group of LAs that go live together, period by period ("cohort-period"), if every
group has more than 4 LAs. Else those of an event time, over all groups, event times that only one LA reaches joined to
the last that two do. With effects of its own a group of one has no residual, and small groups have little: of true
nulls at 5 %, the restricted bootstrap rejected 8 % in groups of three and 10 % in groups of two, and CR2 71 % in groups
of one; with shared effects 5, 5 and, by CR2, 3.6 % (`monte_carlo_designs`, 2,000 replications of cs_simple). What
effects differ between LAs that share one is part of the variance: it errs to the safe side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sos_spark.fit.regression.combination import with_combination
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import NEVER, TREATED, Ints, PreparedPanel, Regression, Weights, regression
from sos_spark.fit.regression.moments import Array, ClusterMoments

SMALL_GROUP = 4
"""A group of so many LAs, or fewer, shares its effects with the others'."""

_ROUNDING = 1e-16
"""Share of v's sum of squares below which u is left out: the estimate moves by 1e-8 of its standard error at most."""

_OWN_WEIGHT = "own_weight"


def has_a_small_group(gtime: Ints, last: int) -> bool:
    """Returns whether a group of LAs that go live together, up to the last period, is small, and not the only one."""
    _, sizes = np.unique(gtime[(gtime != NEVER) & (gtime <= last)], return_counts=True)
    return len(sizes) > 1 and bool((sizes <= SMALL_GROUP).any())


def effect_groups(gtime: Ints, periods: Ints) -> Ints:
    """Returns a number (G, T) for each set of treated LA-periods that share an effect; -1 where untreated.

    Depends on the dates alone, and on how many LAs have each, not on who has rows.
    """
    since = periods[None, :] - gtime[:, None]
    treated = (gtime != NEVER)[:, None] & (since >= 0)
    if not has_a_small_group(gtime, periods[-1]):
        return np.where(treated, gtime[:, None] * len(periods) + np.arange(len(periods)), -1)
    reached = np.sort(since[gtime != NEVER, -1])
    return np.where(treated, np.minimum(since, max(int(reached[-2]), 0)), -1)


def shared_effects(panel: PreparedPanel, *, weights: Weights) -> Regression:
    """Returns the regression whose residuals measure the variance: LA, period, covariates and shared effects."""
    groups = effect_groups(panel.gtime, panel.periods)
    found = np.unique(groups[(groups >= 0) & (panel.rows > 0)])
    effects = {f"effect_{number}": (groups == number).astype(np.float64) for number in found}
    return regression(panel, effects, weights=weights)


@dataclass(frozen=True)
class RowWeights:
    """What an estimate multiplies each row's y with, v, row weights left out; it sums to zero over each LA's rows.

    Of a row with covariates z: level[LA, period] + z'z_all, and z'z_before more if the row is not treated. Shapes:
    level (G, T), 0 where there are no rows; z_all, z_before (P,). zz (G, P, P) and zy (G, P) are the covariates'
    cross-products over untreated rows.
    """

    panel: PreparedPanel
    level: Array
    z_all: Array
    z_before: Array
    zz: Array
    zy: Array

    @property
    def sums(self) -> Array:
        """Sums of v over the rows of each LA and period (G, T)."""
        z_sum = self.panel.z_sum
        return np.asarray(self.panel.rows * self.level + z_sum @ self.z_all + self._before * (z_sum @ self.z_before))

    @property
    def _before(self) -> Array:
        return 1.0 - self.panel.treated

    def less(self, fitted: dict[str, float], effects: dict[str, Array]) -> RowWeights:
        """Returns v less a combination of a regression's regressors, LA means swept out, by their names."""
        panel = self.panel
        level = np.tile([fitted.get(f"period_{number}", 0.0) for number in panel.periods], (len(panel.rows), 1))
        for name, column in effects.items():
            level += fitted.get(name, 0.0) * column
        z = np.array([fitted.get(name, 0.0) for name in panel.covariates])
        total = np.einsum("gt,gt->g", panel.rows, level) + panel.z_sum.sum(axis=1) @ z
        level -= (total / panel.rows.sum(axis=1))[:, None]
        return replace(self, level=np.where(panel.rows > 0, self.level - level, 0.0), z_all=self.z_all - z)

    def products(self, names: tuple[str, ...], effects: dict[str, Array]) -> tuple[Array, Array, Array]:
        """Returns cross-products by LA with regressors (G, K), with itself (G,) and with y (G,)."""
        panel, sums = self.panel, self.sums
        with_z_before = np.einsum("gt,gtp->gp", self._before * self.level, panel.z_sum)
        with_z_before = with_z_before + self.zz @ (self.z_all + self.z_before)
        with_z = np.einsum("gt,gtp->gp", self.level, panel.z_sum) + panel.zz_sum @ self.z_all + self.zz @ self.z_before
        squares = np.einsum("gt,gt->g", self.level, sums) + with_z @ self.z_all + with_z_before @ self.z_before
        with_y = np.einsum("gt,gt->g", self.level, panel.y_sum) + panel.zy_sum @ self.z_all + self.zy @ self.z_before
        columns = []
        for name in names:
            if name in effects:
                columns.append(np.einsum("gt,gt->g", effects[name], sums))
            elif name in panel.covariates:
                columns.append(with_z[:, panel.covariates.index(name)])
            else:
                columns.append(sums[:, int(np.searchsorted(panel.periods, int(name.removeprefix("period_"))))])
        return np.stack(columns, axis=1), squares, with_y


def moments_of(v: RowWeights, base: Regression, solved: Sandwich) -> ClusterMoments:
    """Returns the regression that has the estimate as its coefficient `treated` and the base's residuals.

    Args:
        v: The estimate's weights, orthogonal to LA effects, period effects and covariates.
        base: The model with shared effects, of the same panel and row weights.
        solved: The base's solution.
    """
    moments, effects = base.moments, dict(base.effects)
    weight = moments.weight
    sums = weight[:, None] * v.sums
    share = np.array([float(np.sum(sums * effects[name])) if name in effects else 0.0 for name in moments.names])
    ols = solved.bread @ share
    u = v.less(dict(zip(moments.names, ols, strict=True)), effects)
    across, squares, with_y = u.products(moments.names, effects)
    total = float(weight @ squares)
    if total > _ROUNDING * (total + float(share @ ols)):
        xx = np.concatenate([moments.xx, across[:, :, None]], axis=2)
        last = np.concatenate([across, squares[:, None]], axis=1)
        moments = replace(
            moments,
            names=(*moments.names, _OWN_WEIGHT),
            xx=np.concatenate([xx, last[:, None, :]], axis=1),
            xy=np.concatenate([moments.xy, with_y[:, None]], axis=1),
        )
        share = np.append(share, total)
    return with_combination(moments, share, name=TREATED)
