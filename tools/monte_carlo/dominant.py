"""What one pilot with most of the pilots' rows does to each method: size, simulated, and written as a CSV file.

    python -m tools.monte_carlo.dominant --replications 400 --out tests/oracle/monte_carlo_dominant.csv

Panels are those of `main_design`; one treated LA's rows are scaled so that it has a share of the treated LAs' rows,
or of everybody's.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sos_spark.fit.estimators import twfe
from sos_spark.fit.inference.wild import wild_cluster_test
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.thresholds import FEW_TREATED
from tools.monte_carlo.main_design import ALPHA, Conditions, Scenario, panel_of_totals, simulate_panels
from tools.monte_carlo.rates_file import write_rates

SEED = 1
N_LAS = 60
METHODS = ("cr2_satterthwaite", "wcr", "wcr_and_cr2", "ri_t")

logger = logging.getLogger("monte_carlo_dominant")


@dataclass(frozen=True)
class Dominated:
    """So many treated LAs of 60, one of which has a share of the rows of the pilots, or of all LAs."""

    n_treated: int
    share: float
    of: Literal["pilots", "all"]
    shock_ratio: float = 1.0


SCENARIOS = (
    Dominated(9, 0.35, "pilots"),
    Dominated(9, 0.35, "all"),
    Dominated(9, 0.6, "pilots"),
    Dominated(9, 0.7, "pilots"),
    Dominated(4, 0.35, "pilots"),
    Dominated(9, 0.35, "pilots", 2.0),
    Dominated(9, 0.35, "all", 2.0),
)


def simulate(
    scenario: Dominated, random: np.random.Generator, *, conditions: Conditions | None = None
) -> PreparedPanel:
    """Returns a panel without an effect; the LA that is scaled has its shares of outcomes, drawn anew."""
    base = Scenario("x", N_LAS, scenario.n_treated, scenario.shock_ratio)
    ((panel, _),) = simulate_panels(base, random, conditions=conditions or Conditions())
    first, *others = np.flatnonzero(panel.is_treated_unit)
    rows, y_sum = panel.rows.copy(), panel.y_sum.copy()
    rest = rows[others].sum() if scenario.of == "pilots" else rows.sum() - rows[first].sum()
    chance = np.clip(y_sum[first] / rows[first], 0, 1)
    rows[first] = np.rint(rows[first] * (scenario.share / (1 - scenario.share) * rest / rows[first].sum()))
    y_sum[first] = random.binomial(rows[first].astype(int), chance)
    return panel_of_totals(rows, y_sum, panel.gtime)


def size_rates(
    scenario: Dominated, *, replications: int, draws: int = 999, permutations: int = 199, seed: int = SEED
) -> dict[str, float]:
    """Returns how often each method rejects 'no effect' at 5 %; the bootstrap is not used with few treated LAs."""
    rejected = np.full((replications, len(METHODS)), np.nan)
    for replication in range(replications):
        panel = simulate(scenario, np.random.default_rng([seed, replication]))
        estimate = twfe(panel, weights="child")
        p_cr2 = float(Sandwich(estimate.moments).satterthwaite_of([estimate.coefficient]).p[0])
        p_ri = estimate.randomise(permutations=permutations, seed=replication).p
        rejected[replication, [0, 3]] = p_cr2 <= ALPHA, p_ri <= ALPHA
        if scenario.n_treated > FEW_TREATED:
            given = {"coefficient": estimate.coefficient, "draws": draws, "seed": replication}
            p_wcr = wild_cluster_test(estimate.moments, **given).p  # type: ignore[arg-type]
            rejected[replication, [1, 2]] = p_wcr <= ALPHA, max(p_wcr, p_cr2) <= ALPHA
    shares = rejected.mean(axis=0)
    return {method: float(share) for method, share in zip(METHODS, shares, strict=True) if not np.isnan(share)}


def records(*, replications: int, seed: int) -> Iterator[dict[str, object]]:
    """Yields the table's rows."""
    for scenario in SCENARIOS:
        for method, value in size_rates(scenario, replications=replications, seed=seed).items():
            yield asdict(scenario) | {"method": method, "size": value, "replications": replications, "seed": seed}


def main() -> None:
    """Writes the table, also while it grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=400)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rows: list[dict[str, object]] = []
    started = time.perf_counter()
    for row in records(replications=options.replications, seed=options.seed):
        rows.append(row)
        logger.info("%5.0f s  %s", time.perf_counter() - started, " ".join(map(str, row.values())))
        write_rates(options.out, rows)


if __name__ == "__main__":
    main()
