"""How many index rows of each unit and period were concluded on which day, or were still open when last seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from sos_spark.fit.regression.design import Ints, PreparedPanel
from sos_spark.fit.regression.moments import Array

Mask = npt.NDArray[np.bool_]

_FATES = ("is_concluded", "is_followed")


@dataclass(frozen=True)
class DayCounts:
    """The days of a panel's units, in the outcome's periods.

    Shapes, with G units, T periods and days 0 to D: periods (T,) their numbers; pilot (G,); after (G, T), from its
    go-live on, of a comparator from the first go-live of all; ended and last_seen (G, T, D + 1), rows concluded on a
    day and rows open on the last day observed; followed (G, T, D + 2), rows of which every day up to D was observed, by
    day of conclusion, open ones last.
    """

    periods: Ints
    pilot: Mask
    after: Mask
    ended: Array
    last_seen: Array
    followed: Array

    @classmethod
    def of(cls, durations: pd.DataFrame, panel: PreparedPanel) -> DayCounts | None:
        """Returns the counts of a panel's units; None where there are none.

        `durations` has the columns of durations.csv, of the panel's outcome. A period that counts in part is left out.
        """
        mine = durations[durations["unit_id"].isin(panel.unit_ids)]
        if mine.empty:
            return None
        periods: Ints = np.unique(mine["period"].to_numpy(np.int64))
        unit = np.searchsorted(np.array(panel.unit_ids), mine["unit_id"].to_numpy(str))
        period = np.searchsorted(periods, mine["period"].to_numpy(np.int64))
        days, n = mine["days"].to_numpy(np.int64), mine["n"].to_numpy(np.float64)
        concluded, followed = (mine[name].astype(str).str.lower().eq("true").to_numpy() for name in _FATES)
        shape, last = (len(panel.unit_ids), len(periods)), int(days.max())
        ended, last_seen, whole = (np.zeros((*shape, last + extra)) for extra in (1, 1, 2))
        np.add.at(ended, (unit[concluded], period[concluded], days[concluded]), n[concluded])
        np.add.at(last_seen, (unit[~concluded], period[~concluded], days[~concluded]), n[~concluded])
        place = np.where(concluded, days, last + 1)
        np.add.at(whole, (unit[followed], period[followed], place[followed]), n[followed])
        gtime = np.where(panel.is_treated_unit, panel.gtime, panel.gtime[panel.is_treated_unit].min())
        if panel.partial is not None:
            in_part = panel.is_treated_unit[:, None] & (periods == gtime[:, None] - 1) & (panel.partial > 0)[:, None]
            for part in (ended, last_seen, whole):
                part[in_part] = 0.0
        return cls(periods, panel.is_treated_unit, np.asarray(periods >= gtime[:, None]), ended, last_seen, whole)

    @property
    def last_day(self) -> int:
        """D, the last day that is counted."""
        return int(self.ended.shape[2]) - 1

    @cached_property
    def at_risk(self) -> Array:
        """(G, T, D + 1): rows that were open at the start of a day and seen on it."""
        left = self.ended + self.last_seen
        return np.asarray(left[:, :, ::-1].cumsum(axis=2)[:, :, ::-1])

    @property
    def rows(self) -> Array:
        """(G, T): rows of which every day was observed."""
        return np.asarray(self.followed.sum(axis=2))

    @property
    def within(self) -> Array:
        """(G, T, D + 1): of these, rows concluded within so many days."""
        return np.asarray(self.followed[:, :, :-1].cumsum(axis=2))

    def groups(self) -> Iterator[tuple[str, str, Mask]]:
        """Yields pilots and comparators, before and after, each with its unit-periods marked (G, T)."""
        for arm, units in (("pilot", self.pilot), ("comparator", ~self.pilot)):
            for side, periods in (("before", ~self.after), ("after", self.after)):
                yield arm, side, units[:, None] & periods


def days_to_limit(within: Array) -> Array:
    """Returns the sum over rows of the smaller of days to conclusion and D, from rows (..., D + 2) by day."""
    days = np.arange(within.shape[-1], dtype=np.float64)
    days[-1] -= 1
    return np.asarray(within @ days)
