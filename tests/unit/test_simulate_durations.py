"""Effects on the lengths of assessments move expectations by what was asked, and say so where they cannot."""

from __future__ import annotations

import numpy as np
import pytest

from sos_spark.simulate.draws import Draws
from sos_spark.simulate.durations import Lengths, draw_lengths

N = 40_000
CHANCES = np.zeros((2, 161))
CHANCES[0, [0, 20, 43, 60]] = 0.1, 0.5, 0.2, 0.2
CHANCES[1, 5] = 1.0


def lengths(*, longer: float = 0.0, within: float = 0.0, year: int = 0) -> Lengths:
    rows = np.arange(N)
    return draw_lengths(
        Draws(3, "x"),
        "a",
        rows,
        CHANCES,
        np.full(N, year),
        longer=np.full(N, longer),
        within=np.full(N, within),
    )


@pytest.mark.parametrize("shift", [2.5, -2.5, -6.0])
def test_a_shift_moves_the_mean_by_the_size_asked(shift: float) -> None:
    moved = lengths(longer=shift)
    assert moved.mean_change == pytest.approx(shift)
    assert moved.days.mean() - lengths().days.mean() == pytest.approx(shift, abs=0.05)
    assert moved.days.min() >= 0
    assert not moved.is_cut.any()


def test_a_negative_shift_leaves_same_day_assessments_alone() -> None:
    assert (lengths(longer=-2.5).days == 0).sum() == (lengths().days == 0).sum()


@pytest.mark.parametrize("points", [0.1, -0.15])
def test_a_share_within_45_days_moves_by_the_size_asked(points: float) -> None:
    moved = lengths(within=points)
    assert moved.within_change == pytest.approx(points)
    assert np.mean(moved.days <= 45) - np.mean(lengths().days <= 45) == pytest.approx(points, abs=0.01)


@pytest.mark.parametrize(("longer", "within"), [(4.0, 0.0), (0.0, 0.1), (-3.0, 0.05), (3.0, -0.05)])
def test_each_effect_shows_in_the_other_expectation_as_it_does_in_the_lengths(longer: float, within: float) -> None:
    before, after = lengths(), lengths(longer=longer, within=within)
    assert after.mean_change[0] == pytest.approx(after.days.mean() - before.days.mean(), abs=0.15)
    assert after.within_change[0] == pytest.approx(np.mean(after.days <= 45) - np.mean(before.days <= 45), abs=0.01)


def test_an_effect_without_lengths_to_make_it_from_is_marked_as_cut() -> None:
    assert lengths(longer=-4.0, year=1).is_cut.all()
    assert lengths(within=0.1, year=1).is_cut.all()
    assert lengths(within=0.5).is_cut.all()
    assert not lengths(longer=4.0, year=1).is_cut.any()


def test_years_have_their_own_lengths_in_one_call() -> None:
    years = np.tile([0, 1], N // 2)
    nothing = np.zeros(N)
    drawn = draw_lengths(Draws(3, "x"), "a", np.arange(N), CHANCES, years, longer=nothing, within=nothing).days
    assert set(drawn[years == 1]) == {5}
    assert set(drawn[years == 0]) == {0, 20, 43, 60}
