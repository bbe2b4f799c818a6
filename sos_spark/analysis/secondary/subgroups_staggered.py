"""Effects by subgroup under several go-lives: group-time averages within each subgroup, in one regression.

Each subgroup's effect is Callaway and Sant'Anna's simple aggregate of its own treated LAs and its comparators. Both are
linear maps of the means of cells of a label, a go-live and a period, so they, or one and the difference, are
coefficients of one saturated regression on those cells, and comparators that both share are accounted for.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sos_spark.analysis.secondary.split import Split
from sos_spark.config.study import Inference
from sos_spark.errors import InputError
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.estimators import unit_panel
from sos_spark.fit.inference.randomisation import randomise
from sos_spark.fit.regression.design import NEVER, Weights
from sos_spark.fit.regression.moments import ClusterMoments
from sos_spark.fit.staggered.group_time import (
    GroupTime,
    Ints,
    UnitPanel,
    aggregate,
    group_time_effects,
    saturated_moments,
)
from sos_spark.fit.staggered.simple_refit import SimpleEffect

Mask = npt.NDArray[np.bool_]


def staggered_moments(
    split: Split, *, names: tuple[str, str, str], weights: Weights
) -> tuple[ClusterMoments, ClusterMoments]:
    """Returns the regression with both effects as coefficients, and that with the first and the second less the first.

    Args:
        split: The panel and its groups.
        names: Of the first group's effect, the second's, and the difference.
        weights: child or la_equal.

    Raises:
        NotEstimableError: A group has nothing to measure its effect by.
    """
    first, second, difference = names
    units = unit_panel(split.panel).weighing(weights)
    treated, label = split.panel.is_treated_unit, split.second & (split.panel.is_treated_unit | split.crossed)
    pairs = np.column_stack([label.astype(np.int64), units.gtime])
    kinds, kind = np.unique(pairs, axis=0, return_inverse=True)
    kind = kind.ravel().astype(np.int64)
    cells = np.array(
        [(k, t) for k in range(len(kinds)) for t in range(units.rows.shape[1]) if units.rows[kind == k, t].sum() > 0]
    )
    position = {(int(k), int(t)): place for place, (k, t) in enumerate(cells)}
    maps = []
    for own in (False, True):
        members = (label == own) & (treated | split.crossed) | ~(treated | split.crossed)
        effects = _effects(units, members)
        shared = {int(g): (int(own) if g != NEVER or split.crossed else 0, int(g)) for g in effects.cells[:, 0]}
        code = {g: int(np.flatnonzero((kinds == pair).all(axis=1))[0]) for g, pair in shared.items()}
        row = np.zeros(len(cells))
        for (g, t), slope in zip(effects.cells, aggregate(effects, "simple")["overall"], strict=True):
            row[position[code[int(g)], int(t)]] += slope
        maps.append(row)
    composite = UnitPanel(units.unit_ids, kind, units.rows, units.y_sum, units.y_sumsq)
    nothing = np.zeros((0, 2), dtype=np.int64)
    grouped = GroupTime(cells, nothing, np.zeros((0, len(cells))), np.zeros(len(cells)), np.zeros(0))
    return (
        saturated_moments(composite, grouped, {first: maps[0], second: maps[1]}),
        saturated_moments(composite, grouped, {first: maps[0], difference: maps[1] - maps[0]}),
    )


def staggered_label_p(split: Split, *, inference: Inference) -> float:
    """Returns p of 'the effect does not differ', labels permuted among treated LAs and, apart, among comparators.

    The statistic is the difference over the root of the sum of both effects' squared CR0 standard errors. A labelling
    under which an effect cannot be measured counts as extreme.
    """
    units = unit_panel(split.panel).weighing(inference.weights)
    treated = split.panel.is_treated_unit

    def estimate(labels: Ints) -> tuple[float, float]:
        effects = []
        for own in (0, 1):
            members = (labels == own) | (~treated & (not split.crossed))
            part = SimpleEffect(units.rows[members], units.y_sum[None, members])
            effects.append(part.under(units.gtime[members]))
        (first, first_se), (second, second_se) = effects
        return second - first, float(np.hypot(first_se, second_se))

    return randomise(
        estimate,
        unit_ids=split.panel.unit_ids,
        gtime=split.second.astype(np.int64),
        permutations=inference.permutations,
        seed=inference.seed,
        strata=treated.astype(np.int64),
    ).p


def _effects(units: UnitPanel, members: Mask) -> GroupTime:
    """Returns the group-time effects of some LAs."""
    mine = np.flatnonzero(members)
    part = UnitPanel(
        tuple(units.unit_ids[g] for g in mine), units.gtime[mine], units.rows[mine], units.y_sum[mine], None
    )
    try:
        return group_time_effects(part)
    except InputError as error:
        raise NotEstimableError(f"a group's effect cannot be measured: {error.what.lower()}") from None
