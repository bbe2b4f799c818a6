"""Size, coverage and family-wise error: the saved table keeps its promises, and a quick run agrees with it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tools.monte_carlo.main_design import (
    DEFAULT_CONDITIONS,
    EFFECT_SCENARIOS,
    FAMILY_SCENARIO,
    SIZE_SCENARIOS,
    Conditions,
    Scenario,
    coverage_rates,
    family_rates,
    simulate_panels,
    size_rates,
)

TABLE = Path(__file__).with_name("monte_carlo_size.csv")
EQUAL_ARMS = ("9 of 30", "9 of 60", "9 of 150")
UNEQUAL_ARMS = ("9 of 60, treated shocks 2x", "9 of 60, heterogeneous effects")
RIGHT_METHODS = ("cr2_satterthwaite", "wcr", "ri_t")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(TABLE)


def shares(table: pd.DataFrame, measure: str) -> dict[tuple[str, str], float]:
    rows = table[table["measure"] == measure]
    return dict(zip(zip(rows["scenario"], rows["method"], strict=True), rows["share"], strict=True))


def test_the_saved_table_was_made_under_todays_conditions(table: pd.DataFrame) -> None:
    assert table["replications"].eq(10_000).all()
    for name, value in asdict(DEFAULT_CONDITIONS).items():
        assert table[name].eq(value).all(), name
    for scenario in (*SIZE_SCENARIOS, *EFFECT_SCENARIOS, FAMILY_SCENARIO):
        rows = table[table["scenario"] == scenario.name]
        for name, value in asdict(scenario).items():
            assert rows[name if name != "name" else "scenario"].eq(value).all()
        assert len(rows) > 0


def test_methods_for_few_treated_have_the_right_size(table: pd.DataFrame) -> None:
    size = shares(table, "size")
    for method in RIGHT_METHODS:
        assert all(0.035 <= size[scenario, method] <= 0.065 for scenario in EQUAL_ARMS), method
        assert all(0.035 <= size[scenario, method] <= 0.080 for scenario in UNEQUAL_ARMS), method


def test_more_comparators_are_no_cure_for_cr1_nor_is_ignoring_clusters(table: pd.DataFrame) -> None:
    size = shares(table, "size")
    assert 0.065 < size["9 of 30", "cr1"] < size["9 of 60", "cr1"] < size["9 of 150", "cr1"]
    assert all(size[scenario, "independent_la_years"] > 0.1 for scenario in EQUAL_ARMS)
    assert all(size[scenario, "independent_rows"] > 0.5 for scenario in EQUAL_ARMS)


def test_two_treated_leave_randomisation_inference_only(table: pd.DataFrame) -> None:
    size = shares(table, "size")
    assert size["2 of 60", "cr1"] > 0.2
    assert size["2 of 60", "wcr"] < 0.01
    assert 0.035 <= size["2 of 60", "ri_t"] <= 0.065


def test_intervals_cover_and_families_hold_their_level(table: pd.DataFrame) -> None:
    assert all(0.93 <= share <= 0.97 for share in shares(table, "coverage").values())
    family = table[table["measure"] == "fwer"].set_index("method")["share"].to_dict()
    error = table[table["measure"] == "fwer"].set_index("method")["mc_se"].to_dict()
    assert family["romano_wolf"] <= 0.05 + 2 * error["romano_wolf"]
    assert family["holm"] <= family["romano_wolf"]
    assert family["unadjusted"] > 0.1


def assert_close(quick: float, saved: float, replications: int) -> None:
    """Within four standard errors of what the saved table says: one false alarm in 16,000 were the seed not fixed."""
    assert abs(quick - saved) <= 4 * np.sqrt(max(saved * (1 - saved), 0.01) / replications)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [SIZE_SCENARIOS[0], SIZE_SCENARIOS[3]], ids=lambda s: s.name)
def test_a_quick_run_agrees_on_size(table: pd.DataFrame, scenario: Scenario) -> None:
    saved = shares(table, "size")
    for rate in size_rates(scenario, replications=100, draws=199, permutations=199, seed=5):
        assert_close(rate.share, saved[scenario.name, rate.method], rate.replications)


@pytest.mark.slow
def test_a_quick_run_agrees_on_coverage_and_family_wise_error(table: pd.DataFrame) -> None:
    scenario = EFFECT_SCENARIOS[0]
    (coverage,) = coverage_rates(scenario, replications=100, draws=199, seed=5)
    assert_close(coverage.share, shares(table, "coverage")[scenario.name, "wcr"], 100)
    saved = shares(table, "fwer")
    for rate in family_rates(FAMILY_SCENARIO, replications=50, draws=199, seed=5):
        assert_close(rate.share, saved[FAMILY_SCENARIO.name, rate.method], 50)


def test_the_same_seed_gives_the_same_shares() -> None:
    knobs: dict[str, Any] = {"replications": 5, "draws": 99, "permutations": 99, "seed": 3}
    assert size_rates(SIZE_SCENARIOS[5], **knobs) == size_rates(SIZE_SCENARIOS[5], **knobs)


def test_simulated_shares_spread_and_persist_as_told() -> None:
    conditions = Conditions(years_after=58, rows_a_year_median=1e6)
    ((panel, truth),) = simulate_panels(
        Scenario("calibration", 400, 9, effect=0.03), np.random.default_rng(1), conditions=conditions
    )
    untreated = (panel.y_sum / panel.rows)[~panel.is_treated_unit]
    shocks = untreated - untreated.mean(axis=1, keepdims=True)
    carried = (shocks[:, 1:] * shocks[:, :-1]).sum() / (shocks**2).sum()
    assert truth == pytest.approx(0.03)
    assert untreated.mean() == pytest.approx(conditions.mean, abs=0.01)
    assert untreated.mean(axis=1).std() == pytest.approx(conditions.sd_la, abs=0.006)
    assert shocks.std() == pytest.approx(conditions.sd_shock, abs=0.002)
    assert carried == pytest.approx(conditions.autocorrelation, abs=0.05)
