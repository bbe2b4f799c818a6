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
from sos_spark.fit.inference.effect_distribution import TIE, EffectDistribution, RandomisationTest, Scored
from sos_spark.fit.inference.kernel import cr1_factor
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import (
    NEVER,
    TREATED,
    PreparedPanel,
    Weights,
    regression,
    treatment_regression,
)
from sos_spark.fit.regression.moments import Array, ClusterMoments, place_of

_UNIDENTIFIED = 1e-10
_FLOATS_A_BATCH = 2_000_000

Estimator = Callable[[Ints], tuple[float, float]]
"""gtime of each LA (G,), in the order of the unit ids given -> (att, standard error)."""
Course = Callable[[Ints, int], Array]
"""Periods (T,) and a go-live -> the treatment's values in an LA that goes live then."""
EffectEstimator = Callable[[Ints], tuple[Array, Array]]
"""gtime (G,) -> estimates (2,) and scores (2, G), of y and of the actual treatment (`effect_distribution.Scored`)."""


def from_go_live_on(periods: Ints, gtime: int) -> Array:
    """Returns 1 from gtime on and 0 before."""
    return np.asarray(periods >= gtime, dtype=np.float64)


@dataclass(frozen=True)
class Blocks:
    """Cross-products by LA (sorted ids) and go-live date, weighted.

    Shapes: dates (m,), the distinct gtimes but NEVER; dd (G, m, m), the treatments of two dates with one another; dy
    (G, m); dw (G, m, K); cc (G, K, K); cy (G, K), with K the controls: every regressor but the treatment.
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


def starts_of(panel: PreparedPanel) -> tuple[Ints, Course]:
    """Returns what a permutation deals out: a label for each LA (G,), and the treatment's course by label.

    Labels are the go-lives; where periods count in part, a number for each pair of go-live and share.
    """
    if panel.partial is None:
        return panel.gtime, from_go_live_on
    treated = panel.is_treated_unit
    pairs, code = np.unique(np.column_stack([panel.gtime, panel.partial])[treated], axis=0, return_inverse=True)
    labels = np.full(len(treated), NEVER, dtype=np.int64)
    labels[treated] = code.reshape(-1)
    return labels, lambda periods, label: with_share(periods, int(pairs[label, 0]), float(pairs[label, 1]))


def course_by_gtime(panel: PreparedPanel) -> Course:
    """Returns the treatment's course by first treated period, as `PreparedPanel.with_gtime` has it."""
    share = panel.share_by_gtime
    return lambda periods, gtime: with_share(periods, gtime, share.get(gtime, 0.0))


def with_share(periods: Ints, gtime: int, share: float) -> Array:
    """Returns 1 from gtime on, a share in the period before, and 0 earlier."""
    return np.asarray((periods >= gtime) + share * (periods == gtime - 1), dtype=np.float64)


def go_live_distribution(
    panel: PreparedPanel,
    *,
    weights: Weights,
    permutations: int,
    seed: int,
    strata: Sequence[int] | Ints | None = None,
) -> EffectDistribution:
    """Permutes the go-live dates of a panel over its LAs, within strata (G,) where given, and refits two-way effects.

    See `randomisation_distribution`.
    """
    fitted = treatment_regression(panel, weights=weights)
    names = {f"period_{number}": int(number) for number in panel.periods[1:]}
    labels, course = starts_of(panel)
    if names.keys() <= set(fitted.moments.names):
        return randomisation_distribution(
            fitted.moments,
            coefficient=TREATED,
            gtime=labels,
            course=course,
            period_of=names,
            omitted_period=int(panel.periods[0]),
            permutations=permutations,
            seed=seed,
            strata=strata,
        )

    # LAs that share no period, or a period that is one LA's alone, leave fewer period effects than periods: the dates
    # can then not be read from the period dummies, so every assignment is fitted from the panel.
    outcomes = (panel, panel.with_effect_as_outcome())

    def estimate(dealt: Ints) -> tuple[Array, Array]:
        exposure = np.array([course(panel.periods, int(label)) if label != NEVER else none for label in dealt])
        att, scores = zip(*(_two_way(each, exposure, weights) for each in outcomes), strict=True)
        return np.array(att), np.array(scores)

    none = np.zeros(len(panel.periods))
    return randomise_effect(
        estimate,
        unit_ids=panel.unit_ids,
        gtime=labels,
        permutations=permutations,
        seed=seed,
        strata=strata,
        factor=cr1_factor(fitted.moments),
    )


def _two_way(panel: PreparedPanel, exposure: Array, weights: Weights) -> tuple[float, Array]:
    """Returns the two-way effect and its scores (G,); NaN where periods and covariates determine the treatment."""
    moments = regression(panel, {TREATED: exposure}, weights=weights).moments
    if TREATED not in moments.names:
        return float("nan"), np.full(moments.n_clusters, np.nan)
    return effect_and_scores(moments, TREATED)


