"""Randomisation inference for a difference between subgroups: the label is permuted, the treatment stays.

To permute the treatment would test 'no effect at all'. Here the LA's label S (a pre-treatment rating, a dose) moves
among treated LAs and, apart, among comparators; each time the regression with S x treatment, and S x period effects
where the label splits comparators too, is fitted again. S is constant within an LA, so the products of an interaction
in LA g are S_g, or S_g^2, times those of the regressor it interacts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sos_spark.errors import StudyError
from sos_spark.fit.inference.assignments import Assignments
from sos_spark.fit.inference.effect_distribution import RandomisationTest
from sos_spark.fit.inference.kernel import cr1_factor
from sos_spark.fit.inference.randomisation import compare
from sos_spark.fit.inference.refits import Refits
from sos_spark.fit.regression.moments import Array, ClusterMoments, place_of

_UNIDENTIFIED = 1e-10
_FLOATS_A_BATCH = 2_000_000


def label_test(
    moments: ClusterMoments,
    *,
    treatment: str,
    interacted: Sequence[str] = (),
    labels: Sequence[float] | Array,
    treated: Sequence[bool],
    permutations: int,
    seed: int,
) -> RandomisationTest:
    """Tests that the effect does not differ by a label of the LA.

    Args:
        moments: Cross-products of the regression without the label.
        treatment: The treatment's name; the statistic is the coefficient of label x treatment.
        interacted: Other regressors that get an interaction: the period dummies, when the label is a subgroup of
            comparators too (a triple difference); none for a dose that only treated LAs have.
        labels: A number for each LA, in the order of `moments.unit_ids`: 0 and 1 for a subgroup, or a dose.
        treated: Which LAs are treated; labels are permuted among them and, apart, among the others.
        permutations: Label assignments to draw; all are enumerated when they are no more than that.
        seed: Draws are tied to the sorted unit ids.

    Raises:
        StudyError: If a name is unknown, or the difference is not identified with the actual labels.
    """
    order = sorted(range(moments.n_clusters), key=moments.unit_ids.__getitem__)
    values, codes = np.unique(np.asarray(labels, dtype=float)[order], return_inverse=True)
    plan = Assignments.of(
        codes.ravel(), strata=np.asarray(treated, dtype=np.int64)[order], permutations=permutations, seed=seed
    )
    regression = (moments.weighted_xx[order], moments.weighted_xy[order])
    places = [place_of(moments, name) for name in (treatment, *interacted)]
    width = len(moments.names) + len(places)
    observed = _refit(*regression, places, values[codes[None]])
    if np.isnan(observed.att[0]):
        raise StudyError(
            "The difference between subgroups cannot be estimated",
            expected="treated authorities with different labels, and comparators of each where periods interact",
            remedy="Leave the subgroup out, or join its levels",
        )
    size = max(16, _FLOATS_A_BATCH // (2 * width**2 + 3 * len(order) * width))
    refits = (_refit(*regression, places, values[batch]) for batch in plan.batches(size=size))
    return compare(observed, refits, plan, factor=cr1_factor(moments, n_regressors=width))


def _refit(xx: Array, xy: Array, places: Sequence[int], labels: Array) -> Refits:
    """Fits the regression with interactions for every labelling. Shape of labels (P, G)."""
    n, k, q = len(labels), xy.shape[1], len(places)
    whole = np.empty((n, k + q, k + q))
    whole[:, :k, :k] = xx.sum(axis=0)
    whole[:, :k, k:] = np.tensordot(labels, xx[:, :, places], axes=1)
    whole[:, k:, :k] = whole[:, :k, k:].transpose(0, 2, 1)
    whole[:, k:, k:] = np.tensordot(labels**2, xx[:, places][:, :, places], axes=1)
    right = np.concatenate([np.broadcast_to(xy.sum(axis=0), (n, k)), labels @ xy[:, places]], axis=1)
    unit = np.broadcast_to(np.eye(k + q)[k], right.shape)
    beta, influence = solve_each(whole, np.stack([right, unit], axis=2)).transpose(2, 0, 1)
    # What is left of label x treatment after all else, as a share of its own sum of squares: none if not identified.
    with np.errstate(divide="ignore", invalid="ignore"):
        left = 1 / influence[:, k] / whole[:, k, k]
    defined = np.isfinite(left) & (left > _UNIDENTIFIED)
    score = np.empty(labels.shape)
    for g in range(labels.shape[1]):
        a, b = influence[:, :k].copy(), beta[:, :k].copy()
        a[:, places] += labels[:, g, None] * influence[:, k:]
        b[:, places] += labels[:, g, None] * beta[:, k:]
        score[:, g] = np.einsum("pk,pk->p", a, xy[g] - b @ xx[g])
    with np.errstate(divide="ignore", invalid="ignore"):
        t = beta[:, k] / np.sqrt(np.einsum("pg,pg->p", score, score))
    return Refits(att=np.where(defined, beta[:, k], np.nan), t=np.where(defined, t, np.nan))


def solve_each(left: Array, right: Array) -> Array:
    """Solves every system; NaN where one is exactly singular. Shapes (P, K, K), (P, K, m)."""
    try:
        return np.asarray(np.linalg.solve(left, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        if len(left) == 1:
            return np.full(right.shape, np.nan)
        return np.concatenate([solve_each(left[i : i + 1], right[i : i + 1]) for i in range(len(left))])
