"""Nearest neighbours on what units looked like before go-live, from the panel itself, and how alike the arms are.

Level is the mean of y over a unit's rows before the pilot's go-live; trend the least-squares slope of its period means
on time over the same periods, each weighed by its rows. Both are divided by their standard deviation over the pilot
and the candidates; the distance is Euclidean; a candidate may serve several pilots; ties go to the lower unit_id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sos_spark.fit.cells.reading import CheckedCells, Ints
from sos_spark.fit.regression.moments import Array


@dataclass(frozen=True)
class UnitMeans:
    """Rows and sums of y of every unit of a panel. Shapes: unit_ids (G,), periods (T,), rows and y_sum (G, T)."""

    unit_ids: tuple[str, ...]
    periods: Ints
    rows: Array
    y_sum: Array

    @classmethod
    def of(cls, cells: CheckedCells) -> UnitMeans:
        """Returns the totals of a panel's cells."""
        unit_codes, unit_ids = pd.factorize(cells.unit_id, sort=True)
        periods = np.array(sorted(cells.starts), dtype=np.int64)
        place = unit_codes * len(periods) + np.searchsorted(periods, cells.period)
        shape = (len(unit_ids), len(periods))
        size = shape[0] * shape[1]
        return cls(
            unit_ids=tuple(unit_ids),
            periods=periods,
            rows=np.bincount(place, cells.n, minlength=size).reshape(shape).astype(np.float64),
            y_sum=np.bincount(place, cells.y_sum, minlength=size).reshape(shape).astype(np.float64),
        )

    def features(self, *, before: int) -> dict[str, Array]:
        """Returns level, trend and size (log rows) over the periods before one, each (G,), NaN where not known."""
        early = self.periods < before
        rows, y_sum, time = self.rows[:, early], self.y_sum[:, early], self.periods[early].astype(float)
        total = rows.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            level = y_sum.sum(axis=1) / total
            about = time - (rows @ time / total)[:, None]
            trend = (about * y_sum).sum(axis=1) / (rows * about**2).sum(axis=1)
            size = np.log(total)
        at_least_two = (rows > 0).sum(axis=1) >= 2
        return {
            "level": np.where(total > 0, level, np.nan),
            "trend": np.where(at_least_two, trend, np.nan),
            "log_rows": np.where(total > 0, size, np.nan),
        }


def match(
    means: UnitMeans, *, gtime: Mapping[str, int], candidates: Sequence[str], k: int, on: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Returns each treated unit's k nearest candidates, nearest first; none where a feature of its own is not known.

    Args:
        means: The panel's totals.
        gtime: First treated period of each treated unit; features are taken before it.
        candidates: Units that may compare.
        k: How many a treated unit; a candidate without one of the features is passed over.
        on: level, trend, or both.
    """
    place = {unit: row for row, unit in enumerate(means.unit_ids)}
    matched: dict[str, tuple[str, ...]] = {}
    for unit, first in gtime.items():
        features = means.features(before=first)
        x = np.column_stack([features[name] for name in on])
        pool = [place[unit], *(place[name] for name in candidates)]
        known = [row for row in pool if not np.isnan(x[row]).any()]
        if place[unit] not in known:
            matched[unit] = ()
            continue
        spread = x[known].std(axis=0, ddof=1) if len(known) > 1 else np.ones(len(on))
        scaled = x / np.where(spread > 0, spread, 1.0)
        distance = {
            means.unit_ids[row]: float(np.linalg.norm(scaled[row] - scaled[place[unit]]))
            for row in known
            if row != place[unit]
        }
        matched[unit] = tuple(sorted(distance, key=lambda name: (distance[name], name))[:k])
    return matched


def balance_table(
    means: UnitMeans, *, outcome_id: str, pilots: Sequence[str], comparators: Iterable[str], candidates: Iterable[str],
    before: int,
) -> pd.DataFrame:  # fmt: skip
    """Returns how alike pilots are to all candidates (before) and to the comparators used (after).

    One row a variable: level, trend, log_rows, over the periods before the first go-live; units count equally. A
    standardised mean difference is in units of sqrt((variance of pilots + variance of candidates) / 2), the same
    before and after, so that it moves only because the means do.
    """
    features = means.features(before=before)
    rows = []
    for name, x in features.items():
        ours, theirs, pool = (
            x[[unit in set(group) for unit in means.unit_ids]] for group in (pilots, [*comparators], [*candidates])
        )
        ours, theirs, pool = (values[~np.isnan(values)] for values in (ours, theirs, pool))
        if not min(len(ours), len(theirs), len(pool)):
            continue
        spread = np.sqrt((_variance(ours) + _variance(pool)) / 2)
        unit = spread if spread > 0 else np.nan
        rows.append(
            (outcome_id, name, ours.mean(), theirs.mean(), pool.mean(), (ours.mean() - pool.mean()) / unit,
             (ours.mean() - theirs.mean()) / unit)
        )  # fmt: skip
    names = ("mean_pilots", "mean_comparators", "mean_candidates", "smd_before", "smd_after")
    return pd.DataFrame(rows, columns=["outcome_id", "variable", *names])


def _variance(values: Array) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0
