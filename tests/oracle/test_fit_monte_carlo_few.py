"""Permuted go-lives with four pilots or fewer, simulated: a saved table keeps its promises, and a quick run agrees."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tools.monte_carlo.few_pilots import (
    BOUND,
    CR2,
    ONE_BY_ONE,
    RI,
    TOGETHER,
    FewPilots,
    beside_rates,
    one_by_one_rates,
    planted,
    simulate,
    together_rates,
)

TABLE = Path(__file__).with_name("monte_carlo_few.csv")
ALIKE = [scenario for scenario in TOGETHER if scenario.size_ratio == scenario.shock_ratio == 1]
LEAST, MOST = 0.035, 0.070
"""Of a test at 5 %. With 4,000 replications a size of 8 % comes out below 7 % once in a hundred tables."""
BEYOND = {
    ("4 of 60, one at a time, shocks x 2", "cs_simple"): 0.071,
    ("4 of 60, one at a time, shocks x 2", "imputation"): 0.075,
    ("2 of 60, one at a time, shocks x 2", "cs_simple"): 0.084,
    ("2 of 60, one at a time, shocks x 2", "imputation"): 0.071,
    ("2 of 60, one at a time, sizes x 0.3", "imputation"): 0.080,
}
"""Where the test is known to reject more than it should, and by how much: permutations do not know that pilots scatter
more."""


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(TABLE)


def values(table: pd.DataFrame) -> pd.Series:
    return table.set_index(["scenario", "estimator", "measure", "method", "years_before"])["value"].sort_index()


def test_the_saved_table_was_made_under_todays_conditions(table: pd.DataFrame) -> None:
    assert table["replications"].ge(4_000).all()
    for scenario in (*ONE_BY_ONE, *TOGETHER):
        rows = table[(table["scenario"] == scenario.name) & ~table["estimator"].str.startswith(("event_", "slope"))]
        given = asdict(scenario)
        conditions = given.pop("conditions")
        given |= {"starts": " ".join(map(str, given["starts"]))}
        assert len(rows) > 0, scenario.name
        del given["name"]
        for name, value in (given | conditions).items():
            assert rows[name].astype(type(value)).eq(value).all(), (scenario.name, name)


@pytest.mark.parametrize("scenario", ONE_BY_ONE, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("estimator", ["cs_simple", "imputation"])
def test_pilots_that_go_live_one_at_a_time_are_tested_at_their_size(
    table: pd.DataFrame, scenario: FewPilots, estimator: str
) -> None:
    """With residuals of their own alone, lone groups had none: up to 30 % of true nulls were rejected."""
    size = values(table)[scenario.name, estimator, "size", RI, 2]
    if (scenario.name, estimator) in BEYOND:
        assert size == pytest.approx(BEYOND[scenario.name, estimator], abs=5e-4)
    else:
        assert LEAST <= size <= MOST


@pytest.mark.parametrize("scenario", ALIKE, ids=lambda scenario: scenario.name)
def test_few_pilots_interval_covers_and_equivalence_is_not_claimed_at_the_bound(
    table: pd.DataFrame, scenario: FewPilots
) -> None:
    """By the comparators' standard error alone, one pilot's equivalence was claimed in 36 % of panels."""
    found = values(table)
    assert 0.94 <= found[scenario.name, "twfe", "coverage", RI, 2] <= 0.975
    assert found[scenario.name, "twfe", "equivalence", RI, 2] <= 0.06
    assert found[scenario.name, "twfe", "size", RI, 2] <= 0.06


@pytest.mark.parametrize("scenario", ALIKE, ids=lambda scenario: scenario.name)
def test_an_effect_of_the_mde_is_found_four_times_in_five(table: pd.DataFrame, scenario: FewPilots) -> None:
    found = values(table)
    assert 0.75 <= found[scenario.name, "twfe", "power", RI, 2] <= 0.88
    assert 0 < found[scenario.name, "twfe", "mde", RI, 2] < 0.25


@pytest.mark.parametrize("measured", ["event_-2", "event_2", "slope"])
def test_few_pilots_event_study_and_slope_cover(table: pd.DataFrame, measured: str) -> None:
    found = values(table).xs((measured, "coverage", RI), level=("estimator", "measure", "method"))
    assert len(found) == 3
    assert found.between(0.93, 0.97).all()


def test_one_pilot_with_shocks_of_its_own_cannot_be_told(table: pd.DataFrame) -> None:
    """No permutation knows that the only pilot scatters twice as much as the others: nothing else could."""
    found = values(table)
    assert found["1 of 60, shocks x 2", "twfe", "size", RI, 2] > 0.2
    assert found["4 of 60, shocks x 2", "twfe", "size", RI, 2] < 0.08


def test_a_planted_effect_is_found_exactly_and_pilots_are_of_the_size_asked_for() -> None:
    scenario = FewPilots("x", (2, 3), n_las=12, size_ratio=0.3)
    panel = simulate(scenario, np.random.default_rng(1))
    same = simulate(FewPilots("x", (2, 3), n_las=12), np.random.default_rng(1))
    treated = panel.is_treated_unit
    assert sorted(panel.gtime[treated]) == [2, 3]
    assert (panel.rows[treated] == np.maximum(np.rint(0.3 * same.rows[treated]), 1)).all()
    assert (panel.rows[~treated] == same.rows[~treated]).all()
    effect = planted(panel, BOUND).y_sum - panel.y_sum
    assert effect == pytest.approx(BOUND * panel.rows * panel.treated)


def assert_close(quick: float, saved: float, replications: int) -> None:
    """Within four standard errors of what the saved table says."""
    assert abs(quick - saved) <= 4 * np.sqrt(max(saved * (1 - saved), 0.01) / replications)


@pytest.mark.slow
def test_a_quick_run_agrees_where_pilots_go_live_one_at_a_time(table: pd.DataFrame) -> None:
    saved, scenario = values(table), ONE_BY_ONE[3]
    for rate in one_by_one_rates(scenario, replications=60, permutations=39, seed=5):
        assert_close(rate.value, saved[scenario.name, rate.estimator, "size", rate.method, 2], 60)


def test_a_quick_run_agrees_on_one_pilot(table: pd.DataFrame) -> None:
    saved, scenario = values(table), TOGETHER[1]
    for rate in together_rates(scenario, replications=200, permutations=199, seed=5):
        expected = saved[scenario.name, "twfe", rate.measure, rate.method, 2]
        if rate.measure == "mde":
            assert rate.value == pytest.approx(expected, rel=0.15)
        else:
            assert_close(rate.value, expected, 200)
    for rate in beside_rates(scenario, replications=100, permutations=199, seed=5):
        assert_close(rate.value, saved[scenario.name, rate.estimator, rate.measure, rate.method, 4], 100)


def test_cr2_stands_beside_it(table: pd.DataFrame) -> None:
    assert set(table["method"]) == {RI, CR2}
