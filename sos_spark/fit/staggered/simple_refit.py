"""The simple aggregate of group-time effects under any assignment of go-lives, fast enough to permute them.

With m[h, t] the mean of the LAs that go live in h, b = a - 1 and C(t) the LAs that compare in t, ATT(a, t) =
(m[a, t] - m[a, b]) - (m[C(t), t] - m[C(t), b]); the standard error needs the aggregate's slope on each m[h, t], which
is a matter of a few small matrix products. Its residuals are those that CR2 and the bootstrap have: about the groups'
own means, or, where some group is small, about effects that groups share (see `residuals`), with the treated LAs'
scores adjusted for leverage (see `shared_refit`). The numbers are those of `residuals.average_moments`, without a
regression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.errors import InputError
from sos_spark.fit.regression.design import NEVER
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.group_time import Control, Ints, UnitPanel
from sos_spark.fit.staggered.residual_model import effect_groups, has_a_small_group
from sos_spark.fit.staggered.shared_refit import adjustment, solve_spanned

_ROUNDING = 1e-10
"""Share of the slope's sum of squares outside the model below which it is rounding."""


@dataclass(frozen=True)
class SimpleEffect:
    """A panel's totals by LA and period, to be grouped by whatever go-lives are tried.

    Shapes: rows (G, T); y_sum (O, G, T), of one outcome or several.
    """

    rows: Array
    y_sum: Array
    control: Control | None = None

    @classmethod
    def of(cls, panel: UnitPanel, *, control: Control | None = None) -> SimpleEffect:
        """Returns the totals of a panel. `control` as in `group_time_effects`: by default never treated, if any are.

        The outcomes are y and, second, the treatment itself, whose effect is 1 in every treated row.
        """
        time = np.arange(panel.rows.shape[1])
        treated = (panel.gtime != NEVER)[:, None] & (time >= panel.gtime[:, None])
        return cls(panel.rows, np.stack([panel.y_sum, panel.rows * treated]), control)

    def under(self, gtime: Ints) -> tuple[float, float]:
        """Returns the simple aggregate of the first outcome and its standard error when the LAs go live as given, (G,).

        The standard error is that which studentises permuted assignments: CR1 without its factor where no group is
        small.

        Raises:
            InputError: Nothing can be measured.
        """
        effect, scores = SimpleEffect(self.rows, self.y_sum[:1], self.control).scored(gtime)
        return float(effect[0]), float(np.linalg.norm(scores[0]))

    def scored(self, gtime: Ints) -> tuple[Array, Array]:
        """Returns the aggregate of each outcome (O,) and the LAs' scores (O, G) when they go live as given, (G,).

        Raises:
            InputError: Nothing can be measured.
        """
        groups, first, group_of = np.unique(gtime, return_index=True, return_inverse=True)
        member = (group_of == np.arange(len(groups))[:, None]).astype(np.float64)
        rows, sums = member @ self.rows, member @ self.y_sum
        slope = self._slope(groups, rows)
        fitted = mean = _ratio(sums, rows)
        n_periods = rows.shape[1]
        factor = np.ones(len(gtime))
        if has_a_small_group(gtime, n_periods - 1):
            shared = effect_groups(gtime, np.arange(n_periods))
            treated = np.flatnonzero((shared >= 0).any(axis=1))
            cells = np.where(group_of[treated, None] == np.arange(len(groups)), 1.0, 0.0)[:, :, None]
            own = cells * self.rows[treated, None]
            fitted, factor[treated] = _shared_fit(rows, sums, slope, shared[first], own)
        left = self.y_sum - self.rows * fitted[:, group_of]
        return np.sum(slope * mean, axis=(1, 2)), factor * np.einsum("gt,ogt->og", _ratio(slope, rows)[group_of], left)

    def _slope(self, groups: Ints, rows: Array) -> Array:
        """Returns the aggregate's slope (H, T) on the groups' means."""
        time = np.arange(rows.shape[1])
        never = groups == NEVER
        if never.any() and self.control != "not_yet":
            compares = np.broadcast_to(never, (len(time), len(groups)))
        else:
            compares = never | (groups > time[:, None])
        control_rows = compares @ rows
        treated = np.flatnonzero(groups > 0)
        base = groups[treated] - 1
        known = (time >= groups[treated][:, None]) & (rows[treated] > 0) & (rows[treated, base] > 0)[:, None]
        known &= (np.diag(control_rows) > 0) & (control_rows[:, base].T > 0)
        weight = known * rows[treated].sum(axis=1)[:, None]
        if not weight.any():
            raise InputError("No effect can be measured under this assignment")
        weight = weight / weight.sum()
        slope = np.zeros_like(rows)
        slope[treated] += weight
        slope[treated, base] -= weight.sum(axis=1)
        slope -= compares.T * rows * _ratio(weight.sum(axis=0), np.diag(control_rows))
        for a, b in enumerate(base):
            slope[:, b] += rows[:, b] * (_ratio(weight[a], control_rows[:, b]) @ compares)
        return slope


def _shared_fit(rows: Array, sums: Array, slope: Array, shared: Ints, treated: Array) -> tuple[Array, Array]:
    """Fits the cells' means by group, period, shared effect and the slope's own weights.

    Shapes: rows, slope, shared (H, T), sums (O, H, T); shared numbers the effects, -1 for none; treated (L, H, T), the
    rows of each treated LA by cell. Returns fitted means (O, H, T) and what treated LAs' scores are multiplied by (L,).
    """
    n_groups, n_periods = rows.shape
    cell = rows > 0
    group, period = np.nonzero(cell)
    found = np.unique(shared[cell])
    regressors = np.concatenate(
        [
            group[:, None] == np.arange(n_groups),
            period[:, None] == np.arange(n_periods),
            shared[cell][:, None] == found[found >= 0],
        ],
        axis=1,
    ).astype(np.float64)
    n, own = rows[cell], slope[cell]
    y = sums[:, cell]
    left = regressors.T @ (n[:, None] * regressors)
    right = regressors.T @ np.vstack([y, own]).T
    solved = solve_spanned(left, right)
    of_model = regressors @ solved
    fitted = of_model[:, :-1]
    outside = own / n - of_model[:, -1]
    size = float(own @ outside)
    v = treated[:, cell] * (own / n)
    spans = v @ regressors
    leverage = np.einsum("lk,kl->l", spans, solve_spanned(left, spans.T))
    if size > _ROUNDING * float(own @ (own / n)):
        fitted = fitted + np.outer(outside, (y.T - n[:, None] * fitted).T @ outside / size)
        leverage = leverage + (v @ outside) ** 2 / size
    result = np.zeros_like(sums)
    result[:, group, period] = fitted.T
    return result, adjustment(leverage, v @ (own / n))


def _ratio(numerator: Array, denominator: Array) -> Array:
    """Returns numerator / denominator, 0 where there is nothing to divide by."""
    above = np.broadcast_to(np.asarray(denominator) > 0, np.shape(numerator + 0 * denominator))
    return np.divide(numerator, denominator, out=np.zeros(above.shape), where=above)
