"""Randomisation inference: go-live dates permuted over LAs, on t and on the coefficient, from cross-products.

Sources: Fisher (1935); MacKinnon and Webb (2020, Journal of Econometrics 218(2)) on why t and not the coefficient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from sos_spark.errors import InputError
from sos_spark.fit.inference.assignments import Assignments, Ints
from sos_spark.fit.inference.effect_distribution import TIE, EffectDistribution, RandomisationTest, Scored
from sos_spark.fit.inference.kernel import cr1_factor
from sos_spark.fit.inference.refits import (
    Course,
    Refits,
    blocks_of,
    check_treatment,
    effect_refits_of,
    from_go_live_on,
    starts_of,
)
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

_FLOATS_A_BATCH = 2_000_000

Estimator = Callable[[Ints], tuple[float, float]]
"""gtime of each LA (G,), in the order of the unit ids given -> (att, standard error)."""
EffectEstimator = Callable[[Ints], tuple[Array, Array]]
"""gtime (G,) -> estimates (2,) and scores (2, G), of y and of the actual treatment (`effect_distribution.Scored`)."""


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
    check_treatment(moments, order, coefficient, blocks, actual)
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
