"""Grouped logit of a 0/1 outcome on the cells, as a check of the linear probability model's scale.

Differences-in-differences are additive in shares, which is what the main model estimates; a logit assumes that they are
additive in log odds. Where shares are far from 0 and 1 both say much the same, and this row shows whether they do.

Source: Puhani (2012, Economics Letters 115(1)) on the treatment effect in a non-linear difference-in-differences.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
import statsmodels.api as sm
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from sos_spark.config.study import Design, Inference
from sos_spark.fit.design import Ints, PreparedPanel, Weights
from sos_spark.fit.did import blank_result
from sos_spark.fit.moments import Array
from sos_spark.fit.panel import NotEstimableError
from sos_spark.fit.prepare import Prepared
from sos_spark.fit.result import DidResult

ESTIMAND = "Average effect on treated rows by grouped logit"
_MAX_ITERATIONS = 100


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
    unit, period, n, y_sum, levels = _informative(panel)
    treated = panel.treated[unit, period]
    if not (treated.any() and (1 - treated).any()):
        raise NotEstimableError("No treated cell is left whose outcome varies")
    x = np.column_stack(
        [
            treated,
            *_dummies(period)[1:],
            *((levels == place).any(axis=1).astype(float) for place in range(len(panel.covariates))),
            *_dummies(unit),
        ]
    )
    x = x[:, x.any(axis=0)]
    row_weight = panel.row_weight(weights)[unit]
    weight = n * row_weight / row_weight.mean()
    with warnings.catch_warnings():
        warnings.simplefilter("error", PerfectSeparationWarning)
        try:
            fitted = sm.GLM(y_sum / n, x, family=sm.families.Binomial(), var_weights=weight).fit(
                maxiter=_MAX_ITERATIONS, tol=1e-12
            )
        except (PerfectSeparationWarning, np.linalg.LinAlgError):
            raise NotEstimableError("The logit separates treated rows from others perfectly") from None
    if not fitted.converged:
        raise NotEstimableError("The logit found no maximum")
    beta, chance = np.asarray(fitted.params), np.asarray(fitted.fittedvalues)
    return _average_effect(x, beta, chance, weight=weight, y_share=y_sum / n, unit=unit, n=n)


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


def _dummies(places: Ints) -> Array:
    """Returns a row a place that occurs, (places, C)."""
    return np.asarray(np.unique(places)[:, None] == places, dtype=np.float64)


def _average_effect(
    x: Array, beta: Array, chance: Array, *, weight: Array, y_share: Array, unit: Ints, n: Array
) -> LogitEffect:
    slope = chance * (1 - chance)
    bread = np.linalg.pinv((x * (weight * slope)[:, None]).T @ x, hermitian=True)
    scores = x * (weight * (y_share - chance))[:, None]
    by_unit = np.array([scores[unit == g].sum(axis=0) for g in np.unique(unit)])
    n_units, n_rows = len(by_unit), float(n.sum())
    n_regressors = x.shape[1] - n_units + 1
    factor = n_units / (n_units - 1) * (n_rows - 1) / (n_rows - n_regressors)
    treated = x[:, 0] == 1
    share = weight[treated] / weight[treated].sum()
    without = x[treated].copy()
    without[:, 0] = 0
    other = 1 / (1 + np.exp(-(without @ beta)))
    gradient = share @ (slope[treated, None] * x[treated] - (other * (1 - other))[:, None] * without)
    influence = by_unit @ bread @ gradient
    return LogitEffect(
        att=float(share @ (chance[treated] - other)), se_cr1=float(np.sqrt(factor * influence @ influence))
    )
