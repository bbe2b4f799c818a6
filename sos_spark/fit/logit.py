"""Grouped logit of a 0/1 outcome on the cells, as a check of the linear probability model's scale.

Differences-in-differences are additive in shares, which is what the main model estimates; a logit assumes that they are
additive in log odds. Where shares are far from 0 and 1 both say much the same, and this row shows whether they do.

The fit is iteratively reweighted least squares with a sparse design: of hundreds of dummies each cell has a handful,
and a dense row for every cell, as libraries take it, would be gigabytes for a national panel.

Source: Puhani (2012, Economics Letters 115(1)) on the treatment effect in a non-linear difference-in-differences.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from sos_spark.config.study import Design, Inference
from sos_spark.fit.cells.prepare import Prepared
from sos_spark.fit.cells.subpanel import settled
from sos_spark.fit.did import blank_result
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.design import Ints, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.result import DidResult

ESTIMAND = "Average effect on treated rows by grouped logit"
_MAX_ITERATIONS = 100
_TOLERANCE = 1e-12
_SEPARATED = 1e-8
_LARGEST = 500.0


@dataclass(frozen=True)
class LogitEffect:
    """The average effect on treated rows, in the outcome's own unit (a share), and its CR1 standard error.

    `att` is the mean over the rows that were treated of the fitted chance less the chance without the treatment's
    coefficient. `se_cr1` is by the delta method from the cluster-robust covariance of the coefficients.
    """

    att: float
    se_cr1: float


def grouped_logit(panel: PreparedPanel, *, weights: Weights) -> LogitEffect:
    """Fits y on treatment, LA, period and categorical covariates by binomial maximum likelihood on the cells.

    LAs and periods in which no row, or every row, has y = 1 say nothing in a logit and are left out. CR1's factor is
    G/(G-1) (N-1)/(N-K) with N individual rows and K the treatment, periods and covariates, LA effects not counted.

    Raises:
        NotEstimableError: The outcome is not 0/1, a continuous covariate is used, or no maximum is found.
    """
    if panel.y_sumsq is None or not np.array_equal(panel.y_sum, panel.y_sumsq):
        raise NotEstimableError("A logit needs an outcome of 0 and 1")
    if panel.continuous:
        raise NotEstimableError("The grouped logit takes categorical covariates only")
    panel = settled(panel)
    unit, period, n, y_sum, levels = _informative(panel)
    treated = panel.treated[unit, period]
    if not (treated.any() and (1 - treated).any()):
        raise NotEstimableError("No treated cell is left whose outcome varies")
    x = _design(treated, period, levels, unit)
    row_weight = panel.row_weight(weights)[unit]
    weight = n * row_weight / row_weight.mean()
    beta, chance = _maximum(x, y_sum / n, weight)
    return _average_effect(x, beta, chance, weight=weight, y_share=y_sum / n, unit=unit, n=n)


def _design(treated: Array, period: Ints, levels: Ints, unit: Ints) -> Any:
    """Returns the regressors of every cell, sparse (C, K): treatment, periods but the first, covariates, LAs."""
    rows = np.arange(len(unit))
    here = [treated == 1]
    columns = [np.zeros_like(unit)]
    start = 1
    for codes, first in ((period, 1), *((level, 0) for level in levels.T), (unit, 0)):
        held = codes >= 0
        place = np.searchsorted(np.unique(codes[held]), codes) - first
        here.append(held & (place >= 0))
        columns.append(start + place)
        start += len(np.unique(codes[held])) - first
    where = (
        np.concatenate([rows[mine] for mine in here]),
        np.concatenate([column[mine] for column, mine in zip(columns, here, strict=True)]),
    )
    return csr_array((np.ones(len(where[0])), where), shape=(len(rows), start))


def _maximum(x: Any, y_share: Array, weight: Array) -> tuple[Array, Array]:
    """Returns the coefficients (K,) and the fitted chances (C,).

    Raises:
        NotEstimableError: The outcome is separated perfectly, or the deviance does not settle.
    """
    beta = np.zeros(x.shape[1])
    chance, before = (y_share + 0.5) / 2, np.inf
    linear = np.log(chance / (1 - chance))
    for _ in range(_MAX_ITERATIONS):
        slope = chance * (1 - chance)
        heavy = np.maximum(weight * slope, np.finfo(float).tiny)
        target = linear + (y_share - chance) / np.maximum(slope, np.finfo(float).tiny)
        left = (x.T @ (x * heavy[:, None])).toarray()
        beta = np.linalg.lstsq(left, x.T @ (heavy * target), rcond=None)[0]
        linear = np.clip(x @ beta, -_LARGEST, _LARGEST)
        chance = 1 / (1 + np.exp(-linear))
        if np.abs(chance - y_share).max() < _SEPARATED:
            raise NotEstimableError("The logit separates treated rows from others perfectly")
        deviance = float(np.sum(weight * (_surprise(y_share, chance) + _surprise(1 - y_share, 1 - chance))))
        if abs(before - deviance) <= _TOLERANCE * (1 + abs(deviance)):
            return beta, chance
        before = deviance
    raise NotEstimableError("The logit found no maximum")


def _surprise(y_share: Array, chance: Array) -> Array:
    """Returns y log(y / chance), 0 where y is 0."""
    ratio = np.divide(y_share, chance, out=np.ones_like(chance), where=y_share > 0)
    return np.asarray(2 * y_share * np.log(ratio))


def logit_result(
    prepared: Prepared, *, design: Design, inference: Inference, specification: str = "logit"
) -> DidResult:
    """Returns the row of a grouped logit: att and se_cr1, no test; errors as `grouped_logit`."""
    panel = prepared.panel
    effect = grouped_logit(panel, weights=inference.weights)
    blank = blank_result(
        design, inference=inference, specification=specification, note="a check of scale: CR1 by the delta method only"
    )
    return replace(
        blank,
        estimand=ESTIMAND,
        estimator="logit",
        n_rows=panel.n_rows,
        n_cells=panel.n_cells,
        n_clusters=len(panel.unit_ids),
        n_treated_clusters=panel.n_treated_units,
        adjusted_for=tuple(dict.fromkeys(name.partition("=")[0] for name in panel.covariates)),
        att=effect.att,
        se_cr1=effect.se_cr1,
    )


def _informative(panel: PreparedPanel) -> tuple[Ints, Ints, Array, Array, Ints]:
    """Returns the cells of LAs and periods whose outcome varies: unit, period, n, y_sum, levels."""
    cells = panel.cells
    keep = np.ones(len(cells.n), dtype=bool)
    while True:
        before = int(keep.sum())
        for places in (cells.unit, cells.period):
            rows = np.bincount(places[keep], cells.n[keep], minlength=places.max() + 1)
            yes = np.bincount(places[keep], cells.y_sum[keep], minlength=places.max() + 1)
            keep &= ((yes > 0) & (yes < rows))[places]
        if int(keep.sum()) == before:
            break
    return cells.unit[keep], cells.period[keep], cells.n[keep], cells.y_sum[keep], cells.levels[keep]


def _average_effect(
    x: Any, beta: Array, chance: Array, *, weight: Array, y_share: Array, unit: Ints, n: Array
) -> LogitEffect:
    slope = chance * (1 - chance)
    bread = np.linalg.pinv((x.T @ (x * (weight * slope)[:, None])).toarray(), hermitian=True)
    units = np.unique(unit)
    member = csr_array((weight * (y_share - chance), (np.searchsorted(units, unit), np.arange(len(unit)))))
    by_unit = (member @ x).toarray()
    n_units, n_rows = len(by_unit), float(n.sum())
    n_regressors = x.shape[1] - n_units + 1
    factor = n_units / (n_units - 1) * (n_rows - 1) / (n_rows - n_regressors)
    treated = x[:, [0]].toarray()[:, 0] == 1
    share = weight[treated] / weight[treated].sum()
    # The chance had the LA not been treated: without the treatment's own coefficient.
    other = 1 / (1 + np.exp(-(x[treated] @ beta - beta[0])))
    gradient = (share * (slope[treated] - other * (1 - other))) @ x[treated]
    gradient[0] = share @ slope[treated]
    influence = by_unit @ bread @ gradient
    return LogitEffect(
        att=float(share @ (chance[treated] - other)), se_cr1=float(np.sqrt(factor * influence @ influence))
    )
