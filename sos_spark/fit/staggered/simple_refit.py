"""The simple aggregate of group-time effects under any assignment of go-lives, fast enough to permute them.

The same numbers as `staggered.simple_effect_and_se` without a regression. With m[h, t] the mean of the LAs that go live
in h, b = a - 1 and C(t) the LAs that compare in t, ATT(a, t) = (m[a, t] - m[a, b]) - (m[C(t), t] - m[C(t), b]); the
standard error needs the aggregate's slope on each m[h, t], which is a matter of a few small matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.errors import InputError
from sos_spark.fit.regression.design import NEVER
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.group_time import Control, Ints, UnitPanel


@dataclass(frozen=True)
class SimpleEffect:
    """A panel's totals by LA and period, (G, T) each, to be grouped by whatever go-lives are tried."""

    rows: Array
    y_sum: Array
    control: Control | None = None

    @classmethod
    def of(cls, panel: UnitPanel, *, control: Control | None = None) -> SimpleEffect:
        """Returns the totals of a panel. `control` as in `group_time_effects`: by default never treated, if any are."""
        return cls(panel.rows, panel.y_sum, control)

    def under(self, gtime: Ints) -> tuple[float, float]:
        """Returns the simple aggregate and its CR0 standard error when the LAs go live as given, (G,).

        Raises:
            InputError: Nothing can be measured.
        """
        groups, group_of = np.unique(gtime, return_inverse=True)
        member = (group_of == np.arange(len(groups))[:, None]).astype(np.float64)
        rows, sums = member @ self.rows, member @ self.y_sum
        mean = _ratio(sums, rows)
        time = np.arange(rows.shape[1])
        never = groups == NEVER
        if never.any() and self.control != "not_yet":
            compares = np.broadcast_to(never, (len(time), len(groups)))
        else:
            compares = never | (groups > time[:, None])
        control_rows = compares @ rows
        control_mean = _ratio(compares @ sums, control_rows)
        treated = np.flatnonzero(groups > 0)
        base = groups[treated] - 1
        known = (time >= groups[treated][:, None]) & (rows[treated] > 0) & (rows[treated, base] > 0)[:, None]
        known &= (np.diag(control_rows) > 0) & (control_rows[:, base].T > 0)
        weight = known * rows[treated].sum(axis=1)[:, None]
        if not weight.any():
            raise InputError("No effect can be measured under this assignment")
        weight = weight / weight.sum()
        own = mean[treated] - mean[treated, base][:, None]
        effect = float(np.sum(weight * (own - np.diag(control_mean) + control_mean[:, base].T)))
        slope = np.zeros_like(mean)
        slope[treated] += weight
        slope[treated, base] -= weight.sum(axis=1)
        slope -= compares.T * rows * _ratio(weight.sum(axis=0), np.diag(control_rows))
        for a, b in enumerate(base):
            slope[:, b] += rows[:, b] * (_ratio(weight[a], control_rows[:, b]) @ compares)
        scores = np.sum(_ratio(slope, rows)[group_of] * (self.y_sum - self.rows * mean[group_of]), axis=1)
        return effect, float(np.sqrt(scores @ scores))


def _ratio(numerator: Array, denominator: Array) -> Array:
    """Returns numerator / denominator, 0 where there is nothing to divide by."""
    return np.divide(numerator, denominator, out=np.zeros(np.shape(denominator)), where=np.asarray(denominator) > 0)
