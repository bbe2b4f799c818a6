"""Size and coverage for a difference between subgroups: the saved table keeps its promises, and a quick run agrees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tools.monte_carlo.subgroups import (
    DIFFERENT_SCENARIOS,
    DOSE_SCENARIO,
    SUBGROUP_SCENARIOS,
    SubgroupRate,
    dose_rates,
    label_p_values,
    simulate_split,
    subgroup_rates,
)

TABLE = Path(__file__).with_name("monte_carlo_subgroups.csv")
CROSSED, TREATED_ONLY, SEVEN_AND_TWO, TEN_AND_TEN, UNEQUAL = (scenario.name for scenario in SUBGROUP_SCENARIOS)


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


def test_permuted_labels_have_the_right_size_with_few_treated_in_a_group(size: pd.Series) -> None:
    for scenario in (CROSSED, TREATED_ONLY, SEVEN_AND_TWO, TEN_AND_TEN, UNEQUAL):
        assert 0.035 <= size[scenario, "difference", "ri_t"] <= 0.065, scenario


def test_permuted_go_lives_have_the_right_size_for_the_effect_in_a_small_group(size: pd.Series) -> None:
    for scenario in (CROSSED, TREATED_ONLY, SEVEN_AND_TWO, TEN_AND_TEN):
        assert 0.035 <= size[scenario, "effect_in_second", "ri_t"] <= 0.065, scenario
    assert size[UNEQUAL, "effect_in_second", "ri_t"] <= 0.08  # effects that differ between LAs are no sharp null


def test_with_two_treated_in_a_group_the_others_say_next_to_nothing(size: pd.Series) -> None:
    for method in ("cr2_satterthwaite", "wcr"):
        assert size[SEVEN_AND_TWO, "effect_in_second", method] < 0.01
        assert size[SEVEN_AND_TWO, "difference", method] < 0.035


def test_cr2_holds_with_five_and_four_and_the_bootstrap_rejects_a_little_often(size: pd.Series) -> None:
    for scenario in (CROSSED, TREATED_ONLY, TEN_AND_TEN):
        assert 0.035 <= size[scenario, "difference", "cr2_satterthwaite"] <= 0.065
    for scenario in (CROSSED, TREATED_ONLY):
        assert size[scenario, "difference", "cr2_satterthwaite"] < size[scenario, "difference", "wcr"] < 0.08
    assert 0.035 <= size[TEN_AND_TEN, "difference", "wcr"] <= 0.065


def test_for_a_dose_permuted_labels_and_cr2_hold_and_the_bootstrap_rejects_a_little_often(size: pd.Series) -> None:
    own = size[DOSE_SCENARIO.name, "per_unit_of_dose"]
    assert own[["ri_t", "cr2_satterthwaite"]].between(0.035, 0.065).all()
    assert 0.055 < own["wcr"] < 0.08


def test_intervals_cover() -> None:
    coverage = of_measure("coverage")
    for scenario in (CROSSED, TREATED_ONLY, TEN_AND_TEN, *(each.name for each in DIFFERENT_SCENARIOS)):
        for method in ("cr2_satterthwaite", "wcr"):
            assert 0.93 <= coverage[scenario, "difference", method] <= 0.97, (scenario, method)
    # Two treated, or effects that differ between LAs beside the injected truth: intervals are wide, not short.
    for scenario in (SEVEN_AND_TWO, UNEQUAL):
        assert coverage[scenario, "difference"].between(0.97, 0.995).all()


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


def assert_close(rate: SubgroupRate, saved: float) -> None:
    """Within four standard errors of what the saved table says."""
    assert abs(rate.share - saved) <= 4 * np.sqrt(max(saved * (1 - saved), 0.01) / rate.replications)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [SUBGROUP_SCENARIOS[0], DIFFERENT_SCENARIOS[1]], ids=lambda s: s.name)
def test_a_quick_run_agrees(scenario: object) -> None:
    table = pd.read_csv(TABLE).set_index(["scenario", "term", "measure", "method"])["share"]
    for rate in subgroup_rates(scenario, replications=60, draws=199, permutations=199, seed=5):  # type: ignore[arg-type]
        assert_close(rate, table[rate.scenario, rate.term, rate.measure, rate.method])


@pytest.mark.slow
def test_a_quick_run_of_doses_agrees(size: pd.Series) -> None:
    for rate in dose_rates(DOSE_SCENARIO, replications=100, draws=199, permutations=199, seed=5):
        assert_close(rate, size[rate.scenario, rate.term, rate.method])


def test_the_same_seed_gives_the_same_shares() -> None:
    knobs: dict[str, Any] = {"replications": 3, "draws": 99, "permutations": 99, "seed": 3}
    assert subgroup_rates(SUBGROUP_SCENARIOS[0], **knobs) == subgroup_rates(SUBGROUP_SCENARIOS[0], **knobs)
