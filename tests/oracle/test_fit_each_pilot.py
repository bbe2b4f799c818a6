"""Each pilot's effect against individual rows and brute force, its pool against statsmodels and published figures."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest
import pytest
from statsmodels.stats.meta_analysis import combine_effects

from sos_spark.analysis.pilots import each_pilot, placebo_errors
from sos_spark.analysis.pooling import pool
from sos_spark.fit.estimators import twfe
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import NEVER, Weights
from tests.references import Reference
from tests.staggered_panels import THREE_GROUPS, random_totals, staggered_rows
from tools.monte_carlo.each_pilot import SCENARIOS, pilots_rates

VACCINE = Reference(
    "Pool of pilots",
    "heterogeneity and its interval",
    "Viechtbauer (2010), trials of a vaccine, as printed",
    "published",
    5e-5,
    absolute=True,
)
META = Reference(
    "Pool of pilots",
    "mean, standard error, interval",
    "statsmodels (Paule and Mandel, Hartung and Knapp)",
    "package",
    1e-6,
)
EACH_PILOT = Reference(
    "Effect in each pilot",
    "estimate",
    "pyfixest on the individual rows",
    "package",
    1e-8,
)

TABLE = Path(__file__).with_name("monte_carlo_pilots.csv")

BCG = np.array(
    [
        (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
        (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232),
        (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
    ],
    dtype=float,
)  # fmt: skip
"""Colditz et al. (1994): cases and others, vaccinated and not, in 13 trials of a vaccine; logs of risk ratios."""


def bcg() -> tuple[np.ndarray, np.ndarray]:
    case, other, case_control, other_control = BCG.T
    n, n_control = case + other, case_control + other_control
    return np.log(case / n) - np.log(case_control / n_control), 1 / case - 1 / n + 1 / case_control - 1 / n_control


def test_the_pool_has_the_published_figures_of_the_vaccine_trials() -> None:
    """Viechtbauer (2010, Journal of Statistical Software 36(3)): Q and the Q profile's ends, to the digits printed."""
    found = pool(*bcg())
    assert found.q == VACCINE.equals(152.2330)
    assert [end**2 for end in found.sd_interval] == VACCINE.equals([0.1197, 1.1115])


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_pool_is_that_of_statsmodels(seed: int) -> None:
    random = np.random.default_rng(seed)
    variances = random.uniform(0.5, 2, 9)
    effects = random.normal(0.3, np.sqrt(variances + (seed % 2)))
    found = pool(effects, variances)
    outside = combine_effects(effects, variances, method_re="iterated", use_t=True)
    assert found.sd**2 == pytest.approx(max(outside.tau2, 0.0), rel=1e-6, abs=1e-8)
    assert found.mean == pytest.approx(outside.mean_effect_re, rel=1e-7)
    assert found.se == META.equals(outside.sd_eff_w_re_hksj)
    assert found.q == pytest.approx(outside.q, rel=1e-12)
    assert found.p == pytest.approx(outside.test_homogeneity().pvalue, rel=1e-10)
    assert found.interval == META.equals(outside.conf_int()[3])


@pytest.mark.parametrize("weights", ["child", "la_equal"])
def test_a_pilot_s_effect_is_that_of_its_own_rows_and_the_comparators(weights: Weights) -> None:
    data = staggered_rows(THREE_GROUPS, by=("sex",), n_units=30)
    found = {one.unit_id: one.att for one in each_pilot(data.panel, weights=weights).effects}
    assert len(found) == len(THREE_GROUPS)
    for unit in (0, 4, 8):
        rows = data.rows[(data.rows["unit"] == unit) | (data.rows["gtime"] == 99)].copy()
        sizes = rows["unit"].map(rows["unit"].value_counts()).astype(float)
        rows["w"] = 1.0 if weights == "child" else 1 / sizes
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = pyfixest.feols(
                "y ~ treated + C(sex) | unit + period", rows, weights="w", fixef_tol=1e-14, fixef_maxiter=100_000
            )
        assert found[str(201 + unit)] == EACH_PILOT.equals(float(fit.coef()["treated"]))


def test_errors_are_the_comparators_effects_of_a_go_live_that_was_none() -> None:
    panel = random_totals((3, 3, 3), n_units=26, gaps=True)
    rest = panel.without({unit for unit, g in zip(panel.unit_ids, panel.gtime, strict=True) if g != NEVER})
    errors = placebo_errors(rest, 3, weights="child")
    brute = []
    for place in range(len(rest.unit_ids)):
        gtime = np.full(len(rest.unit_ids), NEVER)
        gtime[place] = 3
        estimate = twfe(rest.with_gtime(gtime), weights="child")
        brute.append(Sandwich(estimate.moments).estimate(estimate.coefficient))
    assert errors.att == pytest.approx(brute, rel=1e-8)
    before, after = rest.rows[:, :3].sum(axis=1), rest.rows[:, 3:].sum(axis=1)
    assert errors.h == pytest.approx(1 / before + 1 / after)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(TABLE).set_index(["scenario", "estimator", "measure", "method"])[["value", "mc_se"]]


NAMES = tuple(scenario.name for scenario in SCENARIOS)


def test_single_pilots_are_covered_also_where_their_shocks_are_twice_as_large(table: pd.DataFrame) -> None:
    assert set(table.index.get_level_values("scenario")) == set(NAMES)
    for name in NAMES:
        size, error = table.loc[(name, "pilot", "size", "placebo")]
        assert 0.035 - 2 * error <= size <= 0.065 + 2 * error, name
        covered, error = table.loc[(name, "pilot", "coverage", "placebo")]
        assert 0.93 - 2 * error <= covered <= 0.97 + 2 * error, name


def test_how_far_pilots_differ_is_covered_whatever_their_shocks(table: pd.DataFrame) -> None:
    spreads = table.xs(("sd between", "coverage", "q_profile"), level=("estimator", "measure", "method"))
    assert (spreads["value"] + 2 * spreads["mc_se"] >= 0.93).all()
    shrunken = table.xs(("pilot", "coverage", "shrunken"), level=("estimator", "measure", "method"))
    assert (shrunken["value"] >= 0.90).all()


def test_the_pool_s_mean_is_covered_whatever_the_pilots_shocks(table: pd.DataFrame) -> None:
    pools = table["value"].xs(("pool", "coverage", "hartung_knapp"), level=("estimator", "measure", "method"))
    assert set(pools.index) == {name for name in NAMES if not name.startswith("1 of")}
    assert pools.between(0.93, 0.985).all()


def test_what_a_next_pilot_may_expect_is_covered_also_where_effects_differ(table: pd.DataFrame) -> None:
    next_one = table["value"].xs(("next pilot", "coverage", "prediction"), level=("estimator", "measure", "method"))
    assert (next_one >= 0.93).all()


def test_a_quick_run_agrees_with_the_saved_table(table: pd.DataFrame) -> None:
    scenario = SCENARIOS[0]
    for rate in pilots_rates(scenario, replications=15, seed=5):
        saved = float(table["value"][scenario.name, rate.estimator, rate.measure, rate.method])
        assert abs(rate.value - saved) <= 4 * np.sqrt(max(saved * (1 - saved), 0.01) / 15)
