"""How often each inference rejects a true null, and covers a true effect: simulated panels, the project's own code.

A panel is LA x year rows of a binary outcome: LA intercepts, LA x year shocks that are as large as the LA differences
and autocorrelated, LA sizes from a log-normal, binomial counts. Spreads are those of England's re-referrals. Sizes,
treated LAs, shocks and counts are drawn anew in every replication, from streams that depend on (seed, scenario,
replication) only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy import stats

from sos_spark.fit.inference.multiplicity import family_test
from sos_spark.fit.inference.randomisation import randomisation_test
from sos_spark.fit.inference.wild import wild_cluster_interval, wild_cluster_test
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import NEVER, TREATED, CellArrays, PreparedPanel, treatment_regression
from sos_spark.fit.regression.moments import Array, ClusterMoments

ALPHA = 0.05
METHODS = ("independent_rows", "independent_la_years", "cr1", "cr2_satterthwaite", "wcr", "ri_t")


@dataclass(frozen=True)
class Conditions:
    """What all scenarios share. Shares of 1; shock and LA spreads are standard deviations in the same unit."""

    years_before: int = 2
    years_after: int = 5
    mean: float = 0.225
    sd_la: float = 0.048
    sd_shock: float = 0.041
    autocorrelation: float = 0.29
    rows_a_year_median: float = 1_200.0
    rows_log_sd: float = 0.675
    correlation_of_outcomes: float = 0.5

    @property
    def n_years(self) -> int:
        """Years of the panel."""
        return self.years_before + self.years_after


@dataclass(frozen=True)
class Scenario:
    """One column of the table. `effect` is added to treated LAs after go-live, `effect_sd` varies it between them."""

    name: str
    n_las: int
    n_treated: int
    treated_shock_ratio: float = 1.0
    effect: float = 0.0
    effect_sd: float = 0.0


DEFAULT_CONDITIONS = Conditions()
SIZE_SCENARIOS = (
    Scenario("9 of 30", 30, 9),
    Scenario("9 of 60", 60, 9),
    Scenario("9 of 150", 150, 9),
    Scenario("9 of 60, treated shocks 2x", 60, 9, treated_shock_ratio=2.0),
    Scenario("9 of 60, heterogeneous effects", 60, 9, effect_sd=0.04),
    Scenario("3 of 10", 10, 3),
    Scenario("2 of 60", 60, 2),
)
EFFECT_SCENARIOS = (
    Scenario("9 of 30, effect 5 points", 30, 9, effect=0.05),
    Scenario("9 of 60, effect 5 points", 60, 9, effect=0.05),
)
FAMILY_SCENARIO = Scenario("9 of 60, five outcomes", 60, 9)
N_OUTCOMES = 5


@dataclass(frozen=True)
class Rate:
    """A share of replications with its Monte Carlo standard error. `measure`: size, power, coverage or fwer."""

    scenario: Scenario
    measure: str
    method: str
    share: float
    mc_se: float
    replications: int


def simulate_panels(
    scenario: Scenario,
    random: np.random.Generator,
    *,
    conditions: Conditions,
    n_outcomes: int = 1,
    size_ratio: float = 1.0,
) -> list[tuple[PreparedPanel, float]]:
    """Returns the panel of each outcome and the effect injected into its treated rows; outcomes share LAs and rows.

    `size_ratio` multiplies the treated LAs' rows.
    """
    n, years = scenario.n_las, conditions.n_years
    rows = random.poisson(
        conditions.rows_a_year_median * np.exp(random.normal(0, conditions.rows_log_sd, n))[:, None], (n, years)
    )
    rows = np.maximum(rows, 1)
    is_treated = np.zeros(n, dtype=bool)
    is_treated[random.permutation(n)[: scenario.n_treated]] = True
    rows = np.where(is_treated[:, None], np.maximum(np.rint(rows * size_ratio), 1), rows).astype(np.int64)
    after = np.arange(years) >= conditions.years_before
    effect = np.where(is_treated, scenario.effect + scenario.effect_sd * random.normal(size=n), 0.0)
    common = _shocks(random, (n, years), conditions)
    share_common = conditions.correlation_of_outcomes if n_outcomes > 1 else 0.0
    panels = []
    for _ in range(n_outcomes):
        shock = np.sqrt(share_common) * common + np.sqrt(1 - share_common) * _shocks(random, (n, years), conditions)
        shock *= np.where(is_treated, scenario.treated_shock_ratio, 1.0)[:, None]
        untreated = conditions.mean + conditions.sd_la * random.normal(size=n)[:, None] + shock
        chances = [np.clip(untreated + added, 0.0, 1.0) for added in (0.0, effect[:, None] * after)]
        y_sum = random.binomial(rows, chances[1])
        gtime = np.where(is_treated, conditions.years_before, NEVER)
        on = np.outer(is_treated, after)
        truth = float(np.average((chances[1] - chances[0])[on], weights=rows[on]))
        panels.append((panel_of_totals(rows.astype(float), y_sum.astype(float), gtime), truth))
    return panels


def _shocks(random: np.random.Generator, shape: tuple[int, int], conditions: Conditions) -> Array:
    """Stationary AR(1) by LA. Shape (G, years)."""
    shocks = random.normal(0, conditions.sd_shock, shape)
    carried = conditions.autocorrelation
    for year in range(1, shape[1]):
        shocks[:, year] = carried * shocks[:, year - 1] + np.sqrt(1 - carried**2) * shocks[:, year]
    return shocks


def panel_of_totals(rows: Array, y_sum: Array, gtime: npt.NDArray[np.int64]) -> PreparedPanel:
    """Returns a panel without covariates. Shapes: rows, y_sum (G, T); gtime (G,), the place of a column, or NEVER."""
    n, years = rows.shape
    unit, period = (index.ravel() for index in np.indices(rows.shape))
    cells = CellArrays(unit, period, rows.ravel(), y_sum.ravel(), None, np.empty((rows.size, 0), np.int64))
    return PreparedPanel(
        outcome_id="simulated",
        unit_ids=tuple(f"{k:03d}" for k in range(n)),
        periods=np.arange(years),
        period_starts=tuple(date(2000 + k, 1, 1) for k in range(years)),
        gtime=gtime,
        rows=rows,
        y_sum=y_sum,
        y_sumsq=None,
        covariates=(),
        continuous=(),
        z_sum=np.zeros((n, years, 0)),
        zz_sum=np.zeros((n, 0, 0)),
        zy_sum=np.zeros((n, 0)),
        cells=cells,
    )


def _streams(scenario: Scenario, replications: int, seed: int) -> Iterator[tuple[np.random.Generator, int]]:
    """Yields each replication's generator, and a seed for its draws: without one they would share their luck."""
    for replication in range(replications):
        random = np.random.default_rng([seed, crc32(scenario.name.encode()), replication])
        yield random, int(random.integers(2**32))


