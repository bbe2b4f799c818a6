"""Wild cluster bootstrap from cluster cross-products: tests, inverted intervals, joint tests, simultaneous bands.

t uses the CR1 standard error; p is symmetric, the share of draws with |t*| >= |t|, ties included. The signs of a call
belong to the sorted unit ids and depend on (number of clusters, draws, seed) only, so calls share them.

Sources: Cameron, Gelbach and Miller (2008, Review of Economics and Statistics 90(3)); Roodman, MacKinnon, Nielsen and
Webb (2019, Stata Journal 19(1)); MacKinnon (2023, Econometrics and Statistics), variants WCR-C and WCU-C ('11').
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sos_spark.errors import StudyError
from sos_spark.fit.inference.inversion import hull_where_p_exceeds
from sos_spark.fit.inference.kernel import cr1_factor, in_sorted_order, kernel_of, same_sign
from sos_spark.fit.inference.sign_tables import interval_quadratics, t_stars
from sos_spark.fit.inference.signs import SignDraws, SignKind
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.moments import Array, ClusterMoments, place_of

TIE = 1e-10
"""Relative tolerance within which a draw's |t*| ties with |t| and counts."""

_SINGULAR = 1e-12


@dataclass(frozen=True)
class WildTest:
    """A bootstrap test. `p` is the share of all sign vectors with |t*| >= |t| (Wald statistics for a joint test).

    Of drawn ones it is (1 + their number) / (1 + draws): as if the identity, which an enumeration holds, were one more.

    `t` is the statistic itself, with the CR1 standard error. Both are NaN where the standard error is zero.
    """

    p: float
    t: float
    n_draws: int
    enumerated: bool


@dataclass(frozen=True)
class Interval:
    """The hull of the values r that a test does not reject; an end is infinite if the test never rejects beyond."""

    low: float
    high: float
    level: float
    n_draws: int
    enumerated: bool


@dataclass(frozen=True)
class Bands:
    """Simultaneous bands: estimate -+ critical x se_cr1 hold for all coefficients at once. Shapes (q,)."""

    coefficients: tuple[str, ...]
    estimate: Array
    se_cr1: Array
    low: Array
    high: Array
    critical: float
    level: float
    n_draws: int


@dataclass(frozen=True)
class TDraws:
    """Statistics of several fits and their bootstrap draws under the same signs.

    Shapes: t (m,); t_star (rows, m). Of an enumeration the rows are the half whose first sign is +1, so use |t_star|.
    """

    t: Array
    t_star: Array
    n_draws: int
    enumerated: bool


def wild_cluster_test(
    moments: ClusterMoments,
    *,
    coefficient: str,
    null: float = 0.0,
    draws: int,
    seed: int,
    restricted: bool = True,
    signs: SignKind = "rademacher",
) -> WildTest:
    """Tests coefficient = null. Restricted (WCR) imposes the null on the bootstrap, unrestricted (WCU) does not.

    Args:
        moments: The regression's cluster cross-products; weights are part of them.
        coefficient: Its name in `moments.names`.
        null: The value under test, in the outcome's unit.
        draws: Sign vectors; all 2^G are used when they are no more than that.
        seed: The same (G, draws, seed) gives the same signs, tied to the sorted unit ids.
        restricted: WCR rather than WCU.
        signs: Rademacher, or Webb's six points for very few clusters (never enumerated).

    Raises:
        StudyError: If there is no such coefficient.
    """
    kernel = kernel_of(moments, coefficient)
    plan = SignDraws.for_units(moments.unit_ids, draws=draws, seed=seed, kind=signs)
    t = kernel.t(null)
    if np.isnan(t):
        return WildTest(t, t, plan.n_draws, plan.enumerated)
    rho = null - kernel.estimate if restricted else 0.0
    t_star = t_stars(kernel, plan, rho=rho, unit_ids=plan.unit_ids)
    reached = np.abs(t_star) >= abs(null - kernel.estimate) / kernel.se * (1 - TIE)
    p = plan.p_value(int(np.count_nonzero(reached)))
    return WildTest(p, t, plan.n_draws, plan.enumerated)


def wild_cluster_interval(
    moments: ClusterMoments, *, coefficient: str, level: float = 0.95, draws: int, seed: int
) -> Interval:
    """Inverts the restricted test: the hull of the r with p(r) > 1 - level, with the same draws at every r.

    The ends are exact (see `inversion`), not searched on a grid. With G so small that the draws which flip all
    clusters together are more than 1 - level of all, the interval is the whole line.

    Raises:
        StudyError: If there is no such coefficient.
    """
    kernel = kernel_of(moments, coefficient)
    plan = SignDraws.for_units(moments.unit_ids, draws=draws, seed=seed)
    se = kernel.se
    if np.isnan(se):
        return Interval(float("nan"), float("nan"), level, plan.n_draws, plan.enumerated)
    drawn = interval_quadratics(kernel, plan)
    counted = drawn if plan.enumerated else drawn.with_one_that_counts()
    below, above = hull_where_p_exceeds(counted, round(1 - level, 12), tie=TIE)
    return Interval(kernel.estimate + se * below, kernel.estimate + se * above, level, plan.n_draws, plan.enumerated)


