"""Size, coverage and bias beyond the main two-way fit: event-study coefficients and staggered adoption, simulated.

Panels are those of `monte_carlo`: LA x year rows of a binary outcome with autocorrelated LA x year shocks. The treated
LAs go live in groups, and an effect adds rows x effect to their sums of y, so that every estimator's true value is
known exactly: it is the estimator's own value on the effects alone. Effects may grow with time since go-live, differ
between groups, and vary between LAs about that (`effect_sd`; the true value is then that of the mean effects).

A further design, of a triple difference say, needs one function: (random generator) -> its fits by name, for
`design_rates`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np

from sos_spark.fit.estimators import ESTIMATORS, LinearEstimate, unit_panel
from sos_spark.fit.inference.wild import wild_cluster_interval, wild_cluster_test
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import NEVER, TREATED, PreparedPanel, regression
from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.staggered.group_time import aggregate, group_time_effects, saturated_moments
from tools.monte_carlo.main_design import ALPHA, Conditions, Scenario, simulate_panels

CR2, WCR, RI = "cr2_satterthwaite", "wcr", "ri_t"
BOTH = "wcr_and_cr2"
"""The headline rule: both below 0.05."""


@dataclass(frozen=True)
class StaggeredScenario:
    """Who goes live when, and with what effect. Effects are shares of 1.

    `starts` and `sizes`: each group's first treated year (a place) and number of LAs. The effect in a group's e-th year
    after go-live is effect + growth x e + by_group x the group's place (0 the first), plus the LA's own deviation, of
    standard deviation effect_sd.
    """

    name: str
    n_las: int
    starts: tuple[int, ...] = (2, 3, 4)
    sizes: tuple[int, ...] = (3, 3, 3)
    treated_shock_ratio: float = 1.0
    effect: float = 0.0
    growth: float = 0.0
    by_group: float = 0.0
    effect_sd: float = 0.0
    conditions: Conditions = field(default_factory=Conditions)

    @property
    def n_treated(self) -> int:
        """LAs that are ever treated."""
        return sum(self.sizes)


@dataclass(frozen=True)
class Fit:
    """One estimate of a replication: the coefficient of a regression, its true value, and its permutation test if any.

    `randomise` takes (permutations, seed) and returns p of 'no effect'.
    """

    moments: ClusterMoments
    coefficient: str
    truth: float
    randomise: Callable[[int, int], float] | None = None


Design = Callable[[np.random.Generator], Mapping[str, Fit]]


@dataclass(frozen=True)
class DesignRate:
    """A share of replications, or a mean, with its Monte Carlo standard error.

    `measure`: size (null true), coverage (of the true value) or bias (estimate less true value, in the outcome's unit).
    """

    design: str
    scenario: StaggeredScenario
    estimator: str
    measure: str
    method: str
    value: float
    mc_se: float
    replications: int


SIZE_SCENARIOS = (
    StaggeredScenario("9 of 30", 30),
    StaggeredScenario("9 of 60", 60),
    StaggeredScenario("9 of 60, treated shocks 2x", 60, treated_shock_ratio=2.0),
    StaggeredScenario("9 of 60, heterogeneous effects", 60, effect_sd=0.04),
    StaggeredScenario("6 of 60, groups of two", 60, sizes=(2, 2, 2)),
    StaggeredScenario(
        "9 of 60, one at a time", 60, starts=tuple(range(2, 11)), sizes=(1,) * 9, conditions=Conditions(years_after=10)
    ),
)
GROWTH_SCENARIOS = (
    StaggeredScenario("9 of 30, growing effects", 30, effect=0.02, growth=0.02),
    StaggeredScenario("9 of 60, growing effects", 60, effect=0.02, growth=0.02),
    StaggeredScenario("9 of 12, growing effects", 12, effect=0.02, growth=0.02),
    StaggeredScenario("9 of 60, growing effects that differ by group", 60, effect=0.02, growth=0.02, by_group=0.03),
)
ONE_GO_LIVE_SCENARIOS = (
    StaggeredScenario("9 of 30, one go-live", 30, starts=(2,), sizes=(9,)),
    StaggeredScenario("9 of 60, one go-live", 60, starts=(2,), sizes=(9,)),
    StaggeredScenario("9 of 60, one go-live, treated shocks 2x", 60, (2,), (9,), treated_shock_ratio=2.0),
    StaggeredScenario("9 of 60, one go-live, heterogeneous effects", 60, (2,), (9,), effect_sd=0.04),
)
EVENT_TIMES = (-2, 2)
STAGGERED: tuple[str, ...] = ("cs_simple", "imputation", "sun_abraham", "etwfe")
PERMUTED = ("cs_simple", "imputation", "etwfe")
SATURATED = "cs_simple_saturated"
"""cs_simple with the residuals of its own saturated regression, to show why small groups share effects."""


def simulate(scenario: StaggeredScenario, random: np.random.Generator) -> tuple[PreparedPanel, Array]:
    """Returns a panel, and the mean effect of each LA and year (G, T), which its sums of y hold already."""
    base = Scenario(scenario.name, scenario.n_las, scenario.n_treated, scenario.treated_shock_ratio)
    ((panel, _),) = simulate_panels(base, random, conditions=scenario.conditions)
    gtime = panel.gtime.copy()
    gtime[gtime != NEVER] = random.permutation(np.repeat(scenario.starts, scenario.sizes))
    panel = panel.with_gtime(gtime)
    place = np.searchsorted(scenario.starts, gtime)[:, None]
    mean = scenario.effect + scenario.growth * panel.event_time + scenario.by_group * place
    mean = panel.treated * mean
    own = panel.treated * scenario.effect_sd * random.normal(size=len(gtime))[:, None]
    return replace(panel, y_sum=panel.y_sum + panel.rows * (mean + own)), mean


def staggered_design(
    scenario: StaggeredScenario,
    *,
    estimators: tuple[str, ...] = STAGGERED,
    permuted: Collection[str] = (),
    saturated: bool = False,
) -> Design:
    """Returns the design whose fits are the estimators' aggregates on one simulated panel.

    An estimator's true value is its value on the effects alone; two-way fixed effects' is the imputation's, the mean
    effect on treated rows, because what it makes of the effects is what is in question. `permuted` names estimators to
    randomise; `saturated` adds SATURATED.
    """

    def fits(random: np.random.Generator) -> dict[str, Fit]:
        panel, effects = simulate(scenario, random)
        alone = replace(panel, y_sum=panel.rows * effects)
        found: dict[str, Fit] = {}
        for name in estimators:
            estimate = ESTIMATORS[name](panel, weights="child")
            truth = _value_on(alone, "imputation" if name == "twfe" else name) if effects.any() else 0.0
            test = _permutes(estimate) if name in permuted else None
            found[name] = Fit(estimate.moments, estimate.coefficient, truth, test)
        if saturated:
            units = unit_panel(panel)
            groups = group_time_effects(units)
            simple = {TREATED: aggregate(groups, "simple")["overall"]}
            found[SATURATED] = Fit(saturated_moments(units, groups, simple), TREATED, found["cs_simple"].truth)
        return found

    return fits


def event_study_design(scenario: StaggeredScenario, *, event_times: tuple[int, ...] = EVENT_TIMES) -> Design:
    """Returns the design whose fits are coefficients of an event study under one go-live, against event time -1."""

    def fits(random: np.random.Generator) -> dict[str, Fit]:
        panel, effects = simulate(scenario, random)
        since, treated = panel.event_time, panel.is_treated_unit[:, None]
        times = np.unique(since[panel.is_treated_unit])
        dummies = {f"event_{k}": ((since == k) & treated).astype(np.float64) for k in times if k != -1}
        moments = regression(panel, dummies, weights="child").moments
        return {
            f"event_{k}": Fit(moments, f"event_{k}", float(effects[(since == k) & treated].max(initial=0.0)))
            for k in event_times
        }

    return fits


def _value_on(panel: PreparedPanel, name: str) -> float:
    estimate = ESTIMATORS[name](panel, weights="child")
    return Sandwich(estimate.moments).estimate(estimate.coefficient)


def _permutes(estimate: LinearEstimate) -> Callable[[int, int], float]:
    return lambda permutations, seed: estimate.randomise(permutations=permutations, seed=seed).p


def design_rates(
    design: str,
    scenario: StaggeredScenario,
    fits: Design,
    *,
    replications: int,
    draws: int,
    permutations: int,
    seed: int,
    measures: tuple[str, ...],
) -> list[DesignRate]:
    """Returns size, coverage or bias of every fit of a design.

    Args:
        design: Its name; with the scenario's and the replication's number it determines the random stream.
        scenario: What the rates are of.
        fits: The fits of one replication.
        replications: Panels to draw.
        draws: Sign vectors of each bootstrap.
        permutations: Assignments of each permutation test.
        seed: As everywhere.
        measures: Of size, coverage and bias, those asked for.
    """
    outcomes: dict[tuple[str, str, str], list[float]] = {}
    key = crc32(f"{design}: {scenario.name}".encode())
    for replication in range(replications):
        random = np.random.default_rng([seed, key, replication])
        for estimator, fit in fits(random).items():
            knobs = {"draws": draws, "permutations": permutations, "seed": int(random.integers(2**32))}
            for measure in measures:
                for method, value in _measured(fit, measure, **knobs).items():
                    outcomes.setdefault((estimator, measure, method), []).append(value)
    return [
        DesignRate(design, scenario, *names, float(np.mean(values)), float(np.std(values) / np.sqrt(replications)),
                   replications)
        for names, values in outcomes.items()
    ]  # fmt: skip


def _measured(fit: Fit, measure: str, *, draws: int, permutations: int, seed: int) -> dict[str, float]:
    """Returns by method whether 'no effect' is rejected (size) or the true value covered, or the estimate's error."""
    solved = Sandwich(fit.moments)
    if measure == "bias":
        return {"estimate": solved.estimate(fit.coefficient) - fit.truth}
    test = solved.satterthwaite_of([fit.coefficient])
    drawn = {"coefficient": fit.coefficient, "draws": draws, "seed": seed}
    if measure == "coverage":
        low, high = test.interval()
        wild = wild_cluster_interval(fit.moments, **drawn)  # type: ignore[arg-type]
        return {CR2: float(low[0] <= fit.truth <= high[0]), WCR: float(wild.low <= fit.truth <= wild.high)}
    p_values = {CR2: float(test.p[0]), WCR: wild_cluster_test(fit.moments, **drawn).p}  # type: ignore[arg-type]
    p_values[BOTH] = max(p_values.values())
    if fit.randomise is not None:
        p_values[RI] = fit.randomise(permutations, seed)
    return {method: float(p <= ALPHA) for method, p in p_values.items()}


def every_design_rate(
    *, replications: int, draws: int, permutations: int, seed: int, only: Collection[str] = ()
) -> Iterator[list[DesignRate]]:
    """Yields the whole table, a design and scenario at a time; of the scenarios named in `only` where any are."""
    knobs = {"replications": replications, "draws": draws, "permutations": permutations, "seed": seed}
    for scenario in _wanted(SIZE_SCENARIOS, only):
        fits = staggered_design(scenario, permuted=PERMUTED, saturated=True)
        yield design_rates("staggered", scenario, fits, measures=("size",), **knobs)
    for scenario in _wanted(GROWTH_SCENARIOS, only):
        fits = staggered_design(scenario, estimators=("twfe", *STAGGERED))
        yield design_rates("staggered", scenario, fits, measures=("coverage", "bias"), **knobs)
    for scenario in _wanted(ONE_GO_LIVE_SCENARIOS, only):
        fits = event_study_design(scenario)
        yield design_rates("event_study", scenario, fits, measures=("size", "coverage"), **knobs)


def _wanted(scenarios: tuple[StaggeredScenario, ...], only: Collection[str]) -> Iterator[StaggeredScenario]:
    return (scenario for scenario in scenarios if not only or scenario.name in only)
