"""A panel by years since go-live: quarters or months summed, so that none of them has to be observed by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sos_spark.config.periods import Period, periods_between
from sos_spark.fit.cells.subpanel import settled
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.design import NEVER, CellArrays, PreparedPanel

_PERIODS_A_YEAR: dict[Period, int] = {"month": 12, "quarter": 4, "year": 1}


def periods_a_year(panel: PreparedPanel) -> int:
    """Returns how many of the panel's periods make a year: 12, 4 or 1."""
    first, last = panel.period_starts[0], panel.period_starts[-1]
    numbers = int(panel.periods[-1] - panel.periods[0])
    return next((n for period, n in _PERIODS_A_YEAR.items() if periods_between(first, last, period) == numbers), 1)


def in_years(panel: PreparedPanel) -> PreparedPanel:
    """Returns the panel without covariates by whole years since go-live, the first treated one beginning at it.

    A year of which a period has no rows of anybody is left out: it stands for a part of itself only.

    Raises:
        NotEstimableError: Pilots went live in several periods, which have no years in common; or no year is whole.
    """
    panel = settled(panel)
    dates = np.unique(panel.gtime[panel.gtime != NEVER])
    if len(dates) != 1:
        raise NotEstimableError("Several go-lives have no years in common", found=f"{len(dates)} first periods")
    a_year = periods_a_year(panel)
    year = (panel.periods - dates[0]) // a_year
    whole = [int(k) for k in np.unique(year) if np.count_nonzero(year == k) == a_year]
    if not whole:
        raise NotEstimableError("No year is observed whole", found=f"{len(panel.periods)} periods")
    rows, y_sum = (
        np.stack([part[:, year == k].sum(axis=1) for k in whole], axis=1) for part in (panel.rows, panel.y_sum)
    )
    unit, place = np.nonzero(rows)
    shape = (*rows.shape, 0)
    return replace(
        panel,
        periods=np.array(whole, dtype=np.int64) - whole[0],
        period_starts=tuple(panel.period_starts[int(np.flatnonzero(year == k)[0])] for k in whole),
        gtime=np.where(panel.gtime == NEVER, NEVER, -whole[0]).astype(np.int64),
        rows=rows,
        y_sum=y_sum,
        y_sumsq=None,
        covariates=(),
        continuous=(),
        references=(),
        continuous_products=None,
        z_sum=np.zeros(shape),
        zz_sum=np.zeros((len(rows), 0, 0)),
        zy_sum=np.zeros((len(rows), 0)),
        cells=CellArrays(
            unit.astype(np.int64), place.astype(np.int64), rows[unit, place], y_sum[unit, place], None,
            np.zeros((len(unit), 0), dtype=np.int64),
        ),
    )  # fmt: skip
