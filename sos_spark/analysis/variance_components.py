"""How a panel's untreated LA-periods scatter: between LAs, from period to period within one, and by sampling alone.

The mean of LA l in period t is taken as m + a_l + g_t + s_lt + e_lt: a_l the LA's level, g_t a period effect that all
share, s_lt a shock of the LA that carries over (AR(1) from period to period, variance the same everywhere) and e_lt
sampling, whose variance is known: the variance of y within LA-periods over the number of rows (for a yes-or-no outcome
that is y(1 - y) / n with its small-sample factor). Comparators count in all periods, pilots before go-live.

Method of moments: residuals of the weighted two-way fit have the expectation M (V_s + V_e) M' by LA, so their sums of
squares and of products of neighbouring periods, less what sampling puts there, are two equations in the variance and
the autocorrelation of the shocks. Sweeping out an LA's mean is accounted for exactly (with few periods it makes shocks
look less alike than they are), period effects to the order of one over the number of LAs. Sources: Searle, Casella and
McCulloch (1992, Variance Components) on equating quadratic forms; Solon (1984, NBER Technical Paper 39) on
autocorrelation after sweeping out means; Hansen (2007, Journal of Econometrics 140(2)) on both in a panel of groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.regression.moments import Array

Mask = npt.NDArray[np.bool_]

LARGEST_AUTOCORRELATION = 0.95
"""Beyond it a shock can hardly be told from the LA's own level."""
_LEAST_AUTOCORRELATION = -0.9
_FEW_WITHIN = 30.0


@dataclass(frozen=True)
class VarianceComponents:
    """What one outcome's untreated LA-periods are made of, in the outcome's own unit.

    Shapes: la_effects (G,), shrunk to what sampling and shocks leave known of them, about `mean`; period_effects (T,),
    of mean zero; within_variance (G,) of single rows of an LA, NaN throughout where it is not known (no y_sumsq).
    `binary` says that y is 0 or 1 in every row. `note` says what could not be told.
    """

    mean: float
    la_effects: Array
    period_effects: Array
    sd_la: float
    sd_shock: float
    autocorrelation: float
    within_variance: Array
    binary: bool
    note: str = ""


def variance_components(panel: PreparedPanel) -> VarianceComponents:
    """Returns the components of a prepared panel's outcome. Covariates are left aside."""
    used = (panel.rows > 0) & (panel.exposure == 0)
    mean = np.divide(panel.y_sum, panel.rows, out=np.zeros_like(panel.y_sum), where=panel.rows > 0)
    binary = is_binary(panel)
    within = _within_variance(panel, used, binary=binary)
    sampling = np.divide(within[:, None], panel.rows, out=np.zeros_like(mean), where=used)
    notes = []
    if np.isnan(within).any():
        sampling = np.zeros_like(mean)
        notes.append("no y_sumsq: sampling could not be told from shocks and is part of them")
    shock, carried = 0.0, 0.0
    # Weights need the shocks' variance and the variance needs weights: the second round is nearly efficient.
    for _ in range(2):
        weight = _weights(sampling, shock, used)
        level, period, residual = _two_way(mean, weight)
        shock, carried, note = _shocks(residual, weight, sampling)
    notes += [note] if note else []
    noise = _noise_of_levels(weight, sampling, shock, carried)
    spread = float(np.var(level, ddof=1) - noise.mean()) if len(level) > 1 else 0.0
    between = max(spread, 0.0)
    shrunk = np.divide(between, between + noise, out=np.zeros_like(noise), where=between + noise > 0)
    centre, middle = float(level.mean()), float(period.mean())
    return VarianceComponents(
        mean=centre + middle,
        la_effects=(level - centre) * shrunk,
        period_effects=period - middle,
        sd_la=float(np.sqrt(between)),
        sd_shock=float(np.sqrt(shock)),
        autocorrelation=carried,
        within_variance=within,
        binary=binary,
        note="; ".join(notes),
    )


def is_binary(panel: PreparedPanel) -> bool:
    """Returns whether y is 0 or 1 in every row: its squares add up to its sum; without squares, whether sums could."""
    if panel.y_sumsq is not None:
        return bool((panel.y_sumsq == panel.y_sum).all())
    return bool(((panel.y_sum % 1 == 0) & (panel.y_sum >= 0) & (panel.y_sum <= panel.rows)).all())


def _within_variance(panel: PreparedPanel, used: Mask, *, binary: bool) -> Array:
    """Returns the variance of y among the rows of an LA and period, pooled over the LA's periods (G,).

    An LA with few rows takes that of all LAs together.
    """
    squares = panel.y_sum if binary else panel.y_sumsq
    if squares is None:
        return np.full(len(panel.rows), np.nan)
    about = squares - np.divide(panel.y_sum**2, panel.rows, out=np.zeros_like(panel.rows), where=used)
    about, free = np.sum(np.where(used, about, 0.0), axis=1), np.sum(np.where(used, panel.rows - 1, 0.0), axis=1)
    pooled = about.sum() / free.sum() if free.sum() > 0 else np.nan
    enough = free >= _FEW_WITHIN
    return np.where(enough, np.maximum(about, 0.0) / np.where(enough, free, 1.0), pooled)


