"""One pilot with most of the pilots' rows: where lines are drawn, and that the table has what they rest on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sos_spark.fit.thresholds import DOMINATED, UNEVEN
from tools.monte_carlo.dominant import METHODS, SCENARIOS, Dominated, simulate, size_rates

TABLE = Path(__file__).with_name("monte_carlo_dominant.csv")
KEYS = ["n_treated", "share", "of", "shock_ratio", "method"]


@pytest.fixture(scope="module")
def sizes() -> pd.Series:
    return pd.read_csv(TABLE).set_index(KEYS)["size"]


def test_the_saved_table_was_made_under_todays_conditions(sizes: pd.Series) -> None:
    expected = [
        (*asdict(scenario).values(), method)
        for scenario in SCENARIOS
        for method in METHODS
        if scenario.n_treated > 4 or not method.startswith("wcr")
    ]
    assert list(sizes.index) == expected


def test_methods_are_printed_up_to_shares_at_which_they_hold_and_not_where_they_do_not(sizes: pd.Series) -> None:
    rule, permuted = "wcr_and_cr2", "ri_t"
    assert sizes[9, 0.6, "pilots", 1.0, rule] <= 0.065
    assert sizes[9, 0.35, "all", 1.0, rule] > 0.10
    assert 0.35 < UNEVEN <= 0.6 < DOMINATED < 0.8
    assert sizes[9, 0.35, "pilots", 1.0, permuted] <= 0.07
    assert sizes[9, 0.6, "pilots", 1.0, permuted] > 0.10


def test_the_share_is_the_one_asked_for() -> None:
    panel = simulate(Dominated(9, 0.35, "all"), np.random.default_rng(1))
    treated = panel.rows[panel.is_treated_unit].sum(axis=1)
    assert treated.max() / panel.rows.sum() == pytest.approx(0.35, abs=1e-3)
    assert treated.max() / treated.sum() > DOMINATED


def test_a_pilot_with_a_third_of_all_rows_is_seen_to_break_every_method() -> None:
    found = size_rates(SCENARIOS[1], replications=100, draws=199, permutations=99)
    assert found["wcr_and_cr2"] > 0.08
    assert found["ri_t"] > 0.08
