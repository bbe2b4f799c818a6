"""The CR2 adjustment of a cluster's residuals, as it acts on a combination of coefficients.

With A = X_g'X_g = L L' and a symmetric Q, the residuals' adjustment is the inverse root of I - L'Q L.
All that is ever asked of it is h = (I - Q A)^(-1/2) c: the cluster's adjusted score is then h's_g, and the weights of
its errors X_g h. The eigenvalues of Q A are those of L'Q L, the share of the fit that the cluster itself decides,
mostly far below one, so h is the series sum_k c_k (Q A)^k c, of all clusters at once and of K x K products only. Where
it has not converged, because one cluster decides nearly everything in some direction, an eigen-decomposition gives h,
leaving out the directions that it decides alone, as in a generalised inverse.
"""

from __future__ import annotations

import numpy as np

from sos_spark.fit.regression.moments import Array
from sos_spark.fit.regression.roots import left_inverse, root_of

_NO_FREEDOM = 1e-10
_CONVERGED = 1e-17
_TERMS = 80


def adjusted_combinations(xx: Array, q: Array, combinations: Array) -> Array:
    """Returns (I - Q_g A_g)^(-1/2) c for every cluster and combination.

    Args:
        xx: A, (G, K, K).
        q: Q, symmetric, (G, K, K).
        combinations: c, (K, m).

    Returns:
        (G, K, m).
    """
    product = q @ xx
    total = np.repeat(combinations[None], len(xx), axis=0)
    term = total.copy()
    factor, running = 1.0, np.arange(len(xx))
    # Under LA-equal weights Q may have a large negative eigenvalue, and the series then grows out of all bounds.
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(1, _TERMS):
            factor *= (2 * k - 1) / (2 * k)
            term = product @ term
            total[running] += factor * term
            last = factor * np.abs(term).max(axis=(1, 2), initial=0.0)
            size = np.abs(total[running]).max(axis=(1, 2), initial=0.0)
            left = ~((last <= _CONVERGED * size) & np.isfinite(size))
            running, term, product = running[left], term[left], product[left]
            if not len(running):
                break
    for g in running:
        total[g] = _by_eigenvalues(xx[g], q[g], combinations)
    return total


def _by_eigenvalues(xx: Array, q: Array, combinations: Array) -> Array:
    root = root_of(xx)
    left = np.eye(root.shape[1]) - root.T @ q @ root
    freedom, directions = np.linalg.eigh((left + left.T) / 2)
    free = freedom > _NO_FREEDOM
    inverse = np.where(free, 1.0 / np.sqrt(np.where(free, freedom, 1.0)), 0.0)
    inner = (directions * inverse) @ directions.T
    return np.asarray(left_inverse(root).T @ (inner @ (root.T @ combinations)))