def go_live_test(
    panel: PreparedPanel,
    *,
    weights: Weights,
    permutations: int,
    seed: int,
    strata: Sequence[int] | Ints | None = None,
) -> RandomisationTest:
    """Tests 'no effect' by `go_live_distribution`."""
    return go_live_distribution(panel, weights=weights, permutations=permutations, seed=seed, strata=strata).test()


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
    """Tests 'no effect' by `randomisation_distribution`."""
    return randomisation_distribution(
        moments,
        coefficient=coefficient,
        gtime=gtime,
        period_of=period_of,
        omitted_period=omitted_period,
        permutations=permutations,
        seed=seed,
        strata=strata,
    ).test()


def randomisation_distribution(
    moments: ClusterMoments,
    *,
    coefficient: str,
    gtime: Sequence[int] | Ints,
    period_of: Mapping[str, int],
    omitted_period: int,
    permutations: int,
    seed: int,
    strata: Sequence[int] | Ints | None = None,
    course: Course = from_go_live_on,
) -> EffectDistribution:
    """Permutes the go-live dates over LAs and refits the two-way fixed-effects regression.

    Args:
        moments: Its cluster cross-products, under child or LA-equal weights.
        coefficient: The treatment; every other regressor is a control that no assignment changes.
        gtime: First treated period of each LA, NEVER (-1) for none, in the order of `moments.unit_ids`. Several dates
            are permuted together.
        period_of: The period of each period dummy, by its name in `moments.names`.
        omitted_period: The period without a dummy.
        permutations: Assignments to draw; all are enumerated when they are no more than that.
        seed: Draws are tied to the sorted unit ids.
        strata: A number for each LA; dates are permuted within strata only.
        course: The treatment's values by period, 1 from gtime on where not given; 0 in LAs that never go live.

    Raises:
        StudyError: If there is no such coefficient.
        ValueError: If the treatment's cross-products are not those of gtime.
    """
    order = sorted(range(moments.n_clusters), key=moments.unit_ids.__getitem__)
    actual = np.asarray(gtime, dtype=np.int64)[order]
    dates = np.unique(actual[actual != NEVER])
    blocks = blocks_of(moments, order, coefficient, dates, period_of, omitted_period, course)
    _check_treatment(moments, order, coefficient, blocks, actual)
    plan = Assignments.of(
        actual, strata=None if strata is None else np.asarray(strata)[order], permutations=permutations, seed=seed
    )
    n_controls = blocks.cy.shape[1]
    size = max(64, _FLOATS_A_BATCH // (n_controls * (n_controls + 1) // 2 + 8 * len(order)))
    observed = effect_refits_of(blocks, actual[None], actual)
    permuted = ((batch, effect_refits_of(blocks, batch, actual)) for batch in plan.batches(size=size))
    return EffectDistribution.of(observed, permuted, plan, factor=cr1_factor(moments))


def randomise_effect(
    estimator: EffectEstimator,
    *,
    unit_ids: Sequence[str],
    gtime: Sequence[int] | Ints,
    permutations: int,
    seed: int,
    strata: Sequence[int] | Ints | None = None,
    factor: float = 1.0,
) -> EffectDistribution:
    """The same for any estimator: it is called once for each assignment, with gtime in the order of unit_ids.

    An assignment for which it raises InputError is undefined.
    """
    order = sorted(range(len(unit_ids)), key=unit_ids.__getitem__)
    back = np.argsort(order)
    actual = np.asarray(gtime, dtype=np.int64)[order]
    plan = Assignments.of(
        actual, strata=None if strata is None else np.asarray(strata)[order], permutations=permutations, seed=seed
    )

    def refit(batch: Ints) -> Scored:
        att, scores = np.full((2, len(batch)), np.nan), np.full((2, len(batch), len(order)), np.nan)
        for row, gtimes in enumerate(batch):
            try:
                att[:, row], scores[:, row] = estimator(gtimes[back])
            except InputError:
                continue
        return Scored(att, scores)

    permuted = ((batch, refit(batch)) for batch in plan.batches(size=1_000))
    return EffectDistribution.of(refit(actual[None]), permuted, plan, factor=factor)


def effect_and_scores(moments: ClusterMoments, coefficient: str) -> tuple[float, Array]:
    """Returns a coefficient and its scores (G,), whose root sum of squares is CR1 without its factor."""
    solved = Sandwich(moments)
    beta, row = solved.beta, solved.bread[place_of(moments, coefficient)]
    return solved.estimate(coefficient), (moments.weighted_xy - moments.weighted_xx @ beta) @ row


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
    course: Course = from_go_live_on,
) -> Blocks:
    """Returns the cross-products of a regression by LA, in the order given, and by each of the go-live dates."""
    controls = [k for k, name in enumerate(moments.names) if k != place_of(moments, coefficient)]
    cc = moments.weighted_xx[np.ix_(order, controls, controls)]
    cy = moments.weighted_xy[np.ix_(order, controls)]
    periods = np.array([period_of.get(moments.names[k], NEVER) for k in controls])
    # Within an LA the dummies of all periods add up to nothing, so the omitted one is minus the sum of the others.
    omitted = np.array([omitted_period])
    after = [course(periods, int(date)) - course(omitted, int(date)) for date in dates]
    sums = np.where((periods != NEVER)[:, None], np.array(after).T.reshape(len(controls), len(dates)), 0.0)
    dw = np.einsum("gkl,km->gml", cc, sums)
    # Controls in units of their own root sum of squares, so that a large covariate costs no digits.
    size = np.sqrt(np.einsum("gkk->k", cc))
    return Blocks(
        dates=dates,
        dd=dw @ sums,
        dy=cy @ sums,
        dw=dw / size,
        cc=cc / np.outer(size, size),
        cy=cy / size,
    )


