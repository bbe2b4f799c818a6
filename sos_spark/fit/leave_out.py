"""The estimate without each LA in turn: is it one authority's doing?

An LA's rows enter the regression only through its own cross-products, so an estimate without it needs no cells. What it
alone had to itself goes with it: a period or a covariate level that no other LA knows is dropped with it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd

from sos_spark.fit.covariance import Sandwich
from sos_spark.fit.design import independent
from sos_spark.fit.kernel import place_of
from sos_spark.fit.moments import ClusterMoments

LEAVE_ONE_OUT_COLUMNS = ("outcome_id", "left_out", "arm", "att", "se_cr2", "df", "p_cr2")


def leave_one_out(
    moments: ClusterMoments, *, outcome_id: str, coefficient: str, pilots: Collection[str]
) -> pd.DataFrame:
    """Returns the estimate without each LA.

    Args:
        moments: The fit's cluster cross-products.
        outcome_id: Goes into the first column.
        coefficient: The treatment's name.
        pilots: Unit ids of the treated LAs; the others are comparators.

    Returns:
        Grain: one row an LA left out, pilots first, each in order of unit id; LEAVE_ONE_OUT_COLUMNS, arm being pilot or
        comparator. Numbers are blank where nothing can be estimated without the LA.

    Raises:
        StudyError: If the regression has no such coefficient.
    """
    units = sorted(moments.unit_ids, key=lambda unit_id: (unit_id not in pilots, unit_id))
    records = []
    for unit_id in units:
        rest = without_cluster(moments, unit_id, coefficient=coefficient)
        arm = "pilot" if unit_id in pilots else "comparator"
        records.append((outcome_id, unit_id, arm, *_estimate(rest, coefficient)))
    return pd.DataFrame(records, columns=list(LEAVE_ONE_OUT_COLUMNS))


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


def _estimate(moments: ClusterMoments, coefficient: str) -> tuple[float, float, float, float]:
    """Returns att, se_cr2, df and p, NaN where the coefficient is gone."""
    if coefficient not in moments.names or moments.n_clusters < 2:
        return (float("nan"),) * 4
    test = Sandwich(moments).satterthwaite_of([coefficient])
    return float(test.estimate[0]), float(test.se[0]), float(test.df[0]), float(test.p[0])
