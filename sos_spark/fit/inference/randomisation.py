"""Randomisation inference: go-live dates permuted over LAs, on t and on the coefficient, from cross-products.

Only the treatment's own cross-products change with an assignment. In terms of the within-LA period dummies the
treatment of an LA that goes live in period k is the sum of the dummies from k on, so its products with the controls, y
and itself are sums of entries of the LA's control block, found once for each LA and each date. With C the controls'
cross-products, w those with the treatment, pi = C^-1 w and gamma = C^-1 c_y (which no assignment changes):

    att = (d_y - w'gamma) / (d_d - w'pi)
    score_g = (d_y,g - w_g'gamma) - pi'(c_y,g - C_g gamma) - att (d_d,g - 2 pi'w_g + pi'C_g pi)

Sources: Fisher (1935); MacKinnon and Webb (2020, Journal of Econometrics 218(2)) on why t and not the coefficient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sos_spark.errors import InputError
from sos_spark.fit.inference.assignments import Assignments, Ints
from sos_spark.fit.inference.kernel import cr1_factor, kernel_of, place_of
from sos_spark.fit.regression.design import NEVER, TREATED, PreparedPanel, Weights, treatment_regression
from sos_spark.fit.regression.moments import Array, ClusterMoments

TIE = 1e-10
"""Relative tolerance within which a permuted statistic ties with the actual one and counts."""

_UNIDENTIFIED = 1e-10
_FLOATS_A_BATCH = 2_000_000

Estimator = Callable[[Ints], tuple[float, float]]
"""gtime of each LA (G,), in the order of the unit ids given -> (att, standard error)."""


@dataclass(frozen=True)
class RandomisationTest:
    """Shares of assignments whose statistic is at least the actual one's: `p` on |att / se_cr1|, `p_att` on |att|.

    n_permutations counts the assignments (all distinct ones when enumerated). An assignment whose effect cannot be
    estimated counts as extreme; there were n_undefined. All NaN where the actual effect has no standard error.
    """

    p: float
    p_att: float
    att: float
    t: float
    n_permutations: int
    enumerated: bool
    n_undefined: int


@dataclass(frozen=True)
class Blocks:
    """Cross-products by LA (sorted ids) and go-live date, weighted.

    Shapes: dates (m,), the distinct gtimes but NEVER; dd, dy (G, m); dw (G, m, K); cc (G, K, K); cy (G, K), with K the
    controls: every regressor but the treatment.
    """

    dates: Ints
    dd: Array
    dy: Array
    dw: Array
    cc: Array
    cy: Array


@dataclass(frozen=True)
class Refits:
    """Estimates of a batch of assignments, shapes (P,): t leaves out CR1's factor; undefined ones are NaN."""

    att: Array
    t: Array


def go_live_test(
    panel: PreparedPanel,
    *,
    weights: Weights,
    permutations: int,
    seed: int,
    strata: Sequence[int] | Ints | None = None,
) -> RandomisationTest:
    """Permutes the go-live dates of a panel over its LAs, within strata (G,) where given; see `randomisation_test`."""
    fitted = treatment_regression(panel, weights=weights)
    names = {f"period_{number}": int(number) for number in panel.periods[1:]}
    if names.keys() <= set(fitted.moments.names):
        return randomisation_test(
            fitted.moments,
            coefficient=TREATED,
            gtime=panel.gtime,
            period_of=names,
            omitted_period=int(panel.periods[0]),
            permutations=permutations,
            seed=seed,
            strata=strata,
        )

    # LAs that share no period, or a period that is one LA's alone, leave fewer period effects than periods: the dates
    # can then not be read from the period dummies, so every assignment is fitted from the panel.
    def estimate(gtime: Ints) -> tuple[float, float]:
        moments = treatment_regression(panel.with_gtime(gtime), weights=weights).moments
        if TREATED not in moments.names:
            return float("nan"), float("nan")
        kernel = kernel_of(moments, TREATED)
        return kernel.estimate, kernel.se * float(np.sqrt(kernel.factor))

    return randomise(
        estimate,
        unit_ids=panel.unit_ids,
        gtime=panel.gtime,
        permutations=permutations,
        seed=seed,
        strata=strata,
    )


