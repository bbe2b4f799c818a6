"""Does the effect differ between two groups of LAs? A triple difference, or a difference of effects.

With S = 1 for the second group, y_i = a_l + g_t + b0 D_lt + b1 S_l D_lt + u_i, and, where the label splits comparators
too, period effects of the second group's own, S_l h_t: each group's treated LAs then meet comparators of their own
group, and b1 is the triple difference. Without labels of comparators both groups meet all comparators. Covariates have
one coefficient in both groups.

Randomisation inference of the difference permutes the label among treated LAs and, apart, among comparators, with the
treatment fixed; that of a group's effect permutes go-lives in the panel without the other group's treated LAs (and
without its comparators, where they are labelled). Under several go-lives see `subgroups_staggered`.
"""

from __future__ import annotations

import numpy as np

from sos_spark.analysis.secondary.rows import Coefficient
from sos_spark.analysis.secondary.split import Split
from sos_spark.analysis.secondary.subgroups_staggered import staggered_label_p, staggered_moments
from sos_spark.config.study import Inference
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.estimators import main_estimate, shares_one_go_live
from sos_spark.fit.inference.label_permutation import label_test
from sos_spark.fit.lone_pilot import distribution_of
from sos_spark.fit.regression.design import TREATED, Weights, regression, treatment_regression
from sos_spark.fit.regression.moments import Array, ClusterMoments

DIFFERENCE = "difference"
FIRST, SECOND = "first", "second"


def subgroup_coefficients(split: Split, *, inference: Inference) -> tuple[Coefficient, ...]:
    """Returns the effect in the second group, in the first, and the second's less the first's.

    Raises:
        NotEstimableError: A group's effect cannot be told from its period effects.
    """
    effects, difference = subgroup_moments(split, weights=inference.weights)
    parts = [split.part(second=second) for second in (False, True)]
    staggered = not shares_one_go_live(split.panel)
    kind = "simple average of ATT(g,t)" if staggered else "ATT"
    against = "comparators of the same group" if split.crossed else "all comparators, whatever their rating"
    notes = list(split.notes)
    if staggered and split.panel.covariates:
        notes.append("group-time effects are not adjusted for covariates")
    rows = []
    for place in (1, 0):
        part, name = parts[place], split.names[place]
        estimate = main_estimate(part, weights=inference.weights, staggered="cs_simple")
        p_ri = distribution_of(estimate, permutations=inference.permutations, seed=inference.seed).p
        rows.append(
            Coefficient(
                term=f"effect in {name}",
                estimand=f"{kind} in authorities that were {name} before go-live, against {against}",
                moments=effects,
                name=(FIRST, SECOND)[place],
                rests_on=part.n_treated_units,
                p_ri=p_ri,
                notes=tuple(notes),
            )
        )
    first, second = split.names
    of_what = "triple difference: " if split.crossed else "difference of effects, each against all comparators: "
    rows.append(
        Coefficient(
            term=DIFFERENCE,
            estimand=f"{of_what}{kind} in {second} less that in {first}",
            moments=difference,
            name=DIFFERENCE,
            rests_on=min(part.n_treated_units for part in parts),
            p_ri=label_p(split, inference=inference),
            between_treated=True,
            notes=tuple(notes),
        )
    )
    return tuple(rows)


def subgroup_moments(split: Split, *, weights: Weights) -> tuple[ClusterMoments, ClusterMoments]:
    """Returns the regression with coefficients FIRST and SECOND, and the same with DIFFERENCE, second less first.

    Raises:
        NotEstimableError: A group's effect cannot be told from its period effects.
    """
    if not shares_one_go_live(split.panel):
        return staggered_moments(split, names=(FIRST, SECOND, DIFFERENCE), weights=weights)
    treated, own = split.panel.treated, split.second[:, None].astype(np.float64)
    crossed = _crossed_periods(split)
    apart = regression(
        split.panel, {**crossed, FIRST: treated * (1 - own), SECOND: treated * own}, weights=weights
    ).moments
    together = regression(
        split.panel, {**crossed, TREATED: treated, DIFFERENCE: treated * own}, weights=weights
    ).moments
    if not {FIRST, SECOND} <= set(apart.names) or DIFFERENCE not in together.names:
        raise NotEstimableError(
            "a group's effect cannot be told from its period effects",
            remedy="Add comparators, or take out the covariate that only one group has",
        )
    return apart, together


def label_p(split: Split, *, inference: Inference) -> float:
    """Returns p of 'the effect does not differ': labels permuted among treated LAs and, apart, among comparators.

    NaN where a group has one treated LA, whose own shocks no permutation knows of.
    """
    if min(split.part(second=second).n_treated_units for second in (False, True)) == 1:
        return float("nan")
    treated = split.panel.is_treated_unit.tolist()
    if not shares_one_go_live(split.panel):
        return staggered_label_p(split, inference=inference)
    moments = treatment_regression(split.panel, weights=inference.weights).moments
    # An interaction that the others determine (a period without rows of one group) is left out of every refit.
    crossed = regression(split.panel, _crossed_periods(split), weights=inference.weights).moments.names
    return label_test(
        moments,
        treatment=TREATED,
        interacted=[name for name in moments.names if _of_second(name) in crossed],
        labels=split.second.astype(np.float64),
        treated=treated,
        permutations=inference.permutations,
        seed=inference.seed,
    ).p


def _crossed_periods(split: Split) -> dict[str, Array]:
    """Returns the second group's own period dummies, (G, T) each; none where comparators are not split."""
    if not split.crossed:
        return {}
    own, periods = split.second[:, None], split.panel.periods
    return {_of_second(f"period_{number}"): (own & (periods == number)).astype(np.float64) for number in periods[1:]}


def _of_second(name: str) -> str:
    return f"{name}:{SECOND}"
