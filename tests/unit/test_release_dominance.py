"""Dominance: bounds on the largest amounts hold for any amounts with these sums, and are reached by some."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sos_spark.config.disclosure import Magnitudes
from sos_spark.release.dominance import is_dominated, largest_at_most

RULE = Magnitudes(largest_two_share=0.9, p_percent=10)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40), st.integers(1, 2))
def test_no_amounts_are_larger_than_the_bound(amounts: list[int], m: int) -> None:
    total, squares = float(sum(amounts)), float(sum(a * a for a in amounts))
    assert sum(sorted(amounts)[-m:]) <= largest_at_most(len(amounts), total, squares, m) + 1e-6


def test_the_bound_is_reached_where_all_others_are_alike() -> None:
    amounts = [10, 1, 1, 1]
    assert largest_at_most(4, 13, 103, 1) == pytest.approx(max(amounts))


@pytest.mark.parametrize(
    ("amounts", "dominated"), [([30] * 20, False), ([400, 1, 1, 1], True), ([46, 46, 4, 4], True), ([7], True)]
)
def test_a_sum_that_one_or_two_make_up(amounts: list[int], dominated: bool) -> None:
    squares = float(sum(a * a for a in amounts))
    assert is_dominated(len(amounts), float(sum(amounts)), squares, rule=RULE) is dominated


def test_without_a_sum_of_squares_nothing_is_cleared() -> None:
    assert is_dominated(100, 900.0, float("nan"), rule=RULE)
