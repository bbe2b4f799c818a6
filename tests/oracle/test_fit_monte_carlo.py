"""Size, coverage and family-wise error: measured anew with a seed, and as the table that was saved says."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.oracle.seeded_rates import MOST, REPLICATIONS, agrees, holds_its_level
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
OF_TABLE = {"replications": REPLICATIONS, "saved_replications": 10_000}
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


@pytest.mark.slow
def test_methods_for_few_treated_have_the_right_size_and_cr1_has_not(table: pd.DataFrame) -> None:
    scenario, saved = SIZE_SCENARIOS[0], shares(table, "size")
    size = {
        rate.method: rate.share
        for rate in size_rates(scenario, replications=REPLICATIONS, draws=199, permutations=199, seed=5)
    }
    assert {method: size[method] for method in RIGHT_METHODS if not holds_its_level(size[method])} == {}
    assert size["cr1"] > 0.08
    assert size["independent_la_years"] > 0.1
    assert size["independent_rows"] > 0.5
    for method, share in size.items():
        assert agrees(share, saved[scenario.name, method], **OF_TABLE), method


@pytest.mark.slow
def test_intervals_cover(table: pd.DataFrame) -> None:
    scenario = EFFECT_SCENARIOS[0]
    (coverage,) = coverage_rates(scenario, replications=REPLICATIONS, draws=199, seed=5)
    assert holds_its_level(1 - coverage.share)
    assert agrees(coverage.share, shares(table, "coverage")[scenario.name, "wcr"], **OF_TABLE)


@pytest.mark.slow
def test_families_hold_their_level(table: pd.DataFrame) -> None:
    saved = shares(table, "fwer")
    rates = family_rates(FAMILY_SCENARIO, replications=REPLICATIONS, draws=199, seed=5)
    found = {rate.method: rate.share for rate in rates}
    assert found["holm"] <= found["romano_wolf"] <= MOST
    assert found["unadjusted"] > 0.1
    for method, share in found.items():
        assert agrees(share, saved[FAMILY_SCENARIO.name, method], **OF_TABLE), method


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
