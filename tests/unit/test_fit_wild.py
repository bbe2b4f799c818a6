"""Corners of the wild cluster bootstrap: few clusters, absent clusters, no variation, shared signs."""

from __future__ import annotations

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from sos_spark.errors import StudyError
from sos_spark.fit.inference.multiplicity import family_test
from sos_spark.fit.inference.wild import (
    simultaneous_bands,
    wild_cluster_interval,
    wild_cluster_test,
    wild_joint_test,
    wild_t_draws,
)
from tests.cluster_panels import moments_of, some_rows


def test_enumerates_up_to_the_draws_asked_for_and_draws_beyond() -> None:
    moments = moments_of(some_rows(n_units=8))
    exact = wild_cluster_test(moments, coefficient="treated", draws=256, seed=1)
    drawn = wild_cluster_test(moments, coefficient="treated", draws=255, seed=1)
    assert (exact.enumerated, exact.n_draws) == (True, 256)
    assert (drawn.enumerated, drawn.n_draws) == (False, 255)


def test_four_clusters_reject_nothing_so_the_interval_is_the_whole_line() -> None:
    moments = moments_of(some_rows(n_units=4, n_treated=2, effect=50.0))
    interval = wild_cluster_interval(moments, coefficient="treated", draws=999, seed=1)
    assert (interval.low, interval.high) == (-math.inf, math.inf)
    assert wild_cluster_test(moments, coefficient="treated", draws=999, seed=1).p >= 2 / 16


def test_identity_counts_however_far_the_null_is() -> None:
    moments = moments_of(some_rows(n_units=6))
    far = wild_cluster_test(moments, coefficient="treated", null=1e7, draws=64, seed=1)
    assert far.p == 2 / 64


def test_p_is_one_at_the_estimate() -> None:
    moments = moments_of(some_rows(n_units=12))
    beta = np.linalg.solve(moments.weighted_xx.sum(axis=0), moments.weighted_xy.sum(axis=0))[0]
    assert wild_cluster_test(moments, coefficient="treated", null=beta, draws=199, seed=1).p == 1


def test_joint_test_of_one_coefficient_is_the_square_of_the_test() -> None:
    moments = moments_of(some_rows(n_units=14, effect=0.4), la_equal=True)
    single = wild_cluster_test(moments, coefficient="treated", draws=1_999, seed=3)
    joint = wild_joint_test(moments, coefficients=["treated"], draws=1_999, seed=3)
    assert joint.p == single.p
    assert joint.t == pytest.approx(single.t**2)


def test_joint_test_refuses_as_many_coefficients_as_clusters() -> None:
    moments = moments_of(some_rows(n_units=3, n_treated=1))
    with pytest.raises(StudyError, match="Too many coefficients"):
        wild_joint_test(moments, coefficients=["treated", "period_1", "age"], draws=99, seed=1)


def test_unknown_coefficient_is_named() -> None:
    with pytest.raises(StudyError, match="dose"):
        wild_cluster_test(moments_of(some_rows()), coefficient="dose", draws=99, seed=1)


def test_no_residual_variation_gives_no_p_value() -> None:
    moments = moments_of(some_rows())
    flat = replace(moments, xy=np.zeros_like(moments.xy))
    assert math.isnan(wild_cluster_test(flat, coefficient="treated", draws=99, seed=1).p)
    assert math.isnan(wild_cluster_interval(flat, coefficient="treated", draws=99, seed=1).low)
    assert math.isnan(wild_joint_test(flat, coefficients=["treated", "period_1"], draws=99, seed=1).p)


def test_webb_signs_are_never_enumerated_and_have_unit_variance() -> None:
    moments = moments_of(some_rows(n_units=5, n_treated=2))
    webb = wild_cluster_test(moments, coefficient="treated", draws=9_999, seed=1, signs="webb")
    assert not webb.enumerated
    # Six points of which few draws tie: p is no longer a multiple of 2 / 2^5.
    assert 0 < webb.p < 1
    assert (webb.p * 16) % 1 != 0


def test_bands_are_wider_than_each_coefficients_own_and_hold_the_estimates() -> None:
    moments = moments_of(some_rows(n_units=20))
    many = simultaneous_bands(moments, coefficients=["treated", "period_1", "period_2"], draws=1_999, seed=1)
    one = simultaneous_bands(moments, coefficients=["treated"], draws=1_999, seed=1)
    assert many.critical > one.critical
    assert (many.low < many.estimate).all()
    assert many.high - many.estimate == pytest.approx(many.critical * many.se_cr1)


