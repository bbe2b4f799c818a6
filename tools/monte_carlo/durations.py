"""Simulated lengths: how often effects on their distribution are found where there are none, and cover one that is.

    python -m tools.monte_carlo.durations --replications 150 --out tests/oracle/monte_carlo_durations.csv

Lengths as England's: a mixture with a spike before the 45th working day and a tail. Authorities differ in size and in
how long they take; each period of each has its own shock, in the logarithm of the length, carried over to the next.
Under an effect pilots take so many days less from go-live on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from sos_spark.fit.durations.changes import changes_in_changes
from sos_spark.fit.durations.counts import DayCounts, days_to_limit
from sos_spark.fit.durations.hazards import bands, daily_hazard
from sos_spark.fit.durations.permuted import JudgedEffects, two_way_effects
from sos_spark.fit.durations.quantiles import quantile_effects
from sos_spark.fit.inference.assignments import Assignments
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.thresholds import ALPHA
from tools.monte_carlo.rates_file import write_rates

LIMIT, LAST_DAY = 45, 90
_MEDIAN = 0.5


@dataclass(frozen=True)
class Scenario:
    """A design: pilots and authorities, periods, how much larger pilots' shocks are, days that pilots take less."""

    name: str
    n_pilots: int
    n_units: int
    n_periods: int = 12
    times_shock: float = 1.0
    days_less: int = 0


SCENARIOS = (
    Scenario("9 of 60", 9, 60),
    Scenario("4 of 60", 4, 60),
    Scenario("2 of 60", 2, 60),
    Scenario("9 of 60, treated shocks x 2", 9, 60, times_shock=2.0),
    Scenario("9 of 60, 3 days less", 9, 60, days_less=3),
    Scenario("4 of 60, 3 days less", 4, 60, days_less=3),
)


@dataclass(frozen=True)
class Rate:
    """How often a method found something, or covered what is true, of `replications`."""

    scenario: str
    method: str
    measure: str
    rejected: float
    covered: float
    replications: int
    permutations: int
    seed: int


