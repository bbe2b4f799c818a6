"""Goodman-Bacon's decomposition: the two-by-two comparisons that two-way fixed effects average, with their weights.

Goodman-Bacon (2021, Journal of Econometrics 225). It holds for a balanced panel in which each LA counts once, so it is
of the means of the LAs that have rows in every period, and of the two-way estimate on these, not of the study's own
weighted fit. A large weight on later_vs_earlier, where LAs treated earlier stand in for untreated ones, says that the
two-way estimate cannot be trusted if effects grow or fade.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.design import NEVER, Ints, PreparedPanel
from sos_spark.fit.regression.moments import Array

Comparison = Literal["treated_vs_never", "earlier_vs_later", "later_vs_earlier"]


@dataclass(frozen=True)
class TwoByTwo:
    """One comparison: of the group that goes live at `treated` against the one of `control` (NEVER: never treated).

    Groups are named by the place of their first treated period among the panel's. Weights add up to 1.
    """

    comparison: Comparison
    treated: int
    control: int
    weight: float
    estimate: float


@dataclass(frozen=True)
class GoodmanBacon:
    """The comparisons, the two-way estimate of the balanced LA-equal panel they add up to, and how many LAs it has.

    `n_left_out` counts LAs without rows in some period, or treated in every one.
    """

    comparisons: tuple[TwoByTwo, ...]
    n_units: int
    n_left_out: int

    @property
    def twfe(self) -> float:
        """The weighted sum of the comparisons: two-way fixed effects on this panel."""
        return float(sum(part.weight * part.estimate for part in self.comparisons))

    @property
    def label(self) -> str:
        """What the numbers are of, in a sentence."""
        return (
            f"balanced LA-equal panel: means of the {self.n_units} authorities with rows in every period, each counted"
            f" once; {self.n_left_out} left out"
        )

    def share(self, comparison: Comparison) -> float:
        """Returns the weight of all comparisons of a kind."""
        return float(sum(part.weight for part in self.comparisons if part.comparison == comparison))


def goodman_bacon(panel: PreparedPanel) -> GoodmanBacon:
    """Decomposes two-way fixed effects on the means of the LAs that have rows in every period.

    Raises:
        NotEstimableError: No such LA is treated within the panel, or none compares.
    """
    n_periods = len(panel.periods)
    start = np.where(panel.gtime == NEVER, n_periods, np.searchsorted(panel.periods, panel.gtime))
    keep = (panel.rows > 0).all(axis=1) & (start > 0)
    start = start[keep]
    means = panel.y_sum[keep] / panel.rows[keep]
    groups = np.unique(start)
    if len(groups) < 2:
        raise NotEstimableError(
            "There are no two groups of authorities to compare",
            expected="treated authorities and others with rows in every period",
            found=f"{int(keep.sum())} authorities with rows in every period",
            remedy="Use longer periods, so that none is without rows",
        )
    by_group = np.array([means[start == g].mean(axis=0) for g in groups])
    sizes = np.array([np.count_nonzero(start == g) for g in groups], dtype=np.float64) / len(start)
    parts = [
        part
        for early in range(len(groups))
        for late in range(early + 1, len(groups))
        for part in _pair(groups[[early, late]], by_group[[early, late]], sizes[[early, late]])
    ]
    total = sum(part.weight for part in parts)
    return GoodmanBacon(
        comparisons=tuple(
            TwoByTwo(part.comparison, part.treated, part.control, part.weight / total, part.estimate) for part in parts
        ),
        n_units=len(start),
        n_left_out=len(keep) - len(start),
    )


def _pair(starts: Ints, means: Array, sizes: Array) -> list[TwoByTwo]:
    """Returns the comparisons of an earlier and a later group, weights not yet divided by their sum.

    A comparison's weight is the variance of its treatment: sizes of the two groups, shares of the periods it uses.
    """
    (early, late), n_periods = (int(start) for start in starts), means.shape[1]
    before, between, after = slice(0, early), slice(early, late), slice(late, n_periods)
    product = float(sizes[0] * sizes[1])
    n_before, n_between, n_after = early, late - early, n_periods - late

    def difference(mine: int, other: int, first: slice, second: slice) -> float:
        change = means[:, second].mean(axis=1) - means[:, first].mean(axis=1)
        return float(change[mine] - change[other])

    never = late == n_periods
    parts = [
        TwoByTwo(
            comparison="treated_vs_never" if never else "earlier_vs_later",
            treated=early,
            control=NEVER if never else late,
            weight=product * n_before * n_between,
            estimate=difference(0, 1, before, between),
        )
    ]
    if not never:
        estimate = difference(1, 0, between, after)
        parts.append(TwoByTwo("later_vs_earlier", late, early, product * n_between * n_after, estimate))
    return parts


def goodman_bacon_frame(panel: PreparedPanel) -> pd.DataFrame:
    """Returns the comparisons of the balanced LA-equal panel.

    Returns:
        Grain: one row per comparison, in order of treated and control group; the columns of goodman_bacon.csv: starts
        are the first day of the group's first treated period, control_start blank for the never treated.
        `attrs["label"]` says what the numbers are of and how many LAs are left out.

    Raises:
        NotEstimableError: As `goodman_bacon`.
    """
    decomposition = goodman_bacon(panel)

    def start(place: int) -> str:
        return "" if place == NEVER else panel.period_starts[place].isoformat()

    records = [
        (panel.outcome_id, part.comparison, start(part.treated), start(part.control), part.weight, part.estimate)
        for part in decomposition.comparisons
    ]
    columns = ["outcome_id", "comparison", "treated_start", "control_start", "weight", "estimate"]
    frame = pd.DataFrame(records, columns=columns)
    frame.attrs["label"] = decomposition.label
    return frame