def randomisation_test(
    moments: ClusterMoments,
    *,
    coefficient: str,
    gtime: Sequence[int] | Ints,
    period_of: Mapping[str, int],
    omitted_period: int,
    permutations: int,
    seed: int,
    strata: Sequence[int] | Ints | None = None,
) -> RandomisationTest:
    """Permutes the go-live dates over LAs and refits the two-way fixed-effects regression.

    Args:
        moments: Its cluster cross-products, under child or LA-equal weights.
        coefficient: The treatment, 1 from gtime on; every other regressor is a control that no assignment changes.
        gtime: First treated period of each LA, NEVER (-1) for none, in the order of `moments.unit_ids`. Several dates
            are permuted together.
        period_of: The period of each period dummy, by its name in `moments.names`.
        omitted_period: The period without a dummy.
        permutations: Assignments to draw; all are enumerated when they are no more than that.
        seed: Draws are tied to the sorted unit ids.
        strata: A number for each LA; dates are permuted within strata only.

    Raises:
        StudyError: If there is no such coefficient.
        ValueError: If the treatment's cross-products are not those of gtime.
    """
    order = sorted(range(moments.n_clusters), key=moments.unit_ids.__getitem__)
    actual = np.asarray(gtime, dtype=np.int64)[order]
    blocks = blocks_of(moments, order, coefficient, np.unique(actual[actual != NEVER]), period_of, omitted_period)
    _check_treatment(moments, order, coefficient, blocks, actual)
    plan = Assignments.of(
        actual, strata=None if strata is None else np.asarray(strata)[order], permutations=permutations, seed=seed
    )
    n_controls = blocks.cy.shape[1]
    size = max(64, _FLOATS_A_BATCH // (n_controls * (n_controls + 1) // 2 + 6 * len(order)))
    observed = refits_of(blocks, actual[None])
    permuted = (refits_of(blocks, batch) for batch in plan.batches(size=size))
    return compare(observed, permuted, plan, factor=cr1_factor(moments))


def randomise(
    estimator: Estimator,
    *,
    unit_ids: Sequence[str],
    gtime: Sequence[int] | Ints,
    permutations: int,
    seed: int,
    strata: Sequence[int] | Ints | None = None,
) -> RandomisationTest:
    """The same test for any estimator: it is called once for each assignment, with gtime in the order of unit_ids.

    An assignment for which it raises InputError, or returns no positive standard error, is undefined.
    """
    order = sorted(range(len(unit_ids)), key=unit_ids.__getitem__)
    back = np.argsort(order)
    actual = np.asarray(gtime, dtype=np.int64)[order]
    plan = Assignments.of(
        actual, strata=None if strata is None else np.asarray(strata)[order], permutations=permutations, seed=seed
    )

    def refit(batch: Ints) -> Refits:
        pairs = np.array([_estimate(estimator, row[back]) for row in batch])
        return Refits(att=pairs[:, 0], t=pairs[:, 0] / pairs[:, 1])

    return compare(refit(actual[None]), map(refit, plan.batches(size=1_000)), plan)


def _estimate(estimator: Estimator, gtime: Ints) -> tuple[float, float]:
    try:
        att, se = estimator(gtime)
    except InputError:
        return np.nan, np.nan
    return (att, se) if se > 0 else (np.nan, np.nan)


def compare(
    observed: Refits, permuted: Iterable[Refits], plan: Assignments, *, factor: float = 1.0
) -> RandomisationTest:
    """Counts the assignments at least as extreme as the actual one. `factor` is what the variances in t left out."""
    att, t = float(observed.att[0]), float(observed.t[0])
    n_t = n_att = n_undefined = 0
    for refits in permuted:
        undefined = np.isnan(refits.t)
        n_undefined += int(np.count_nonzero(undefined))
        n_t += int(np.count_nonzero(undefined | (np.abs(refits.t) >= abs(t) * (1 - TIE))))
        n_att += int(np.count_nonzero(undefined | (np.abs(refits.att) >= abs(att) * (1 - TIE))))
    seen = not np.isnan(t)
    return RandomisationTest(
        p=plan.p_value(n_t) if seen else float("nan"),
        p_att=plan.p_value(n_att) if seen else float("nan"),
        att=att,
        t=t / float(np.sqrt(factor)),
        n_permutations=plan.n,
        enumerated=plan.enumerated,
        n_undefined=n_undefined,
    )


def blocks_of(
    moments: ClusterMoments,
    order: Sequence[int],
    coefficient: str,
    dates: Ints,
    period_of: Mapping[str, int],
    omitted_period: int,
) -> Blocks:
    """Returns the cross-products of a regression by LA, in the order given, and by each of the go-live dates."""
    controls = [k for k, name in enumerate(moments.names) if k != place_of(moments, coefficient)]
    cc = moments.weighted_xx[np.ix_(order, controls, controls)]
    cy = moments.weighted_xy[np.ix_(order, controls)]
    periods = np.array([period_of.get(moments.names[k], NEVER) for k in controls])
    # Within an LA the dummies of all periods add up to nothing, so the omitted one is minus the sum of the others.
    after = [(periods >= date) - float(omitted_period >= date) * np.ones(len(controls)) for date in dates]
    sums = np.where((periods != NEVER)[:, None], np.array(after).T.reshape(len(controls), len(dates)), 0.0)
    dw = np.einsum("gkl,km->gml", cc, sums)
    # Controls in units of their own root sum of squares, so that a large covariate costs no digits.
    size = np.sqrt(np.einsum("gkk->k", cc))
    return Blocks(
        dates=dates,
        dd=np.einsum("gml,lm->gm", dw, sums),
        dy=cy @ sums,
        dw=dw / size,
        cc=cc / np.outer(size, size),
        cy=cy / size,
    )


def _check_treatment(
    moments: ClusterMoments, order: Sequence[int], coefficient: str, blocks: Blocks, actual: Ints
) -> None:
    """The treatment must be 1 from gtime on and 0 before, else permuting gtime would not permute the treatment."""
    place = place_of(moments, coefficient)
    own = np.stack([moments.weighted_xx[order, place, place], moments.weighted_xy[order, place]])
    made = np.zeros_like(own)
    for m, date in enumerate(blocks.dates):
        made += (actual == date) * np.stack([blocks.dd[:, m], blocks.dy[:, m]])
    scale = np.abs(own).max(axis=1, keepdims=True)
    if not np.all(np.abs(own - made) <= 1e-8 * scale):
        raise ValueError("the treatment's cross-products are not those of a dummy that is 1 from gtime on")


def refits_of(blocks: Blocks, gtimes: Ints) -> Refits:
    """Refits every assignment (P, G)."""
    inverse = np.linalg.inv(blocks.cc.sum(axis=0))
    gamma = inverse @ blocks.cy.sum(axis=0)
    residual = blocks.cy - blocks.cc @ gamma
    own = blocks.dy - np.einsum("gmk,k->gm", blocks.dw, gamma)
    treated = [(gtimes == date).astype(float) for date in blocks.dates]
    w = sum((mine @ blocks.dw[:, m] for m, mine in enumerate(treated)), np.zeros((len(gtimes), len(gamma))))
    pi = w @ inverse
    # pi'C_g pi for all LAs at once: products of pairs of pi, each off-diagonal pair once, against C_g's entries.
    i, j = np.triu_indices(len(gamma))
    pairs = blocks.cc[:, i, j] * np.where(i == j, 1.0, 2.0)
    columns = np.ascontiguousarray(pi.T)
    slope = (pairs @ (columns[i] * columns[j])).T
    score = -pi @ residual.T
    total = np.zeros(len(gtimes))
    for m, mine in enumerate(treated):
        total += mine @ blocks.dd[:, m]
        score += mine * own[:, m]
        slope += mine * (blocks.dd[:, m] - 2 * pi @ blocks.dw[:, m].T)
    left = total - np.einsum("pk,pk->p", w, pi)
    defined = left > _UNIDENTIFIED * total
    left = np.where(defined, left, np.nan)
    att = score.sum(axis=1) / left
    score -= att[:, None] * slope
    with np.errstate(divide="ignore"):
        t = att * left / np.sqrt(np.einsum("pg,pg->p", score, score))
    return Refits(att=att, t=t)