def wild_joint_test(moments: ClusterMoments, *, coefficients: Sequence[str], draws: int, seed: int) -> WildTest:
    """Tests that all the coefficients are zero: WCR with the Wald statistic of the CR1 covariance.

    `t` of the result is the Wald statistic b' V^-1 b, a chi-square scale and not divided by q. A draw whose covariance
    is singular counts, which can only raise p. NaN where the estimates' own covariance is singular.

    Raises:
        StudyError: If a coefficient is unknown, or there are not fewer of them than contributing clusters.
    """
    places = [place_of(moments, name) for name in coefficients]
    clusters = in_sorted_order(moments)
    xx, xy = clusters.weighted_xx, clusters.weighted_xy
    plan = SignDraws.for_units(moments.unit_ids, draws=draws, seed=seed)
    q, width = len(places), len(plan.unit_ids)
    contributes = np.asarray(xx.any(axis=(1, 2)))
    n_contributing = int(np.count_nonzero(contributes))
    if q >= n_contributing:
        raise StudyError(
            "Too many coefficients to test together",
            expected=f"fewer than the {n_contributing} clusters that vary",
            found=str(q),
            remedy="Bin the event times",
        )
    solved = Sandwich(clusters)
    inverse, beta = solved.bread, solved.beta
    a = inverse[places]
    own = (xy - xx @ beta) @ a.T
    observed = float(_wald(beta[None, places], (own.T @ own)[None])[0])
    if not np.isfinite(observed):
        return WildTest(float("nan"), float("nan"), plan.n_draws, plan.enumerated)
    restricted = beta - a.T @ np.linalg.solve(a[:, places], beta[places])
    scores = xy - xx @ restricted
    u = scores @ a.T
    m = np.einsum("gkl,ql->gqk", xx, a) @ inverse
    spread = np.einsum("gq,gh->hgq", u, np.eye(width)) - np.einsum("hk,gqk->hgq", scores, m)
    spread = spread.reshape(width, width * q)
    counted = 0
    for signs in plan.batches(floats_per_row=2 * width * q):
        own = (signs @ spread).reshape(len(signs), width, q)
        variance = own.transpose(0, 2, 1) @ own
        same = same_sign(signs, contributes)
        counted += int(np.count_nonzero(same | (_wald(signs @ u, variance) >= observed * (1 - TIE))))
    factor = cr1_factor(moments)
    return WildTest(plan.p_value(counted), observed / factor, plan.n_draws, plan.enumerated)


def _wald(b: Array, variance: Array) -> Array:
    """Returns b' variance^-1 b for each draw; infinite where the variance is singular. Shapes (n, q), (n, q, q).

    Eliminates one coefficient after another in all the draws at once, in units of each one's own standard error, so
    that a pivot is the share of a variance that the coefficients before it leave.
    """
    size = np.sqrt(np.einsum("nii->ni", variance))
    singular = (size == 0).any(axis=1)
    size = np.where(size > 0, size, 1.0)
    left, z = variance / (size[:, :, None] * size[:, None, :]), b / size
    wald = np.zeros(len(b))
    for _ in range(b.shape[1]):
        pivot = left[:, 0, 0]
        singular |= pivot <= _SINGULAR
        root = np.sqrt(np.maximum(pivot, _SINGULAR))
        row, own = left[:, 0, 1:] / root[:, None], z[:, 0] / root
        wald += own**2
        left = left[:, 1:, 1:] - row[:, :, None] * row[:, None, :]
        z = z[:, 1:] - row * own[:, None]
    return np.where(singular, np.inf, wald)


def simultaneous_bands(
    moments: ClusterMoments, *, coefficients: Sequence[str], level: float = 0.95, draws: int, seed: int
) -> Bands:
    """Bands that cover all the coefficients at once: the level quantile of max |t*| over unrestricted draws.

    Unrestricted draws impose no null: restricted ones test, they give no bands. Uses the same signs as the tests. A
    coefficient without variation gets NaN and widens no other's band.

    Raises:
        StudyError: If there is no such coefficient.
    """
    kernels = [kernel_of(moments, name) for name in coefficients]
    plan = SignDraws.for_units(moments.unit_ids, draws=draws, seed=seed)
    greatest = np.zeros(plan.n_rows)
    for kernel in kernels:
        if np.isnan(kernel.se):
            continue
        np.maximum(greatest, np.abs(t_stars(kernel, plan, rho=0.0, unit_ids=plan.unit_ids)), out=greatest)
    factor = kernels[0].factor
    # t* and the bands carry the same factor, so it cancels: the critical value is quoted with it.
    critical = float(np.quantile(greatest, level, method="higher")) / np.sqrt(factor)
    estimate = np.array([kernel.estimate for kernel in kernels])
    se = np.sqrt(factor) * np.array([kernel.se for kernel in kernels])
    return Bands(
        coefficients=tuple(coefficients),
        estimate=estimate,
        se_cr1=se,
        low=estimate - critical * se,
        high=estimate + critical * se,
        critical=float(critical),
        level=level,
        n_draws=plan.n_draws,
    )


def wild_t_draws(
    fits: Sequence[ClusterMoments], *, coefficient: str, draws: int, seed: int, restricted: bool = True
) -> TDraws:
    """Returns t (null: zero) of one coefficient in several fits, and t* under shared signs.

    An LA has the same sign in every fit, by its unit id; an LA that a fit does not have adds nothing to it.

    Raises:
        StudyError: If there is no such coefficient in a fit.
    """
    plan = SignDraws.for_units({u for fit in fits for u in fit.unit_ids}, draws=draws, seed=seed)
    t, columns = [], []
    for fit in fits:
        kernel = kernel_of(fit, coefficient)
        t.append(kernel.t(0.0))
        rho = -kernel.estimate if restricted else 0.0
        t_star = t_stars(kernel, plan, rho=rho, unit_ids=sorted(fit.unit_ids))
        columns.append(t_star / np.sqrt(kernel.factor))
    return TDraws(np.array(t), np.column_stack(columns), plan.n_draws, plan.enumerated)
