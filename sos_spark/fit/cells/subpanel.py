"""A panel's covariates by LA and period, and the panel of some of its LA-periods only.

A prepared panel keeps the covariates' cross-products by LA, which is all a regression of every row needs. A regression
of some rows, such as those not treated yet, needs them by period too: the cells give them for categorical covariates,
`PreparedPanel.continuous_products` for continuous ones.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.design import CellArrays, PreparedPanel
from sos_spark.fit.regression.moments import Array

Mask = npt.NDArray[np.bool_]


def period_products(panel: PreparedPanel) -> tuple[Array, Array]:
    """Returns the covariates' cross-products by LA and period: zz (G, T, P, P) and, with y, zy (G, T, P).

    Raises:
        NotEstimableError: A covariate is continuous and the panel does not hold its squares by period.
    """
    shape = (*panel.rows.shape, len(panel.covariates))
    zz, zy = np.zeros((*shape, shape[2])), np.zeros(shape)
    if not panel.covariates:
        return zz, zy
    if panel.continuous:
        if panel.continuous_products is None:
            raise NotEstimableError(
                "A regression of some periods only needs the squares of continuous covariates by period",
                where=f"outcome {panel.outcome_id}",
                expected="a panel as `prepare` makes it",
                found=", ".join(panel.continuous),
                remedy="Leave the continuous covariates out, or band them",
            )
        n_dummies = len(panel.covariates) - len(panel.continuous)
        zz[:, :, :, n_dummies:] = panel.continuous_products[:, :, :-1]
        zz[:, :, n_dummies:, :] = panel.continuous_products[:, :, :-1].transpose(0, 1, 3, 2)
        zy[:, :, n_dummies:] = panel.continuous_products[:, :, -1]
    cells = panel.cells
    for first in cells.levels.T:
        has = first >= 0
        np.add.at(zy, (cells.unit[has], cells.period[has], first[has]), cells.y_sum[has])
        for second in cells.levels.T:
            both = has & (second >= 0)
            np.add.at(zz, (cells.unit[both], cells.period[both], first[both], second[both]), cells.n[both])
    return zz, zy


def only_periods_of(panel: PreparedPanel, keep: Mask) -> PreparedPanel:
    """Returns the panel of the LA-periods marked in keep (G, T); LAs and periods left without rows are gone.

    Raises:
        NotEstimableError: Rows have to go and the panel does not hold the squares of a continuous covariate by period.
    """
    seen = panel.rows > 0
    return panel if keep[seen].all() else _only(panel, keep & seen)


def with_rows_only(panel: PreparedPanel) -> PreparedPanel:
    """Returns the panel of the LAs and periods that have rows; errors as `only_periods_of`."""
    return _only(panel, panel.rows > 0)


def _only(panel: PreparedPanel, kept: Mask) -> PreparedPanel:
    units, periods = np.asarray(kept.any(axis=1)), np.asarray(kept.any(axis=0))
    both = np.ix_(units, periods)
    zz, zy = period_products(panel)
    mine = kept[panel.cells.unit, panel.cells.period]
    cells = panel.cells
    return replace(
        panel,
        unit_ids=tuple(unit for unit, stays in zip(panel.unit_ids, units, strict=True) if stays),
        periods=panel.periods[periods],
        period_starts=tuple(start for start, stays in zip(panel.period_starts, periods, strict=True) if stays),
        gtime=panel.gtime[units],
        partial=None if panel.partial is None else panel.partial[units],
        rows=(panel.rows * kept)[both],
        y_sum=(panel.y_sum * kept)[both],
        y_sumsq=None if panel.y_sumsq is None else (panel.y_sumsq * kept)[both],
        z_sum=(panel.z_sum * kept[:, :, None])[both],
        zz_sum=np.einsum("gt,gtpq->gpq", kept, zz)[units],
        zy_sum=np.einsum("gt,gtp->gp", kept, zy)[units],
        continuous_products=None
        if panel.continuous_products is None
        else (panel.continuous_products * kept[:, :, None, None])[both],
        cells=CellArrays(
            unit=(np.cumsum(units) - 1)[cells.unit[mine]],
            period=(np.cumsum(periods) - 1)[cells.period[mine]],
            n=cells.n[mine],
            y_sum=cells.y_sum[mine],
            y_sumsq=None if cells.y_sumsq is None else cells.y_sumsq[mine],
            levels=cells.levels[mine],
        ),
    )


def settled(panel: PreparedPanel) -> PreparedPanel:
    """Returns the panel without the LA-periods that are treated in part, for what knows treated and not only.

    Raises:
        NotEstimableError: As `only_periods_of`.
    """
    if panel.partial is None:
        return panel
    return replace(only_periods_of(panel, ~panel.in_transition), partial=None)