def simulated_counts(scenario: Scenario, random: np.random.Generator) -> DayCounts:
    """Returns the counts of one simulated study; every row is followed to the last day."""
    shape = scenario.n_units, scenario.n_periods
    pilot = np.arange(scenario.n_units) < scenario.n_pilots
    after = np.broadcast_to(np.arange(scenario.n_periods) >= scenario.n_periods // 2, shape)
    shocks = random.normal(size=shape)
    for period in range(1, scenario.n_periods):
        shocks[:, period] = 0.3 * shocks[:, period - 1] + np.sqrt(1 - 0.3**2) * shocks[:, period]
    shocks *= np.where(pilot, scenario.times_shock, 1.0)[:, None]
    level = random.normal(0, 0.15, scenario.n_units)[:, None] + 0.1 * shocks
    sizes = random.lognormal(5.0, 0.6, scenario.n_units)
    followed = np.zeros((*shape, LAST_DAY + 2))
    for unit in range(scenario.n_units):
        for period in range(scenario.n_periods):
            less = scenario.days_less * (pilot[unit] and after[unit, period])
            days = _lengths(int(random.poisson(sizes[unit])) + 5, float(level[unit, period]), random)
            days = np.clip(np.maximum(days - less, 0), 0, LAST_DAY + 1)
            followed[unit, period] = np.bincount(days, minlength=LAST_DAY + 2)
    last_seen = np.zeros((*shape, LAST_DAY + 1))
    last_seen[:, :, -1] = followed[:, :, -1]
    return DayCounts(np.arange(scenario.n_periods), pilot, after, followed[:, :, :-1], last_seen, followed)


def _lengths(n: int, level: float, random: np.random.Generator) -> np.ndarray:
    kind = random.random(n)
    ordinary = np.exp(3.3 + level + 0.5 * random.normal(size=n))
    spike = LIMIT - random.exponential(2.0, n) + 20 * level
    tail = LIMIT + random.exponential(25.0, n) * np.exp(level)
    return np.floor(np.where(kind < 0.62, ordinary, np.where(kind < 0.86, spike, tail))).clip(0).astype(np.int64)


def judged_study(counts: DayCounts, *, permutations: int, seed: int) -> Iterator[tuple[str, str, float, float, float]]:
    """Yields method, measure, p (NaN where the interval is all there is), and the ends of its interval."""
    plan = Assignments.of(counts.pilot.astype(int), permutations=permutations, seed=seed)
    after = counts.after[0]
    sums = np.concatenate([counts.within, days_to_limit(counts.followed)[:, :, None]], axis=2)
    shares = two_way_effects(counts.rows, sums, counts.pilot, after, plan)
    yield "distribution", "any", shares.p_any, *(float("nan"),) * 2
    yield from _read("distribution", shares)
    treated = counts.followed[counts.pilot][:, after].sum(axis=(0, 1))
    yield "distribution", "median", float("nan"), *_median(treated[:-1].cumsum() / treated.sum(), shares)
    both = np.stack([counts.followed[:, side].sum(axis=1) for side in (~after, after)], axis=1)
    changes = changes_in_changes(both, counts.pilot, plan)
    yield from _read("changes_in_changes", changes.effects)
    yield "changes_in_changes", "median", float("nan"), *_median(changes.observed, changes.effects)
    band = next(band for band in bands(counts.last_day) if band[1] == LIMIT)
    rows, ended = daily_hazard(counts, *band)
    hazard = two_way_effects(rows, ended[:, :, None], counts.pilot, after, plan)
    yield "hazard", "before_limit", float(hazard.p[0]), *(float("nan"),) * 2


def _read(method: str, effects: JudgedEffects) -> Iterator[tuple[str, str, float, float, float]]:
    low, high = effects.interval()
    for measure, place in (("within_limit", LIMIT), ("restricted_mean", -1)):
        yield method, measure, float(effects.p[place]), float(low[place]), float(high[place])


def _median(observed: Array, effects: JudgedEffects) -> tuple[float, float]:
    low, high = (end[:-1] for end in effects.interval())
    found = next(q for q in quantile_effects(observed, effects.att[:-1], low, high) if q.level == _MEDIAN)
    return found.low, found.high


def truth_of(scenario: Scenario, measure: str) -> float:
    """Returns the true effect where it is exact; NaN where it depends on what was drawn."""
    if not scenario.days_less:
        return 0.0
    # Lengths that would end at 0 or beyond the last day lose less than all of it, but hardly any do.
    return -float(scenario.days_less) if measure == "median" else float("nan")


def duration_rates(scenario: Scenario, *, replications: int, permutations: int, seed: int) -> list[Rate]:
    """Returns how often each measure was found to differ from nothing, and how often its interval held the truth."""
    random = np.random.default_rng(seed)
    seen: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for replication in range(replications):
        counts = simulated_counts(scenario, random)
        for method, measure, *found in judged_study(counts, permutations=permutations, seed=replication):
            seen.setdefault((method, measure), []).append((found[0], found[1], found[2]))
    rates = []
    for (method, measure), rows in seen.items():
        p, low, high = np.array(rows).T
        truth = truth_of(scenario, measure)
        holds = np.where(np.isnan(low), -np.inf, low) <= truth, truth <= np.where(np.isnan(high), np.inf, high)
        no_interval = np.isnan(truth) or measure in ("any", "before_limit")
        rejected = float("nan") if measure == "median" else float(np.mean(p <= ALPHA))
        covered = float("nan") if no_interval else float(np.mean(holds[0] & holds[1]))
        rates.append(Rate(scenario.name, method, measure, rejected, covered, replications, permutations, seed))
    return rates


def main() -> None:
    """Runs the scenarios that are asked for and writes their table, again after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=150)
    parser.add_argument("--permutations", type=int, default=99)
    parser.add_argument("--seed", type=int, default=20210101)
    parser.add_argument("--only", action="append", default=[], help="the name of a scenario; all of them if not given")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    chosen = [scenario for scenario in SCENARIOS if not options.only or scenario.name in options.only]
    knobs = {"replications": options.replications, "permutations": options.permutations, "seed": options.seed}
    rows: list[dict[str, object]] = []
    for scenario in chosen:
        rates = duration_rates(scenario, **knobs)
        rows += [{name: "" if value != value else value for name, value in asdict(rate).items()} for rate in rates]
        write_rates(options.out, rows)


if __name__ == "__main__":
    main()