def _weights(sampling: Array, shock: float, used: Mask) -> Array:
    """Returns one over the variance of each mean, 0 where unused; first, shocks being unknown, as if as large."""
    variance = sampling + (shock or float(sampling[used].mean()))
    return np.where(used, 1.0 / np.where(variance > 0, variance, 1.0), 0.0)


def _two_way(mean: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Returns LA effects (G,), period effects (T,) and residuals (G, T) of the weighted fit, residuals 0 where unused.

    A period nobody is untreated in has the effect zero.
    """
    own = weight / weight.sum(axis=1, keepdims=True)
    left = np.diag(weight.sum(axis=0)) - weight.T @ own
    right = (weight * (mean - (own * mean).sum(axis=1, keepdims=True))).sum(axis=0)
    period = np.linalg.lstsq(left, right, rcond=1e-10)[0]
    level = (own * (mean - period)).sum(axis=1)
    return level, period, np.where(weight > 0, mean - level[:, None] - period, 0.0)


def _shocks(residual: Array, weight: Array, sampling: Array) -> tuple[float, float, str]:
    """Returns the shocks' variance and autocorrelation, and what could not be told."""
    root = np.sqrt(weight)
    scaled = root * residual
    seen = np.array([float(np.sum(scaled**2)), float(np.sum(scaled[:, 1:] * scaled[:, :-1]))])
    taken, share = _sweeps(weight)
    by_sampling = _expected(taken, share, np.apply_along_axis(np.diag, 1, sampling))
    left = seen - by_sampling
    lag = np.abs(np.subtract.outer(np.arange(weight.shape[1]), np.arange(weight.shape[1])))

    def of_shocks(carried: float) -> Array:
        return _expected(taken, share, np.broadcast_to(carried**lag, (len(weight), *lag.shape)))

    alone = of_shocks(0.0)
    if not left[0] > 0:
        return 0.0, 0.0, "no more scatter from period to period than sampling makes"
    if int((weight > 0).sum(axis=1).max()) < 3 or not seen[1]:
        return float(left[0] / alone[0]), 0.0, "too few periods to tell how shocks carry over: taken not to"

    def misfit(carried: float) -> float:
        squares, products = of_shocks(carried)
        return float(products * left[0] - squares * left[1])

    low, high = _LEAST_AUTOCORRELATION, LARGEST_AUTOCORRELATION
    if misfit(low) > 0 or misfit(high) < 0:
        carried = low if misfit(low) > 0 else high
        return float(left[0] / of_shocks(carried)[0]), carried, f"the shocks' autocorrelation is held at {carried}"
    carried = float(brentq(misfit, low, high, xtol=1e-10))
    return float(left[0] / of_shocks(carried)[0]), carried, ""


def _sweeps(weight: Array) -> tuple[Array, Array]:
    """Returns each LA's (T, T) sweep, scaled by root weights, and what is left of products after period effects.

    The sweep is W^1/2 (I - 1 w' / sum w), zero where unused. A period effect is a mean over LAs, so it takes from a
    product of two periods about the mean of the LA's shares in the two.
    """
    used = (weight > 0).astype(np.float64)
    own = weight / weight.sum(axis=1, keepdims=True)
    n_periods = weight.shape[1]
    sweep = (np.eye(n_periods) - own[:, None, :]) * used[:, :, None]
    total = weight.sum(axis=0)
    part = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    return np.sqrt(weight)[:, :, None] * sweep, 1 - (part[:, :, None] + part[:, None, :]) / 2


def _expected(sweep: Array, share: Array, covariance: Array) -> Array:
    """Returns the expected sum of squares, and of products of neighbouring periods, of swept residuals, (2,)."""
    product = share * (sweep @ covariance @ sweep.transpose(0, 2, 1))
    return np.array([np.einsum("gtt->", product), np.diagonal(product, offset=1, axis1=1, axis2=2).sum()])


def _noise_of_levels(weight: Array, sampling: Array, shock: float, carried: float) -> Array:
    """Returns the variance that shocks and sampling give each LA's mean level, (G,)."""
    own = weight / weight.sum(axis=1, keepdims=True)
    lag = np.abs(np.subtract.outer(np.arange(weight.shape[1]), np.arange(weight.shape[1])))
    return np.asarray(np.sum(own**2 * sampling, axis=1) + shock * np.einsum("gt,ts,gs->g", own, carried**lag, own))
