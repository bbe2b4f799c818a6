"""The estimate without each LA in turn: is it one authority's doing?

An LA's rows enter a regression only through its own cross-products, so an estimate without it needs no cells. What it
alone had to itself goes with it: a period or a covariate level that no other LA knows.

Whether an answer hangs on an LA is judged by what a row answers, all of them by the same test, CR2 and equivalence
where the study names a smallest effect, and by the size of an effect that was found: half of it has to stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from sos_spark.errors import InputError
from sos_spark.fit.estimators import LinearEstimate
from sos_spark.fit.inference.equivalence import equivalence_test
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import NEVER, independent
from sos_spark.fit.regression.moments import ClusterMoments, place_of
from sos_spark.fit.thresholds import ALPHA
from sos_spark.fit.verdict import CHANGE, NO_ESTIMATE, Verdict, verdict_of
from sos_spark.tables.results import LEAVE_ONE_OUT

STAYS = 0.5
"""The share of an effect's size that is left in an answer that does not hang on one LA."""


def leave_one_out(estimate: LinearEstimate, *, smallest_effect: float | None = None) -> pd.DataFrame:
    """Returns the estimate without each LA, by the same estimator and weights.

    Args:
        estimate: Of all LAs.
        smallest_effect: The smallest effect of interest, in the outcome's unit.

    Returns:
        Grain: one row per LA left out, pilots first, each in order of unit id; the columns of leave_one_out.csv, arm
        being pilot or comparator. Numbers are blank where nothing can be estimated without the LA; CR2 and what rests
        on it where one treated LA is left.
    """
    pilots = _pilots(estimate)
    return _frame(estimate, [*pilots, *sorted(set(estimate.panel.unit_ids) - set(pilots))], smallest_effect)


def keeps_without_a_pilot(estimate: LinearEstimate, *, smallest_effect: float | None) -> tuple[bool | None, ...]:
    """Returns whether the answer stays without each pilot, of those without which there is an estimate."""
    found = _frame(estimate, _pilots(estimate), smallest_effect)
    return tuple(found.loc[found["att"].notna(), "keeps_answer"])


def _pilots(estimate: LinearEstimate) -> list[str]:
    panel = estimate.panel
    return sorted(unit_id for unit_id, gtime in zip(panel.unit_ids, panel.gtime, strict=True) if gtime != NEVER)


def _frame(estimate: LinearEstimate, units: Sequence[str], smallest_effect: float | None) -> pd.DataFrame:
    panel, pilots = estimate.panel, set(_pilots(estimate))
    whole = _with_cr2(estimate.moments, estimate.coefficient, n_treated=panel.n_treated_units)
    bound = float("nan") if smallest_effect is None else smallest_effect
    records = []
    for unit_id in units:
        rest = _without(estimate, unit_id)
        arm = "pilot" if unit_id in pilots else "comparator"
        answer = _answer(rest, bound), _keeps(whole, rest, bound)
        records.append((panel.outcome_id, unit_id, arm, *rest, rest[0] - whole[0], *answer))
    return pd.DataFrame(records, columns=list(LEAVE_ONE_OUT.column_names))


Numbers = tuple[float, float, float, float]
"""att, se_cr2, df and p."""


def _answer(numbers: Numbers, bound: float) -> Verdict:
    att, se, df, p = numbers
    p_equivalence = equivalence_test(att=att, se=se, df=df, bound=bound).p
    return verdict_of(significant=None if np.isnan(p) else p < ALPHA, p_equivalence=p_equivalence)


def _keeps(whole: Numbers, rest: Numbers, bound: float) -> bool | None:
    """Returns whether the answer stays; None where there is none to keep."""
    before, after = (_answer(numbers, bound) for numbers in (whole, rest))
    if NO_ESTIMATE in (before, after):
        return None
    return before == after and (before != CHANGE or rest[0] / whole[0] >= STAYS)


def _without(estimate: LinearEstimate, unit_id: str) -> Numbers:
    """Returns the numbers without an LA, NaN where the effect is gone."""
    blank = (float("nan"),) * 4
    if estimate.moments.n_clusters < 3:
        return blank
    if estimate.regression is not None:
        rest = without_cluster(estimate.moments, unit_id, coefficient=estimate.coefficient)
    else:
        # The averages' weights are shares of rows, so they change with the LAs.
        try:
            rest = estimate.on(estimate.panel.without({unit_id})).moments
        except InputError:
            return blank
    if estimate.coefficient not in rest.names:
        return blank
    return _with_cr2(rest, estimate.coefficient, n_treated=estimate.panel.without({unit_id}).n_treated_units)


def _with_cr2(moments: ClusterMoments, coefficient: str, *, n_treated: int) -> Numbers:
    test = Sandwich(moments).satterthwaite_of([coefficient])
    if n_treated == 1:
        # The standard error would be of the comparators' shocks alone.
        return float(test.estimate[0]), *(float("nan"),) * 3
    return float(test.estimate[0]), float(test.se[0]), float(test.df[0]), float(test.p[0])


def without_cluster(moments: ClusterMoments, unit_id: str, *, coefficient: str) -> ClusterMoments:
    """Returns the regression without an LA, and without the regressors that nothing else then tells apart.

    The coefficient gives way last: where the other regressors determine it, it is the one that is gone.
    """
    keep = np.array([other != unit_id for other in moments.unit_ids])
    place = place_of(moments, coefficient)
    # A column that only this LA moved is left at rounding: the sum before tells that from a small real one.
    kept = independent(
        moments.weighted_xx[keep].sum(axis=0),
        raw=np.diagonal(moments.weighted_xx.sum(axis=0)),
        order=[*(k for k in range(len(moments.names)) if k != place), place],
    )
    return replace(
        moments,
        unit_ids=tuple(other for other in moments.unit_ids if other != unit_id),
        names=tuple(moments.names[k] for k in kept),
        xx=moments.xx[keep][:, kept][:, :, kept],
        xy=moments.xy[keep][:, kept],
        yy=None if moments.yy is None else moments.yy[keep],
        n_rows=moments.n_rows[keep],
        weight=moments.weight[keep],
    )
