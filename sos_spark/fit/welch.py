"""Two t-tests on each LA's change from before to after: one number an LA, nothing modelled.

Welch's lets pilots vary in another way than comparators. The pooled one is exact, whatever the number of LAs, if
changes are normal and pilots vary as comparators do (Lee and Wooldridge, on unit averages; their regression on a dummy
of treatment is this test): with two pilots it says what Welch's one degree of freedom cannot, at that price. Where
pilots' shocks are doubled it rejects 23 to 29 % of true nulls, so it is printed where they scatter alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from sos_spark.fit.estimators import unit_panel
from sos_spark.fit.inference.kernel import Mask
from sos_spark.fit.regression.design import NEVER, PreparedPanel
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.staggered.group_time import UnitPanel
from sos_spark.fit.thresholds import FEW_WELCH, UNLIKE
from sos_spark.fit.unsteadiness import unsteadiness


@dataclass(frozen=True)
class WelchTest:
    """Difference in mean change between arms, treated less comparators, in the outcome's unit.

    `se`, `df` and `p` are Welch's, `se_pooled` and the like those of equal variances. Counts are LAs seen both before
    and after go-live. NaN, with the reason in `note`, where it cannot be computed.
    """

    difference: float
    se: float
    df: float
    p: float
    n_treated: int
    n_comparators: int
    note: str = ""
    se_pooled: float = float("nan")
    p_pooled: float = float("nan")

    def interval(self, *, level: float = 0.95) -> tuple[float, float]:
        """Returns the interval of the difference, by t with Welch's df."""
        half = float(stats.t.ppf((1 + level) / 2, self.df)) * self.se
        return self.difference - half, self.difference + half

    @property
    def df_pooled(self) -> int:
        """The degrees of freedom of the pooled test."""
        return self.n_treated + self.n_comparators - 2

    def pooled_interval(self, *, level: float = 0.95) -> tuple[float, float]:
        """Returns the interval of the difference under equal variances."""
        half = float(stats.t.ppf((1 + level) / 2, self.df_pooled)) * self.se_pooled if self.se_pooled > 0 else math.nan
        return self.difference - half, self.difference + half


def welch_test(panel: UnitPanel) -> WelchTest:
    """Compares the LAs' changes in mean y from before to after go-live. LAs count equally, rows within an LA too.

    Needs one go-live date: with several, comparators have no 'after' of their own. Source: Welch (1947, Biometrika 34).
    """
    dates = np.unique(panel.gtime[panel.gtime != NEVER])
    if len(dates) != 1:
        return _blank(0, 0, "needs one go-live date")
    after = np.arange(panel.rows.shape[1]) >= dates[0]
    change = _mean(panel, after) - _mean(panel, ~after)
    seen = ~np.isnan(change)
    treated = panel.gtime != NEVER
    ours, theirs = change[seen & treated], change[seen & ~treated]
    if min(len(ours), len(theirs)) < 2:
        return _blank(len(ours), len(theirs), "needs two authorities in each arm seen before and after go-live")
    shares = np.array([ours.var(ddof=1) / len(ours), theirs.var(ddof=1) / len(theirs)])
    variance = float(shares.sum())
    if not variance > 0:
        return _blank(len(ours), len(theirs), "the changes do not vary")
    df = variance**2 / float(np.sum(shares**2 / (np.array([len(ours), len(theirs)]) - 1)))
    difference, se = float(ours.mean() - theirs.mean()), float(np.sqrt(variance))
    p = float(2 * stats.t.sf(abs(difference / se), df))
    welch = WelchTest(difference, se, df, p, len(ours), len(theirs))
    squares = float(ours.var() * len(ours) + theirs.var() * len(theirs))
    se_pooled = math.sqrt(squares / welch.df_pooled * (1 / len(ours) + 1 / len(theirs)))
    p_pooled = float(2 * stats.t.sf(abs(difference / se_pooled), welch.df_pooled))
    return replace(welch, se_pooled=se_pooled, p_pooled=p_pooled)


def welch_as_it_holds(panel: PreparedPanel) -> WelchTest:
    """Returns the test of a panel without the p-values and intervals that do not hold on it; `note` says why.

    Welch's with few pilots, and the pooled one where pilots scatter more than comparators.
    """
    test = welch_test(unit_panel(panel))
    notes = [test.note]
    if 1 < test.n_treated <= FEW_WELCH:
        test = replace(test, p=math.nan, df=math.nan)
        notes.append(f"{FEW_WELCH} pilots or fewer: Welch's test rejects too much, so no p and no interval by it")
    times = unsteadiness(panel)
    if times > UNLIKE:
        test = replace(test, p_pooled=math.nan, se_pooled=math.nan)
        notes.append(
            f"pilots scatter {times:.1f} times as much as comparators: above {UNLIKE} no test that takes them as alike"
        )
    return replace(test, note="; ".join(filter(None, notes)))


def _mean(panel: UnitPanel, periods: Mask) -> Array:
    """Returns each LA's mean y over the periods, NaN where it has no rows. Shape (G,)."""
    rows, total = panel.rows[:, periods].sum(axis=1), panel.y_sum[:, periods].sum(axis=1)
    return np.asarray(np.divide(total, rows, out=np.full(len(rows), np.nan), where=rows > 0))


def _blank(n_treated: int, n_comparators: int, note: str) -> WelchTest:
    nan = float("nan")
    return WelchTest(nan, nan, nan, nan, n_treated, n_comparators, note)
