"""Permuted go-lives with four pilots or fewer: measured anew with a seed, and as the table that was saved says.

Pilots that go live one at a time take 60 ms a replication: they are measured by the table's generator only.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.oracle.seeded_rates import MOST, REPLICATIONS, agrees
from tools.monte_carlo.few_pilots import (
    BOUND,
    ONE_BY_ONE,
    OWN,
    RI,
    TOGETHER,
    FewPilots,
    planted,
    simulate,
    together_rates,
)

TABLE = Path(__file__).with_name("monte_carlo_few.csv")


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
        assert (OWN in set(rows["method"])) == (len(scenario.starts) == 1)
        del given["name"]
        for name, value in (given | conditions).items():
            assert rows[name].astype(type(value)).eq(value).all(), (scenario.name, name)


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


@pytest.mark.slow
def test_one_pilot_s_own_scatter_has_its_size_its_cover_and_the_power_it_promises(table: pd.DataFrame) -> None:
    """Shocks twice the comparators': by permuted go-lives 30 % of true nulls are rejected."""
    saved, scenario = values(table), TOGETHER[4]
    assert (scenario.starts, scenario.shock_ratio) == ((2,), 2.0)
    assert saved[scenario.name, "twfe", "size", RI, 2] > 0.25
    found = {
        rate.measure: rate.value
        for rate in together_rates(scenario, replications=REPLICATIONS, permutations=199, seed=5, method=OWN)
    }
    assert found["size"] <= MOST
    assert 1 - found["coverage"] <= MOST
    assert found["equivalence"] <= MOST
    assert 0.7 <= found["power"] <= 0.88
    for measure, value in found.items():
        expected = saved[scenario.name, "twfe", measure, OWN, 2]
        if measure == "mde":
            assert value == pytest.approx(expected, rel=0.05)
        else:
            assert agrees(value, expected, replications=REPLICATIONS, saved_replications=4_000), measure
