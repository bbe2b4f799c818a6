"""How unsteady authorities are by themselves, and whether pilots are more so than comparators.

Permuted go-lives take for granted that pilots are as unsteady as comparators. The panel shows it: each authority's
scatter from period to period about its means before go-live and from it on is free of an effect that lasts. An effect
that grows or fades adds to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sos_spark.fit.regression.design import NEVER, Ints, PreparedPanel
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.thresholds import FEW_TREATED, UNSTEADY

FEWEST_FREE_PERIODS = 3
"""With fewer periods beyond the two means a pilot's own scatter says next to nothing."""

_NAN = float("nan")


@dataclass(frozen=True)
class Scatter:
    """How unsteady LAs are by themselves. Shapes (G,): `variance` s^2, `free` the periods beyond the two means."""

    variance: Array
    free: Ints

    @classmethod
    def of(cls, panel: PreparedPanel, rest: PreparedPanel, gtime: int) -> Scatter:
        """Measures every LA of a panel against the comparators in `rest`, itself left out, about a go-live.

        NaN where an LA lacks rows before the go-live or from it on, or has no period beyond the two means.
        """
        gap, there = _gaps(panel, rest)
        squares, per_square = np.zeros(len(gap)), np.zeros(len(gap))
        with np.errstate(divide="ignore", invalid="ignore"):
            for side in (panel.periods < gtime, panel.periods >= gtime):
                inside = there & side
                share = np.where(inside, panel.rows, 0.0)
                share = share / share.sum(axis=1, keepdims=True)
                mean = np.sum(gap * inside, axis=1, keepdims=True) / inside.sum(axis=1, keepdims=True)
                squares += np.sum((gap - mean) ** 2 * inside, axis=1)
                per_square += np.sum(share**2, axis=1)
            free = there.sum(axis=1) - 2
            return cls(np.where(free > 0, squares / free * per_square, _NAN), free)


def unsteadiness(panel: PreparedPanel) -> float:
    """Returns how large pilots' scatter is beside comparators': a ratio of standard deviations, 1 where alike.

    Pilots that went live in several periods are each set beside comparators about the same period. NaN where too few
    periods show it, or comparators do not scatter.
    """
    rest = panel.without({unit for unit, g in zip(panel.unit_ids, panel.gtime, strict=True) if g != NEVER})
    ratios: list[float] = []
    for gtime in np.unique(panel.gtime[panel.is_treated_unit]):
        scatter = Scatter.of(panel, rest, int(gtime))
        seen = (scatter.free >= FEWEST_FREE_PERIODS) & np.isfinite(scatter.variance)
        theirs = scatter.variance[seen & ~panel.is_treated_unit]
        if len(theirs) and theirs.mean() > 0:
            ratios += list(scatter.variance[seen & (panel.gtime == gtime)] / theirs.mean())
    return float(np.sqrt(np.mean(ratios))) if ratios else float("nan")


def too_unsteady(panel: PreparedPanel) -> bool:
    """Returns whether few pilots scatter so much more than comparators that permuted go-lives do not hold."""
    return 1 < panel.n_treated_units <= FEW_TREATED and unsteadiness(panel) > UNSTEADY


def _gaps(panel: PreparedPanel, rest: PreparedPanel) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Returns each LA's mean less that of the comparators without it, 0 where not known, and where it is (G, T)."""
    shared = [panel.unit_ids.index(unit) for unit in rest.unit_ids]
    compares = np.isin(np.arange(len(panel.unit_ids)), shared)[:, None]
    others = panel.rows[shared].sum(axis=0) - compares * panel.rows
    total = panel.y_sum[shared].sum(axis=0) - compares * panel.y_sum
    there = (panel.rows > 0) & (others > 0)
    gap = np.zeros(panel.rows.shape)
    gap[there] = panel.y_sum[there] / panel.rows[there] - total[there] / others[there]
    return gap, there
