"""Roots of cross-products that need not be of full rank: pivoted Cholesky, whose cost falls with the rank."""

from __future__ import annotations

import numpy as np
from scipy.linalg.lapack import dpstrf, dtrtrs

from sos_spark.fit.regression.moments import Array

NO_DIRECTION = 1e-12
"""A direction with less than this share of the largest sum of squares is rounding."""


def root_of(matrix: Array, *, threshold: float = NO_DIRECTION) -> Array:
    """Returns L (K, r) of full column rank r with L L' the matrix, which is symmetric and has no negative direction."""
    largest = float(np.max(np.diag(matrix), initial=0.0))
    if largest <= 0:
        return np.zeros((len(matrix), 0))
    factor, pivot, rank, _ = dpstrf(matrix, lower=1, tol=threshold * largest)
    root = np.zeros((len(matrix), rank))
    root[pivot - 1] = np.tril(factor)[:, :rank]
    return root


def left_inverse(root: Array) -> Array:
    """Returns the r x K pseudo-inverse of a root."""
    if not root.shape[1]:
        return np.asarray(root.T)
    orthonormal, triangle = np.linalg.qr(root)
    inverse, _ = dtrtrs(triangle, orthonormal.T)
    return np.asarray(inverse)
