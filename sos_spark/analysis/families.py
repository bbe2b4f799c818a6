"""Main results adjusted for how many outcomes their family tests, so that no outcome leaves its family.

Where all outcomes of a family have the bootstrap for a headline: Romano-Wolf on its t. Where few pilots rule it out:
the same step-down on t from permutations that the outcomes share, for an assignment of go-lives is the same in all of
them, and with one pilot on t of the placebo pilots that they share; of five true nulls with three pilots of 40 a false
claim came in 5 % of studies, and one by one in more than 10 % (`tests/oracle/test_fit_families.py`). Where outcomes
have different headlines, or different authorities so that they share no permutations: Holm.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sos_spark.config.study import Inference
from sos_spark.fit.inference.effect_distribution import EffectDistribution
from sos_spark.fit.inference.multiplicity import family_test, holm, romano_wolf
from sos_spark.fit.lone_pilot import LonePilot
from sos_spark.fit.regression.design import TREATED
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.result import DidResult


def adjusted_for_families(mains: Sequence[DidResult], *, inference: Inference) -> dict[str, tuple[float, float]]:
    """Returns the step-down and Holm's p by outcome id, of main results that have a headline p-value."""
    judged = [main for main in mains if main.fitted is not None and not np.isnan(_p(main))]
    found = {}
    for family in dict.fromkeys(main.family for main in judged):
        own = [main for main in judged if main.family == family]
        p_holm = holm(np.array([_p(main) for main in own]))
        p_adjusted = _step_down(own, inference)
        for main, step, bound in zip(own, p_holm if p_adjusted is None else p_adjusted, p_holm, strict=True):
            found[main.outcome_id] = float(step), float(bound)
    return found


def _p(main: DidResult) -> float:
    return float(getattr(main, main.headline))


def _step_down(own: Sequence[DidResult], inference: Inference) -> Array | None:
    """Returns the adjusted p of a family; None where its outcomes share no draws."""
    headlines = {main.headline for main in own}
    if headlines == {"p_wcr"}:
        moments = {main.outcome_id: main.fitted.moments for main in own if main.fitted is not None}
        test = family_test(moments, coefficient=TREATED, draws=inference.draws, seed=inference.seed)
        return test.p_adjusted
    alone = [main.permuted for main in own if isinstance(main.permuted, LonePilot)]
    if headlines == {"p_ri"} and len(alone) == len(own) and len({one.placebos.unit_ids for one in alone}) == 1:
        return romano_wolf(
            np.array([one.t for one in alone]), np.stack([one.placebos.t for one in alone], axis=1), one_more=1
        )
    permuted = [main.permuted for main in own if isinstance(main.permuted, EffectDistribution)]
    units = {main.fitted.panel.unit_ids for main in own if main.fitted is not None}
    if headlines == {"p_ri"} and len(permuted) == len(own) and len(units) == 1 and _share_assignments(permuted):
        return step_down_by_permutation(permuted)
    return None


def _share_assignments(permuted: Sequence[EffectDistribution]) -> bool:
    first = permuted[0].plan
    return all(
        np.array_equal(one.plan.labels, first.labels)
        and np.array_equal(one.plan.strata, first.strata)
        and (one.plan.asked, one.plan.seed) == (first.asked, first.seed)
        for one in permuted
    )


def step_down_by_permutation(permuted: Sequence[EffectDistribution]) -> Array:
    """Returns step-down p-values (m,) of outcomes that share their assignments: Romano-Wolf's on permuted |t|.

    An assignment whose effect cannot be estimated counts as extreme, and the actual one counts once.
    """
    t = np.array([one.estimate / one.se for one in permuted])
    with np.errstate(divide="ignore", invalid="ignore"):
        t_star = np.stack(
            [np.where(one.undefined, np.inf, one.att / np.sqrt(one.variance)) for one in permuted], axis=1
        )
    return romano_wolf(t, t_star, one_more=0 if permuted[0].plan.enumerated else 1)