def _check_treatment(
    moments: ClusterMoments, order: Sequence[int], coefficient: str, blocks: Blocks, actual: Ints
) -> None:
    """The treatment must follow its course from gtime on, else permuting gtime would not permute the treatment."""
    place = place_of(moments, coefficient)
    own = np.stack([moments.weighted_xx[order, place, place], moments.weighted_xy[order, place]])
    made = np.zeros_like(own)
    for m, date in enumerate(blocks.dates):
        made += (actual == date) * np.stack([blocks.dd[:, m, m], blocks.dy[:, m]])
    scale = np.abs(own).max(axis=1, keepdims=True)
    if not np.all(np.abs(own - made) <= 1e-8 * scale):
        raise ValueError("the treatment's cross-products are not those of a dummy that is 1 from gtime on")


def refits_of(blocks: Blocks, gtimes: Ints) -> Refits:
    """Refits every assignment (P, G)."""
    scored = _scored(blocks, gtimes, blocks.dy[None], blocks.cy[None])
    att, score = scored.att[0], scored.scores[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return Refits(att=att, t=att / np.sqrt(np.einsum("pg,pg->p", score, score)))


def effect_refits_of(blocks: Blocks, gtimes: Ints, actual: Ints) -> Scored:
    """Refits every assignment (P, G) to y and to the treatment of the actual one (G,)."""
    mine = [(actual == date).astype(float) for date in blocks.dates]
    d_actual = sum((own[:, None] * blocks.dd[:, :, m] for m, own in enumerate(mine)), np.zeros_like(blocks.dy))
    c_actual = sum((own[:, None] * blocks.dw[:, m] for m, own in enumerate(mine)), np.zeros_like(blocks.cy))
    return _scored(blocks, gtimes, np.stack([blocks.dy, d_actual]), np.stack([blocks.cy, c_actual]))


def _scored(blocks: Blocks, gtimes: Ints, dy: Array, cy: Array) -> Scored:
    """Refits every assignment (P, G) to several outcomes, by their products (O, G, m) and (O, G, K)."""
    inverse = np.linalg.inv(blocks.cc.sum(axis=0))
    gamma = cy.sum(axis=1) @ inverse
    residual = cy - np.einsum("gkl,ol->ogk", blocks.cc, gamma)
    own = dy - np.einsum("gmk,ok->ogm", blocks.dw, gamma)
    treated = [(gtimes == date).astype(float) for date in blocks.dates]
    w = sum((mine @ blocks.dw[:, m] for m, mine in enumerate(treated)), np.zeros((len(gtimes), len(inverse))))
    pi = w @ inverse
    # pi'C_g pi for all LAs at once: products of pairs of pi, each off-diagonal pair once, against C_g's entries.
    i, j = np.triu_indices(len(inverse))
    pairs = blocks.cc[:, i, j] * np.where(i == j, 1.0, 2.0)
    columns = np.ascontiguousarray(pi.T)
    slope = (pairs @ (columns[i] * columns[j])).T
    scores = np.stack([-pi @ each.T for each in residual])
    total = np.zeros(len(gtimes))
    for m, mine in enumerate(treated):
        total += mine @ blocks.dd[:, m, m]
        slope += mine * (blocks.dd[:, m, m] - 2 * pi @ blocks.dw[:, m].T)
        for outcome, score in enumerate(scores):
            score += mine * own[outcome, :, m]
    left = total - np.einsum("pk,pk->p", w, pi)
    left = np.where(left > _UNIDENTIFIED * total, left, np.nan)
    att = scores.sum(axis=2) / left
    return Scored(att, (scores - att[:, :, None] * slope) / left[None, :, None])