def size_rates(
    scenario: Scenario,
    *,
    replications: int,
    draws: int,
    permutations: int,
    seed: int,
    conditions: Conditions = DEFAULT_CONDITIONS,
) -> list[Rate]:
    """Returns how often each method rejects 'no effect' at 5 %: size, or power where the scenario has an effect."""
    rejected = np.empty((replications, len(METHODS)), dtype=bool)
    for replication, (random, own_seed) in enumerate(_streams(scenario, replications, seed)):
        ((panel, _),) = simulate_panels(scenario, random, conditions=conditions)
        moments = treatment_regression(panel, weights="child").moments
        p_values = (
            *_analytic_p_values(panel, moments),
            wild_cluster_test(moments, coefficient=TREATED, draws=draws, seed=own_seed).p,
            randomisation_test(
                moments,
                coefficient=TREATED,
                gtime=panel.gtime,
                period_of={f"period_{year}": year for year in range(1, conditions.n_years)},
                omitted_period=0,
                permutations=permutations,
                seed=own_seed,
            ).p,
        )
        rejected[replication] = np.array(p_values) <= ALPHA
    return _rates(scenario, "power" if scenario.effect else "size", METHODS, rejected)


def _analytic_p_values(panel: PreparedPanel, moments: ClusterMoments) -> tuple[float, ...]:
    """Returns p of independent rows, of independent LA-years, of CR1 with t(G-1) and of CR2 with Satterthwaite df."""
    solved = Sandwich(moments)
    estimate, place = solved.estimate(TREATED), moments.names.index(TREATED)
    cr1 = 2 * stats.t.sf(abs(estimate) / solved.se(solved.cr1, TREATED), moments.n_clusters - 1)
    # Of rows, the sum of y^2 is y_sum, y being 0 or 1; of LA-years, weighted least squares on their means.
    fitted = float(solved.beta @ moments.xy.sum(axis=0))
    independent = []
    for squares, n in ((panel.y_sum, panel.n_rows), (panel.y_sum**2 / panel.rows, panel.rows.size)):
        about_mean = float(squares.sum() - np.sum(panel.y_sum.sum(axis=1) ** 2 / panel.rows.sum(axis=1)))
        freedom = n - len(moments.names) - moments.n_clusters
        se = np.sqrt((about_mean - fitted) / freedom * solved.bread[place, place])
        independent.append(2 * stats.t.sf(abs(estimate) / se, freedom))
    return (*independent, cr1, solved.satterthwaite_of([TREATED]).p[0])


