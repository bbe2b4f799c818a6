"""The simple aggregate of group-time effects under any assignment of go-lives, fast enough to permute them.

With m[h, t] the mean of the LAs that go live in h, b = a - 1 and C(t) the LAs that compare in t, ATT(a, t) = (m[a, t]
- m[a, b]) - (m[C(t), t] - m[C(t), b]); the scores need the aggregate's slope on each m[h, t], which is a matter of a
few small matrix products. Residuals are about the groups' own means, those of CR1; where some group is small, effects
are about those that groups share (see `small_groups`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.errors import InputError
from sos_spark.fit.regression.design import NEVER
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.group_time import Control, Ints, UnitPanel
from sos_spark.fit.staggered.residual_model import effect_groups, has_a_small_group
from sos_spark.fit.staggered.small_groups import about_shared_effects, count_of_comparators


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
        groups, group_of = np.unique(gtime, return_inverse=True)
        member = (group_of == np.arange(len(groups))[:, None]).astype(np.float64)
        rows, sums = member @ self.rows, member @ self.y_sum
        mean, time = _ratio(sums, rows), np.arange(rows.shape[1])
        compares = self._compares(groups, time)
        weight = _weights(groups, rows, compares)
        per_row = _ratio(_slope(groups, rows, compares, weight), rows)[group_of]
        effect = _effects(groups, rows, sums, compares)
        estimate = np.sum(weight * effect, axis=(1, 2))
        left = self.y_sum - self.rows * mean[:, group_of]
        scores = np.einsum("gt,ogt->og", per_row, left)
        if has_a_small_group(gtime, time[-1]):
            shared = effect_groups(gtime, time)
            own = _ratio(weight, rows)[group_of] * self.rows
            # A treated LA lies about its group's mean, and that about the mean of those that share its effect.
            about_group = _ratio(weight, rows)[group_of] * left
            of_unit = own * effect[:, group_of] + about_group
            scores += about_shared_effects(of_unit, own, shared) - about_group.sum(axis=2)
            scores *= count_of_comparators(shared)
        return estimate, scores

    def _compares(self, groups: Ints, time: Ints) -> Array:
        """Returns which groups compare in each period (T, H)."""
        never = groups == NEVER
        if never.any() and self.control != "not_yet":
            return np.broadcast_to(never, (len(time), len(groups)))
        return np.asarray(never | (groups > time[:, None]))


def _weights(groups: Ints, rows: Array, compares: Array) -> Array:
    """Returns the weight (H, T) of each group-time effect from go-live on."""
    time, control_rows = np.arange(rows.shape[1]), compares @ rows
    base = np.maximum(groups - 1, 0)
    known = (groups > 0)[:, None] & (time >= groups[:, None]) & (rows > 0)
    known &= (rows[np.arange(len(groups)), base] > 0)[:, None]
    known &= (np.diag(control_rows) > 0) & (control_rows[:, base].T > 0)
    weight = known * rows.sum(axis=1)[:, None]
    if not weight.any():
        raise InputError("No effect can be measured under this assignment")
    return np.asarray(weight / weight.sum())


def _slope(groups: Ints, rows: Array, compares: Array, weight: Array) -> Array:
    """Returns the aggregate's slope (H, T) on the groups' means."""
    control_rows = compares @ rows
    slope = weight - compares.T * rows * _ratio(weight.sum(axis=0), np.diag(control_rows))
    for place in np.flatnonzero(weight.any(axis=1)):
        b, own = int(groups[place]) - 1, weight[place]
        slope[place, b] -= own.sum()
        slope[:, b] += rows[:, b] * (_ratio(own, control_rows[:, b]) @ compares)
    return slope


def _effects(groups: Ints, rows: Array, sums: Array, compares: Array) -> Array:
    """Returns the effect (O, H, T) of every group and period against that before go-live; of weight 0 where unknown."""
    base, mean = np.maximum(groups - 1, 0), _ratio(sums, rows)
    # (O, T, T): of those that compare in the first period, the mean in the second.
    control = _ratio(compares @ sums, compares @ rows)
    change = np.einsum("ott->ot", control)[:, None, :] - control[:, :, base].transpose(0, 2, 1)
    return np.asarray(mean - mean[:, np.arange(len(groups)), base][:, :, None] - change)


def _ratio(numerator: Array, denominator: Array) -> Array:
    """Returns numerator / denominator, 0 where there is nothing to divide by."""
    above = np.broadcast_to(np.asarray(denominator) > 0, np.shape(numerator + 0 * denominator))
    return np.divide(numerator, denominator, out=np.zeros(above.shape), where=above)
