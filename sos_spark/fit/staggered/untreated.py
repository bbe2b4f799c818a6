"""Rows that are not treated yet: their regression on LA, period and covariates, by LA."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.fit.cells.subpanel import Mask
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.regression.moments import Array

_NO_DIRECTION = 1e-11


@dataclass(frozen=True)
class UntreatedRows:
    """Cross-products by LA of the untreated rows, LA means swept out; regressors: every period's dummy, covariates.

    Shapes, K = T + P: rows (G,); x_mean (G, K); y_mean (G,); xx (G, K, K); xy (G, K). Unweighted. Zeros where an LA has
    no untreated row.
    """

    rows: Array
    x_mean: Array
    y_mean: Array
    xx: Array
    xy: Array

    @classmethod
    def of(cls, panel: PreparedPanel, before: Mask, *, zz: Array, zy: Array) -> UntreatedRows:
        """Sums the LA-periods marked in before (G, T); zz (G, P, P) and zy (G, P) are over these rows."""
        n_periods = len(panel.periods)
        rows = panel.rows * before
        total = rows.sum(axis=1)
        z = panel.z_sum * before[:, :, None]
        x_total = np.concatenate([rows, z.sum(axis=1)], axis=1)
        y = panel.y_sum * before
        divisor = np.maximum(total, 1.0)
        x_mean, y_mean = x_total / divisor[:, None], y.sum(axis=1) / divisor
        raw = np.zeros((len(total), x_total.shape[1], x_total.shape[1]))
        places = np.arange(n_periods)
        raw[:, places, places] = rows
        raw[:, :n_periods, n_periods:] = z
        raw[:, n_periods:, :n_periods] = z.transpose(0, 2, 1)
        raw[:, n_periods:, n_periods:] = zz
        return cls(
            rows=total,
            x_mean=x_mean,
            y_mean=y_mean,
            xx=raw - x_total[:, :, None] * x_mean[:, None, :],
            xy=np.concatenate([y, zy], axis=1) - x_total * y_mean[:, None],
        )


def pseudo_inverse(matrix: Array) -> Array:
    """Returns the pseudo-inverse of cross-products (K, K), every regressor in units of its own root sum of squares."""
    size = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    scale = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    values, vectors = np.linalg.eigh(matrix * np.outer(scale, scale))
    known = values > _NO_DIRECTION
    root = scale[:, None] * vectors[:, known] / np.sqrt(values[known])
    return np.asarray(root @ root.T)


def predicted(panel: PreparedPanel) -> Mask:
    """Returns the LA-periods (G, T) that may stay: untreated ones, and treated ones whose LA and period have some."""
    before = panel.treated == 0
    untreated = (panel.rows > 0) & before
    return np.asarray(before | (untreated.any(axis=1)[:, None] & untreated.any(axis=0)))