def coverage_rates(
    scenario: Scenario, *, replications: int, draws: int, seed: int, conditions: Conditions = DEFAULT_CONDITIONS
) -> list[Rate]:
    """Returns how often the inverted WCR interval holds the effect that was injected."""
    covered = np.empty((replications, 1), dtype=bool)
    for replication, (random, own_seed) in enumerate(_streams(scenario, replications, seed)):
        ((panel, truth),) = simulate_panels(scenario, random, conditions=conditions)
        moments = treatment_regression(panel, weights="child").moments
        interval = wild_cluster_interval(moments, coefficient=TREATED, draws=draws, seed=own_seed)
        covered[replication] = interval.low <= truth <= interval.high
    return _rates(scenario, "coverage", ("wcr",), covered)


def family_rates(
    scenario: Scenario,
    *,
    replications: int,
    draws: int,
    seed: int,
    conditions: Conditions = DEFAULT_CONDITIONS,
    n_outcomes: int = N_OUTCOMES,
) -> list[Rate]:
    """Returns how often any of several true nulls is rejected: unadjusted, by Holm, by Romano-Wolf."""
    rejected = np.empty((replications, 3), dtype=bool)
    for replication, (random, own_seed) in enumerate(_streams(scenario, replications, seed)):
        panels = simulate_panels(scenario, random, conditions=conditions, n_outcomes=n_outcomes)
        fits = {
            f"outcome_{k}": treatment_regression(panel, weights="child").moments for k, (panel, _) in enumerate(panels)
        }
        family = family_test(fits, coefficient=TREATED, draws=draws, seed=own_seed)
        rejected[replication] = [p.min() <= ALPHA for p in (family.p, family.p_holm, family.p_adjusted)]
    return _rates(scenario, "fwer", ("unadjusted", "holm", "romano_wolf"), rejected)


def every_rate(
    *, replications: int, draws: int, permutations: int, seed: int, conditions: Conditions = DEFAULT_CONDITIONS
) -> Iterator[list[Rate]]:
    """Yields the whole table, a scenario and measure at a time: size and power, coverage, family-wise error."""
    for scenario in (*SIZE_SCENARIOS, *EFFECT_SCENARIOS):
        yield size_rates(
            scenario,
            replications=replications,
            draws=draws,
            permutations=permutations,
            seed=seed,
            conditions=conditions,
        )
    for scenario in EFFECT_SCENARIOS:
        yield coverage_rates(scenario, replications=replications, draws=draws, seed=seed, conditions=conditions)
    yield family_rates(FAMILY_SCENARIO, replications=replications, draws=draws, seed=seed, conditions=conditions)


def _rates(scenario: Scenario, measure: str, methods: Sequence[str], happened: npt.NDArray[np.bool_]) -> list[Rate]:
    """Shape of happened: (replications, methods)."""
    shares, n = happened.mean(axis=0), len(happened)
    return [
        Rate(scenario, measure, method, float(share), float(np.sqrt(share * (1 - share) / n)), n)
        for method, share in zip(methods, shares, strict=True)
    ]
