"""Draws are a pure function of what they are for; days follow the conventions of the outcomes."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from sos_spark.simulate.days import add_months, add_working_days, census_year_of, completed_years, day_number
from sos_spark.simulate.draws import Draws, spread_scores


def days(*texts: str) -> np.ndarray:
    return np.array([day_number(date.fromisoformat(text)) for text in texts])


def test_a_child_draws_the_same_number_whoever_else_is_drawn_for() -> None:
    everybody = Draws(1, "926").uniform("girl", np.arange(1000))
    some = np.array([7, 400, 3])
    np.testing.assert_array_equal(Draws(1, "926").uniform("girl", some), everybody[some])


@pytest.mark.parametrize("other", [Draws(2, "926"), Draws(1, "925")])
def test_seed_and_place_change_every_number(other: Draws) -> None:
    numbers = np.arange(100)
    assert not np.any(other.uniform("girl", numbers) == Draws(1, "926").uniform("girl", numbers))


def test_draws_are_uniform_and_those_of_two_names_unrelated() -> None:
    numbers = np.arange(200_000)
    first, second = (Draws(5, "x").uniform(name, numbers) for name in ("a", "b"))
    counts = np.histogram(first, bins=100, range=(0, 1))[0]
    chi_square = float(((counts - 2000) ** 2 / 2000).sum())
    assert 60 < chi_square < 145
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.01
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.01


def test_choice_follows_its_weights() -> None:
    picked = Draws(5, "x").choice("a", np.arange(100_000), (1, 0, 3))
    assert np.bincount(picked, minlength=3) / 100_000 == pytest.approx([0.25, 0.0, 0.75], abs=0.01)


def test_spread_scores_have_no_unlucky_sample() -> None:
    scores = spread_scores(1, "size", [str(code) for code in range(152)])
    assert np.mean(list(scores.values())) == pytest.approx(0, abs=1e-12)
    assert np.std(list(scores.values())) == pytest.approx(1, abs=0.02)
    assert scores != spread_scores(2, "size", [str(code) for code in range(152)])


def test_census_years_end_on_31_march() -> None:
    assert census_year_of(days("2015-03-31", "2015-04-01", "1969-12-31")).tolist() == [2015, 2016, 1970]


def test_a_month_too_short_ends_on_its_last_day() -> None:
    wanted = days("2016-02-29", "2015-02-28", "2015-07-01")
    np.testing.assert_array_equal(add_months(days("2015-08-31", "2014-08-31", "2015-01-01"), 6), wanted)


def test_working_days_skip_weekends_and_bank_holidays() -> None:
    # 3 April 2015 was Good Friday, 6 April Easter Monday.
    start = days("2015-04-02", "2015-04-02", "2015-04-04", "2015-04-04")
    later = add_working_days(start, np.array([1, 0, 1, 0]))
    np.testing.assert_array_equal(later, days("2015-04-07", "2015-04-02", "2015-04-07", "2015-04-04"))


def test_ages_are_completed_years_and_the_unborn_are_0() -> None:
    birth = days("2000-02-29", "2000-02-29", "2010-01-01")
    assert completed_years(birth, days("2018-02-28", "2018-03-01", "2009-06-01")).tolist() == [17, 18, 0]
