"""What a randomisation p-value must not depend on."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sos_spark.fit.inference.effect_distribution import RandomisationTest
from sos_spark.fit.inference.randomisation import randomisation_test
from sos_spark.fit.regression.design import NEVER
from sos_spark.fit.regression.moments import ClusterMoments
from tests.cluster_panels import Rows, moments_of, some_rows

GTIME = np.array([2] * 3 + [NEVER] * 9)


def a_test(moments: ClusterMoments, gtime: np.ndarray = GTIME, *, omitted: int = 0) -> RandomisationTest:
    return randomisation_test(
        moments,
        coefficient="treated",
        gtime=gtime,
        period_of={f"period_{t}": t for t in range(1, 5)},
        omitted_period=omitted,
        permutations=199,
        seed=11,
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.permutations(range(12)))
def test_order_of_units_changes_nothing(seed: int, order: list[int]) -> None:
    moments = moments_of(some_rows(n_units=12, n_treated=3, seed=seed))
    moved = ClusterMoments(
        unit_ids=tuple(moments.unit_ids[g] for g in order),
        names=moments.names,
        xx=moments.xx[order],
        xy=moments.xy[order],
        yy=None,
        n_rows=moments.n_rows[order],
        weight=moments.weight[order],
    )
    assert a_test(moved, GTIME[order]).p == a_test(moments).p


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([-100.0, 0.01]))
def test_scale_and_unit_constants_change_nothing(seed: int, scale: float) -> None:
    rows = some_rows(n_units=12, n_treated=3, seed=seed)
    moved = Rows(rows.unit, rows.period, rows.treated, rows.age, scale * rows.y + 7.0 * rows.unit)
    first, second = a_test(moments_of(rows)), a_test(moments_of(moved))
    assert (first.p, first.p_att) == (second.p, second.p_att)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_which_period_goes_without_a_dummy_changes_nothing(seed: int) -> None:
    rows = some_rows(n_units=12, n_treated=3, seed=seed)
    last = Rows(rows.unit, (rows.period + 1) % 5, rows.treated, rows.age, rows.y)
    moments = moments_of(last)
    # Column t of the shifted rows is period t - 1, and the one without a dummy, column 0, is period 4.
    shifted = randomisation_test(
        moments,
        coefficient="treated",
        gtime=GTIME,
        period_of={f"period_{t}": t - 1 for t in range(1, 5)},
        omitted_period=4,
        permutations=199,
        seed=11,
    )
    assert shifted.p == a_test(moments_of(rows)).p
