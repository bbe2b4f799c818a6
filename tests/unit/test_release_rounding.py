"""Controlled rounding: multiples of the base, near what they were, and still adding up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sos_spark.release.rounding import Rounded, round_controlled, windows
from tests.linked_tables import margins, two_linked_tables


def test_a_table_of_two_cells_is_rounded_so_that_it_adds_up() -> None:
    """8 + 8 = 16: rounding each would give 10 + 10 and 15."""
    total, *cells = round_controlled(margins((2,)), np.array([16, 8, 8]), 5).values
    assert total == sum(cells)
    assert total in (15, 20)


def test_counts_that_are_multiples_stay() -> None:
    assert round_controlled(margins((2,)), np.array([15, 5, 10]), 5).values.tolist() == [15, 5, 10]


def test_a_count_above_what_is_hidden_is_not_shown_as_one_of_them() -> None:
    """8 is nearer to 10, and with 8 + 8 + 8 = 24 some would go to 5 for the sum's sake."""
    rounded = round_controlled(margins((3,)), np.array([24, 8, 8, 8]), 5, above=7).values
    assert (rounded > 7).all()
    assert rounded[0] == rounded[1:].sum()


def test_a_count_that_was_there_is_not_rounded_away() -> None:
    assert (round_controlled(margins((3,)), np.array([18, 6, 6, 6]), 5).values > 0).all()


def test_without_a_base_nothing_is_rounded() -> None:
    rounded = round_controlled(margins((2,)), np.array([3, 1, 2]), 1)
    assert rounded.values.tolist() == [3, 1, 2]
    assert windows(rounded, 1, hide_up_to=7, zero_is_shown=True)[0].tolist() == [3, 1, 2]


def test_an_attacker_knows_that_a_shown_count_is_none_of_the_hidden() -> None:
    low, high = windows(Rounded(np.array([0, 10, 50]), 1), 5, hide_up_to=7, zero_is_shown=True)
    assert (low.tolist(), high.tolist()) == ([0, 8, 46], [0, 14, 54])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([3, 5, 10]), st.booleans())
def test_rounded_tables_add_up_and_lie_within_the_window(seed: int, base: int, overlapping: bool) -> None:
    rng = np.random.default_rng(seed)
    members = two_linked_tables((2, 3, 3)) if overlapping else margins((3, 4))
    cells = base + rng.negative_binomial(1, 0.05, size=members.shape[1])
    values = (members @ cells).astype(np.int64)
    rounded = round_controlled(members, values, base)
    assert (rounded.values % base == 0).all()
    assert (np.abs(rounded.values - values) < base * rounded.reach).all()
    solved, *_ = np.linalg.lstsq(members, rounded.values.astype(float), rcond=None)
    assert members @ solved == pytest.approx(rounded.values)
    low, high = windows(rounded, base, hide_up_to=base - 1, zero_is_shown=True)
    assert ((low <= values) & (values <= high)).all()
