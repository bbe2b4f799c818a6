"""Forms of sign vectors read from tables, and the bootstrap draws made of them, against the products themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from sos_spark.fit.inference import kernel as by_product
from sos_spark.fit.inference import sign_tables
from sos_spark.fit.inference.kernel import Kernel, kernel_of
from sos_spark.fit.inference.sign_forms import sign_forms
from sos_spark.fit.inference.sign_tables import interval_quadratics, t_stars
from sos_spark.fit.inference.signs import SignDraws
from sos_spark.fit.inference.wild import wild_cluster_interval, wild_cluster_test
from sos_spark.fit.regression.moments import ClusterMoments
from tests.cluster_panels import moments_of, some_rows

MANY = 9_000


def symmetric(random: np.random.Generator, n: int) -> np.ndarray:
    matrix = random.normal(size=(n, n))
    return matrix + matrix.T


def test_two_clusters_by_hand() -> None:
    # Bits 0 and 1 of each code: (+, +), (-, +), (+, -), (-, -).
    codes = np.array([[0, 1, 2, 3]], dtype=np.uint8)
    lines, squares = sign_forms(codes, linear=np.array([[5.0, 7.0]]), quadratic=np.array([[[1.0, 0.5], [0.5, 2.0]]]))
    assert lines.tolist() == [[12, 2, -2, -12]]
    assert squares.tolist() == [[4, 2, 2, 4]]


@pytest.mark.parametrize("n", [1, 7, 8, 9, 16, 17, 24, 40, 65])
def test_forms_are_the_products(n: int) -> None:
    random = np.random.default_rng(n)
    plan = SignDraws(tuple(f"{k:03d}" for k in range(n)), 300, seed=1)
    signs = np.concatenate(list(plan.batches(floats_per_row=1)))
    codes = np.concatenate(list(plan.code_batches(rows=77)), axis=1)
    linear, quadratic = random.normal(size=(3, n)), np.stack([symmetric(random, n) for _ in range(2)])
    lines, squares = sign_forms(codes, linear=linear, quadratic=quadratic)
    assert lines == pytest.approx(linear @ signs.T, rel=1e-12, abs=1e-12)
    assert squares == pytest.approx(np.einsum("bi,mij,bj->mb", signs, quadratic, signs), rel=1e-12, abs=1e-11)


def test_more_draws_than_a_chunk_holds() -> None:
    random = np.random.default_rng(3)
    plan = SignDraws(tuple(f"{k:03d}" for k in range(20)), 40_000, seed=1)
    signs, (codes,) = np.concatenate(list(plan.batches(floats_per_row=1))), plan.code_batches()
    square = symmetric(random, 20)
    _, (values,) = sign_forms(codes, linear=np.zeros((0, 20)), quadratic=square[None])
    assert values == pytest.approx(np.einsum("bi,ij,bj->b", signs, square, signs), rel=1e-12, abs=1e-11)


def panels() -> dict[str, ClusterMoments]:
    """Kernels with little in common: many treated, few treated so that variances vanish, weights, absent clusters."""
    plain = moments_of(some_rows(n_units=30, n_treated=9, effect=0.5, seed=2))
    weighed = moments_of(some_rows(n_units=15, n_treated=5, seed=3), la_equal=True)
    two = moments_of(some_rows(n_units=25, n_treated=2, seed=4))
    rows = moments_of(some_rows(n_units=22, n_treated=6, seed=5))
    absent = replace(
        rows, xx=rows.xx * (np.arange(22) % 5 > 0)[:, None, None], xy=rows.xy * (np.arange(22) % 5 > 0)[:, None]
    )
    return {"plain": plain, "weighed": weighed, "two treated": two, "absent": absent}


@pytest.mark.parametrize("null", [0.0, 0.7])
@pytest.mark.parametrize("name", [*panels()])
def test_draws_from_tables_are_those_multiplied_out(name: str, null: float) -> None:
    kernel = kernel_of(panels()[name], "treated")
    for draws in (MANY, 2**15):  # drawn; and enumerated where there are 15 clusters
        plan = SignDraws.for_units(panels()[name].unit_ids, draws=draws, seed=6)
        if draws > MANY and not plan.enumerated:
            continue
        for rho in (0.0, null - kernel.estimate):
            ours = t_stars(kernel, plan, rho=rho, unit_ids=plan.unit_ids)
            theirs = by_product.t_stars(kernel, plan, rho=rho, unit_ids=plan.unit_ids)
            assert ours == pytest.approx(theirs, rel=1e-11, abs=1e-12)


def test_a_unit_that_a_fit_lacks_adds_nothing() -> None:
    kernel = kernel_of(panels()["plain"], "treated")
    own = panels()["plain"].unit_ids
    plan = SignDraws.for_units([*own, "000", "999", "2055"], draws=MANY, seed=6)
    ours = t_stars(kernel, plan, rho=0.3, unit_ids=sorted(own))
    theirs = by_product.t_stars(kernel, plan, rho=0.3, unit_ids=sorted(own))
    assert ours == pytest.approx(theirs, rel=1e-11)


@pytest.mark.parametrize("name", [*panels()])
def test_tables_and_products_give_one_p_and_one_interval(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = panels()[name]

    def both(call: Callable[[], object]) -> list[object]:
        results = []
        for enough in (1, 10**9):
            monkeypatch.setattr(sign_tables, "_ENOUGH_ROWS", enough)
            results.append(call())
        return results

    ours, theirs = both(lambda: wild_cluster_test(moments, coefficient="treated", draws=MANY, seed=2))
    assert ours == theirs
    a, b = both(lambda: wild_cluster_interval(moments, coefficient="treated", draws=MANY, seed=2))
    assert (a.low, a.high) == pytest.approx((b.low, b.high), rel=1e-12)  # type: ignore[attr-defined]


def test_a_draw_whose_variance_vanishes_is_multiplied_out(monkeypatch: pytest.MonkeyPatch) -> None:
    # Four clusters of one direction: the scores of (+, +, -, -) and its like cancel to nothing.
    spread = np.outer([1.0, 1.0, 1.0, 1.0], [3.0, 0.0, 0.0, 0.0]) + 1e-9 * np.eye(4)
    kernel = Kernel(
        estimate=0.0,
        se=1.0,
        factor=1.0,
        u=np.ones(4),
        h=np.ones(4),
        spread=spread,
        spread_slope=np.eye(4),
        contributes=np.ones(4, dtype=bool),
    )
    plan = SignDraws(("a", "b", "c", "d"), 16, seed=1)
    assert {tuple(v) for v in next(plan.batches(floats_per_row=1))} == {
        (1.0, *rest) for rest in product([1.0, -1.0], repeat=3)
    }
    signs = next(plan.batches(floats_per_row=1))
    expected = np.einsum("bg,bg->b", signs @ spread, signs @ spread)
    monkeypatch.setattr(sign_tables, "_ENOUGH_ROWS", 1)
    assert interval_quadratics(kernel, plan).q0 == pytest.approx(expected, rel=1e-12, abs=0)
    monkeypatch.setattr(sign_tables, "SMALL", 0.0)
    assert interval_quadratics(kernel, plan).q0 != pytest.approx(expected, rel=1e-12, abs=0)
