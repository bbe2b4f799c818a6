"""Effects by event time under permuted treatment, where all treated LAs go live together.

An event time's dummy is a sum of period dummies times 'treated', and its products in an LA are those of the LA's
period dummies: cross-products by LA are all that an assignment needs. An effect at one event time is tested on the
outcomes less the estimated effects at the others, which a sharp null has to say something of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from sos_spark.fit.inference.assignments import Assignments, Ints
from sos_spark.fit.inference.effect_distribution import EffectDistribution, Scored
from sos_spark.fit.inference.label_permutation import solve_each
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import NEVER, PreparedPanel, Weights, regression
from sos_spark.fit.regression.moments import Array, ClusterMoments

PERMUTATIONS = 1_999
"""At most so many: (1 + number) x 0.05 is whole, and every event time is refitted in each."""
_UNIDENTIFIED = 1e-10
_FLOATS_A_BATCH = 4_000_000


def event_distributions(
    panel: PreparedPanel,
    fitted: ClusterMoments,
    times: Mapping[str, Ints],
    *,
    weights: Weights,
    permutations: int,
    seed: int,
    strata: Ints | None = None,
) -> dict[str, EffectDistribution]:
    """Permutes which LAs are treated and estimates the effects at every event time again.

    Args:
        panel: The panel; its treated LAs share one go-live.
        fitted: The two-way regression with a dummy for each event time.
        times: By the dummy's name, which of the panel's periods (T,) the event time holds, 0 or 1.
        weights: Those of the regression.
        permutations: Assignments to draw, `PERMUTATIONS` at most.
        seed: Draws are tied to the sorted unit ids.
        strata: A number for each LA; treatment is permuted within strata only.

    Returns:
        A distribution by name; none where a period's effect cannot be told from the others'.
    """
    base = regression(panel, {}, weights=weights).moments
    numbers = [f"period_{number}" for number in panel.periods[1:]]
    if not set(numbers) <= set(base.names) or not times:
        return {}
    held = np.array(list(times.values()), dtype=np.float64)
    shape = np.zeros((len(base.names), len(times)))
    # Within an LA the dummies of all periods add up to nothing, so the first is minus the sum of the others.
    shape[[base.names.index(name) for name in numbers]] = (held[:, 1:] - held[:, :1]).T
    treated = panel.is_treated_unit
    solved = Sandwich(fitted)
    places = [fitted.names.index(name) for name in times]
    estimates, own_scores = solved.beta[places], _own_scores(fitted, solved, places)
    xx, own = base.weighted_xx, base.weighted_xx @ shape
    effects = np.where(treated[:, None, None], own, 0.0)
    xy = base.weighted_xy - effects @ estimates
    plan = Assignments.of(
        np.where(treated, panel.gtime, NEVER), strata=strata, permutations=min(permutations, PERMUTATIONS), seed=seed
    )
    width = sum(shape.shape)
    size = max(8, _FLOATS_A_BATCH // (width * (3 * width + 4 * len(xx))))
    batches = [
        (batch, _refit(xx, xy, effects, own, shape, (batch != NEVER).astype(np.float64)))
        for batch in plan.batches(size=size)
    ]
    return {
        name: EffectDistribution.of(
            Scored(estimates[[e, e], None], own_scores[[e, e], None]),
            _of_event(batches, e, float(estimates[e])),
            plan,
        )
        for e, name in enumerate(times)
    }


def _own_scores(fitted: ClusterMoments, solved: Sandwich, places: list[int]) -> Array:
    """Returns the scores (E, G) of some coefficients."""
    left = fitted.weighted_xy - fitted.weighted_xx @ solved.beta
    return np.asarray(solved.bread[places] @ left.T)


def _of_event(
    batches: list[tuple[Ints, tuple[Array, Array]]], e: int, estimate: float
) -> Iterator[tuple[Ints, Scored]]:
    """Yields the batches of one event time, its own estimated effect put back into the outcomes."""
    for gtimes, (att, scores) in batches:
        rest, of_effect = att[:, :, e], scores[:, :, :, e]
        yield (
            gtimes,
            Scored(
                np.stack([rest[0] + estimate * rest[1], rest[1]]),
                np.stack([of_effect[0] + estimate * of_effect[1], of_effect[1]]),
            ),
        )


def _refit(xx: Array, xy: Array, effects: Array, own: Array, shape: Array, treated: Array) -> tuple[Array, Array]:
    """Fits every assignment, treated (P, G), to the outcomes without effects and to each event time's own dummy.

    Shapes: xx (G, K, K), xy (G, K), effects and own (G, K, E) products with the actual dummies and with those of an LA
    if it is treated, shape (K, E). Returns estimates (2, P, E) and scores (2, P, G, E) of each event time.
    """
    n, (k, q) = len(treated), shape.shape
    whole = np.empty((n, k + q, k + q))
    across = np.tensordot(treated, own, axes=1)
    whole[:, :k, :k] = xx.sum(axis=0)
    whole[:, :k, k:] = across
    whole[:, k:, :k] = across.transpose(0, 2, 1)
    whole[:, k:, k:] = np.matmul(shape.T, across)
    both = np.concatenate([xy[:, :, None], effects], axis=2)
    right = np.empty((n, k + q, 1 + 2 * q))
    right[:, :k, : 1 + q] = both.sum(axis=0)
    right[:, k:, : 1 + q] = np.matmul(shape.T, np.tensordot(treated, both, axes=1))
    right[:, :, 1 + q :] = np.eye(k + q)[:, k:]
    solution = solve_each(whole, right)
    beta, influence = solution[:, :, : 1 + q], solution[:, :, 1 + q :]
    with np.errstate(divide="ignore", invalid="ignore"):
        left = 1 / np.einsum("pee->pe", influence[:, k:]) / np.einsum("pee->pe", whole[:, k:, k:])
    defined = np.isfinite(left) & (left > _UNIDENTIFIED)
    att, scores = np.empty((2, n, q)), np.empty((2, n, len(xx), q))
    att[0], att[1] = beta[:, k:, 0], np.einsum("pee->pe", beta[:, k:, 1:])
    # Coefficients of an LA's own dummies: those of the periods, and where it is treated the events' too.
    a, b = influence[:, :k], beta[:, :k]
    a_treated, b_treated = a + np.matmul(shape, influence[:, k:]), b + np.matmul(shape, beta[:, k:])
    for g in range(len(xx)):
        mine = treated[:, g, None, None] > 0
        ahead, fit = np.where(mine, a_treated, a), np.where(mine, b_treated, b)
        residual = both[g] - np.matmul(xx[g], fit)
        scores[0, :, g] = np.einsum("pke,pk->pe", ahead, residual[:, :, 0])
        scores[1, :, g] = np.einsum("pke,pke->pe", ahead, residual[:, :, 1:])
    return np.where(defined, att, np.nan), np.where(defined[:, None], scores, np.nan)
