"""Size and coverage for a difference between subgroups: measured anew with a seed, and as the saved table says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.oracle.seeded_rates import REPLICATIONS, agrees, holds_its_level
from tools.monte_carlo.subgroups import (
    DIFFERENT_SCENARIOS,
    DOSE_SCENARIO,
    SUBGROUP_SCENARIOS,
    dose_rates,
    label_p_values,
    simulate_split,
    subgroup_rates,
)

TABLE = Path(__file__).with_name("monte_carlo_subgroups.csv")


@pytest.fixture(scope="module")
def size() -> pd.Series:
    return of_measure("size")


def of_measure(measure: str) -> pd.Series:
    table = pd.read_csv(TABLE)
    return table[table["measure"] == measure].set_index(["scenario", "term", "method"])["share"].sort_index()


def test_the_saved_table_is_of_today_s_scenarios() -> None:
    table = pd.read_csv(TABLE)
    assert table["replications"].ge(2_000).all()
    names = [scenario.name for scenario in (*SUBGROUP_SCENARIOS, *DIFFERENT_SCENARIOS, DOSE_SCENARIO)]
    assert list(dict.fromkeys(table["scenario"])) == names
    assert np.allclose(table["mc_se"], np.sqrt(table["share"] * (1 - table["share"]) / table["replications"]))


def test_a_split_has_the_treated_and_the_difference_asked_for() -> None:
    for scenario in (*SUBGROUP_SCENARIOS, *DIFFERENT_SCENARIOS):
        split, truth = simulate_split(scenario, np.random.default_rng(1))
        treated = split.panel.is_treated_unit
        assert (int((treated & ~split.second).sum()), int((treated & split.second).sum())) == scenario.n_treated
        assert bool((~treated & split.second).any()) == scenario.crossed
        assert len(split.panel.unit_ids) == scenario.n_las
        assert truth == pytest.approx(scenario.difference, abs=0.002 if not scenario.effect_sd else 0.1)


def test_with_126_labellings_p_takes_126_values_and_six_of_them_reject() -> None:
    scenario = SUBGROUP_SCENARIOS[1]
    p = np.array(label_p_values(scenario, replications=40, permutations=999, seed=3)) * 126
    assert p == pytest.approx(np.round(p), abs=1e-9)
    assert p.min() >= 1
    # The largest p that rejects is 6 / 126, so the size is 4.8 % exactly.
    assert 6 / 126 <= 0.05 < 7 / 126


OF_TABLE = {"replications": REPLICATIONS, "saved_replications": 2_000}


@pytest.mark.long
@pytest.mark.slow
def test_a_difference_between_groups_of_five_and_four_is_tested_at_its_level(size: pd.Series) -> None:
    """The bootstrap rejects a little too often there; permuted labels and CR2 hold."""
    scenario, coverage = SUBGROUP_SCENARIOS[0], of_measure("coverage")
    rates = subgroup_rates(scenario, replications=REPLICATIONS, draws=99, permutations=99, seed=5)
    for rate in rates:
        saved = (size if rate.measure == "size" else coverage)[scenario.name, rate.term, rate.method]
        assert agrees(rate.share, saved, **OF_TABLE), (rate.term, rate.measure, rate.method)
    found = {(rate.term, rate.measure, rate.method): rate.share for rate in rates}
    assert holds_its_level(found["difference", "size", "ri_t"])
    assert holds_its_level(found["difference", "size", "cr2_satterthwaite"])
    assert holds_its_level(1 - found["difference", "coverage", "cr2_satterthwaite"])


@pytest.mark.slow
def test_a_slope_on_the_dose_is_tested_at_its_level(size: pd.Series) -> None:
    rates = dose_rates(DOSE_SCENARIO, replications=REPLICATIONS, draws=199, permutations=199, seed=5)
    for rate in rates:
        assert agrees(rate.share, size[rate.scenario, rate.term, rate.method], **OF_TABLE), rate.method
    assert all(holds_its_level(rate.share) for rate in rates if rate.method in ("ri_t", "cr2_satterthwaite"))


def test_the_same_seed_gives_the_same_shares() -> None:
    knobs: dict[str, Any] = {"replications": 3, "draws": 99, "permutations": 99, "seed": 3}
    assert subgroup_rates(SUBGROUP_SCENARIOS[0], **knobs) == subgroup_rates(SUBGROUP_SCENARIOS[0], **knobs)
