"""The final fit by statsmodels: weighted least squares on the smallest data set with the panel's cross-products.

For each LA the K x K matrix X'X and X'y of its rows are those of at most K rows (R, r): R'R = X'X and R'r = X'y. On
all LAs' rows together statsmodels' WLS finds the regression of the individual rows, and its cluster-robust covariance,
with continuous covariates too, where cell means would not do. Its small-sample factor would count these rows, so it is
re-based to the number of individuals. What has no library for collapsed input (CR2, CR3, the wild bootstrap,
randomisation) is computed in `covariance`, `wild` and `randomisation` from the same cross-products; the two must agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sos_spark.errors import SosError
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.regression.roots import left_inverse, root_of

AGREEMENT = 1e-8
"""Relative difference between statsmodels and the cross-products' own solution beyond which neither is believed."""


class DisagreementError(SosError):
    """Two computations of one number differ: a fault of ours, or a regression too close to singular to solve."""


@dataclass(frozen=True)
class FinalFit:
    """statsmodels' coefficients (K,) and CR1 standard errors (K,), factor G/(G-1) (N-1)/(N-K) of individuals."""

    beta: Array
    se_cr1: Array


def final_fit(moments: ClusterMoments) -> FinalFit:
    """Fits the regression by statsmodels."""
    from statsmodels.regression.linear_model import WLS  # a second to import, which a report need not wait for

    exog, endog, groups = _smallest_rows(moments)
    fitted = WLS(endog, exog, weights=moments.weight[groups]).fit(
        method="qr", cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    n_groups, rows, k = moments.n_clusters, float(moments.n_rows.sum()), moments.n_counted
    factor = n_groups / (n_groups - 1) * (rows - 1) / (rows - k)
    variance = np.maximum(np.diag(fitted.cov_params()), 0.0)
    return FinalFit(np.asarray(fitted.params), np.sqrt(factor * variance))


def checked_estimate(moments: ClusterMoments, sandwich: Sandwich, coefficient: str) -> float:
    """Returns statsmodels' estimate of a coefficient, once the cross-products' own solution agrees with it.

    Raises:
        DisagreementError: Estimate or CR1 standard error differ by more than a relative 1e-8 (of the larger of the two
            for the estimate, which may be near zero).
    """
    final = final_fit(moments)
    place = moments.names.index(coefficient)
    estimate, se = float(final.beta[place]), float(final.se_cr1[place])
    own, own_se = sandwich.estimate(coefficient), sandwich.se(sandwich.cr1, coefficient)
    scale = max(abs(estimate), se)
    if abs(estimate - own) > AGREEMENT * scale or (
        own_se > AGREEMENT * scale and abs(se - own_se) > AGREEMENT * own_se
    ):
        raise DisagreementError(
            "Two computations of the estimate disagree",
            expected=f"a relative difference below {AGREEMENT}",
            found=f"{estimate!r} and {own!r}",
            remedy="Report it; covariates that nearly determine each other are the likeliest cause",
        )
    return estimate


def _smallest_rows(moments: ClusterMoments) -> tuple[Array, Array, npt.NDArray[np.int64]]:
    """Returns exog (R, K), endog (R,) and the cluster of each row (R,)."""
    size = np.sqrt(np.einsum("gkk->k", moments.weighted_xx))
    exog, endog, groups = [], [], []
    for group, (xx, xy) in enumerate(zip(moments.xx, moments.xy, strict=True)):
        root = root_of(xx / np.outer(size, size))
        exog.append(root.T * size)
        endog.append(left_inverse(root) @ (xy / size))
        groups.append(np.full(root.shape[1], group, dtype=np.int64))
    return np.concatenate(exog), np.concatenate(endog), np.concatenate(groups)