def test_one_coefficients_band_is_the_inverted_unrestricted_test() -> None:
    moments = moments_of(some_rows(n_units=20))
    band = simultaneous_bands(moments, coefficients=["treated"], draws=1_999, seed=1)

    def p(r: float) -> float:
        return wild_cluster_test(moments, coefficient="treated", null=r, draws=1_999, seed=1, restricted=False).p

    assert p(band.high[0] * (1 - 1e-9)) > 0.05 >= p(band.high[0] * (1 + 1e-6))


def test_a_coefficient_that_one_cluster_alone_decides_widens_no_band() -> None:
    rows = some_rows(n_units=12, n_treated=3)
    moments = moments_of(rows)
    alone = np.zeros((12, 1, 1))
    alone[0] = 5.0
    xx = np.concatenate([moments.xx, np.zeros((12, 6, 1))], axis=2)
    xx = np.concatenate([xx, np.concatenate([np.zeros((12, 1, 6)), alone], axis=2)], axis=1)
    more = replace(moments, names=(*moments.names, "lone"), xx=xx, xy=np.column_stack([moments.xy, alone[:, 0, 0]]))

    both = simultaneous_bands(more, coefficients=["treated", "lone"], draws=499, seed=1)
    treated = simultaneous_bands(more, coefficients=["treated"], draws=499, seed=1)
    assert np.isnan(both.high[1])
    assert both.high[0] == treated.high[0]


def test_shared_draws_give_each_fit_its_own_test() -> None:
    fits = [moments_of(some_rows(n_units=12, seed=seed, effect=0.5)) for seed in (1, 2)]
    shared = wild_t_draws(fits, coefficient="treated", draws=999, seed=5)
    for j, fit in enumerate(fits):
        alone = wild_cluster_test(fit, coefficient="treated", draws=999, seed=5)
        assert shared.t[j] == pytest.approx(alone.t)
        reached = np.count_nonzero(np.abs(shared.t_star[:, j]) >= abs(shared.t[j]) * (1 - 1e-10))
        assert alone.p == (1 + reached) / 1_000


def test_an_authority_has_the_same_sign_in_each_fit_and_adds_nothing_where_absent() -> None:
    rows = some_rows(n_units=12)
    fit = moments_of(rows)
    kept = [g for g in range(12) if g != 11]
    without = replace(
        fit,
        unit_ids=tuple(fit.unit_ids[g] for g in kept),
        xx=fit.xx[kept],
        xy=fit.xy[kept],
        n_rows=fit.n_rows[kept],
        weight=fit.weight[kept],
    )
    hollow = replace(
        fit,
        xx=np.where(np.arange(12)[:, None, None] == 11, 0, fit.xx),
        xy=np.where(np.arange(12)[:, None] == 11, 0, fit.xy),
    )
    absent = wild_t_draws([fit, without], coefficient="treated", draws=499, seed=2)
    present = wild_t_draws([fit, hollow], coefficient="treated", draws=499, seed=2)
    scale = present.t[1] / absent.t[1]
    assert present.t_star[:, 1] == pytest.approx(absent.t_star[:, 1] * scale)


def test_99999_draws_of_150_clusters_stay_small_in_memory() -> None:
    moments = moments_of(some_rows(n_units=150, n_treated=9))
    tracemalloc.start()
    wild_cluster_interval(moments, coefficient="treated", draws=99_999, seed=1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200e6


def test_a_p_value_of_random_draws_is_never_0() -> None:
    """An effect beyond every draw: 1 in a hundred of 99 draws, and so in the family that Romano and Wolf adjust."""
    moments = moments_of(some_rows(n_units=24, n_treated=12, effect=50.0))
    assert wild_cluster_test(moments, coefficient="treated", draws=99, seed=1).p == 1 / 100
    assert wild_joint_test(moments, coefficients=["treated"], draws=99, seed=1).p == 1 / 100
    family = family_test({"o": moments}, coefficient="treated", draws=99, seed=1)
    assert (family.p[0], family.p_adjusted[0], family.p_holm[0]) == (1 / 100, 1 / 100, 1 / 100)
    every = wild_cluster_test(moments_of(some_rows(n_units=8, effect=50.0)), coefficient="treated", draws=999, seed=1)
    assert every.enumerated
    assert every.p == 2 / 2**8
