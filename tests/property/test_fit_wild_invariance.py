"""What a bootstrap p-value must not depend on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sos_spark.fit.inference.signs import SignDraws, SignKind
from sos_spark.fit.inference.wild import wild_cluster_interval, wild_cluster_test, wild_joint_test
from sos_spark.fit.regression.moments import ClusterMoments
from tests.cluster_panels import Rows, moments_of, some_rows

SEEDS = st.integers(0, 10_000)
DRAWS = 499


def reordered(moments: ClusterMoments, order: list[int]) -> ClusterMoments:
    return ClusterMoments(
        unit_ids=tuple(moments.unit_ids[g] for g in order),
        names=moments.names,
        xx=moments.xx[order],
        xy=moments.xy[order],
        yy=None,
        n_rows=moments.n_rows[order],
        weight=moments.weight[order],
    )


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, shuffle=st.permutations(range(12)))
def test_order_of_clusters_changes_nothing(seed: int, shuffle: list[int]) -> None:
    moments = moments_of(some_rows(n_units=12, seed=seed), la_equal=True)
    other = reordered(moments, shuffle)
    knobs: dict[str, Any] = {"draws": DRAWS, "seed": seed}

    p = wild_cluster_test(moments, coefficient="treated", **knobs).p
    assert wild_cluster_test(other, coefficient="treated", **knobs).p == p
    joint = ("treated", "period_1")
    assert (
        wild_joint_test(other, coefficients=joint, **knobs).p == wild_joint_test(moments, coefficients=joint, **knobs).p
    )


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, scale=st.sampled_from([-100.0, 0.01, 3.0]), constants=st.integers(0, 999))
def test_scale_of_y_and_unit_constants_change_no_p_value(seed: int, scale: float, constants: int) -> None:
    rows = some_rows(n_units=10, seed=seed)
    lift = np.random.default_rng(constants).normal(0, 5, rows.n_units)
    moved = Rows(rows.unit, rows.period, rows.treated, rows.age, scale * rows.y + lift[rows.unit])
    knobs: dict[str, Any] = {"coefficient": "treated", "draws": DRAWS, "seed": seed}

    ours, theirs = (wild_cluster_interval(moments_of(each), **knobs) for each in (rows, moved))
    ends = sorted([scale * ours.low, scale * ours.high])

    assert wild_cluster_test(moments_of(moved), **knobs).p == wild_cluster_test(moments_of(rows), **knobs).p
    assert [theirs.low, theirs.high] == pytest.approx(ends, rel=1e-8)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, effect=st.floats(-2, 2))
def test_interval_and_test_agree_on_both_sides_of_each_end(seed: int, effect: float) -> None:
    moments = moments_of(some_rows(n_units=12, n_treated=4, effect=effect, seed=seed))
    interval = wild_cluster_interval(moments, coefficient="treated", draws=DRAWS, seed=seed)
    step = 1e-9 * (interval.high - interval.low)

    def p(r: float) -> float:
        return wild_cluster_test(moments, coefficient="treated", null=r, draws=DRAWS, seed=seed).p

    for end, inwards in ((interval.low, step), (interval.high, -step)):
        assert p(end + inwards) > 0.05
        assert p(end - inwards) <= 0.05
        # The hull: nothing farther out is kept either.
        assert all(p(end - inwards * 10.0**far) <= 0.05 for far in range(1, 11))


@given(seed=SEEDS, n_units=st.integers(1, 140), kind=st.sampled_from(["rademacher", "webb"]))
@settings(max_examples=25, deadline=None)
def test_signs_do_not_depend_on_how_they_are_batched(seed: int, n_units: int, kind: SignKind) -> None:
    plan = SignDraws(tuple(str(u) for u in range(n_units)), 200, seed, kind)
    whole = np.concatenate(list(plan.batches(floats_per_row=1)))
    pieces = np.concatenate(list(plan.batches(floats_per_row=10**7)))
    assert whole.shape == (plan.n_rows, n_units)
    assert (whole == pieces).all()


@given(n_units=st.integers(2, 9))
@settings(max_examples=8, deadline=None)
def test_enumeration_is_every_sign_vector_up_to_a_flip_of_all(n_units: int) -> None:
    plan = SignDraws(tuple(str(u) for u in range(n_units)), 2**n_units, 1)
    half = np.concatenate(list(plan.batches(floats_per_row=1)))
    both = {tuple(v) for v in half} | {tuple(-v) for v in half}
    assert (half[0] == 1).all()
    assert len(both) == plan.n_draws == 2 * len(half) == 2**n_units
