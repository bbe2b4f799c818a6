"""What is printed of permuted go-lives where few pilots are more unsteady than comparators, and how often it is wrong.

    python -m tools.monte_carlo.unsteady --replications 2000 --out tests/oracle/monte_carlo_unsteady.csv

Panels are those of `few_pilots`, of one go-live, without an effect; pilots' shocks are `shock_ratio` times the others'.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path
from zlib import crc32

import numpy as np

from sos_spark.fit.estimators import twfe
from sos_spark.fit.unsteadiness import too_unsteady, unsteadiness
from tools.monte_carlo.few_pilots import FewPilots, simulate
from tools.monte_carlo.main_design import ALPHA
from tools.monte_carlo.rates_file import write_rates

SEED = 20210101
SHOCK_RATIOS = (1.0, 1.25, 1.5, 1.75, 2.0)
SCENARIOS = tuple(
    FewPilots(f"{n} of 60, shocks x {ratio:g}", (2,) * n, shock_ratio=ratio) for n in (2, 4) for ratio in SHOCK_RATIOS
)


@dataclass(frozen=True)
class UnsteadyRate:
    """Shares of replications: `rejected` by permuted go-lives; `printed`; `found`, both, which a reader is told."""

    scenario: str
    n_pilots: int
    shock_ratio: float
    seen_ratio: float
    rejected: float
    printed: float
    found: float
    replications: int
    permutations: int
    seed: int


def unsteady_rate(scenario: FewPilots, *, replications: int, permutations: int, seed: int) -> UnsteadyRate:
    """Returns the shares of one scenario; `seen_ratio` is the median of what panels show of its shock ratio."""
    rejected, printed = np.zeros((2, replications), dtype=bool)
    seen = np.empty(replications)
    for replication in range(replications):
        random = np.random.default_rng([seed, crc32(scenario.name.encode()), replication])
        panel = simulate(scenario, random)
        estimate = twfe(panel, weights="child")
        p = estimate.randomise(permutations=permutations, seed=int(random.integers(2**32))).p
        rejected[replication], printed[replication] = p <= ALPHA, not too_unsteady(panel)
        seen[replication] = unsteadiness(panel)
    return UnsteadyRate(
        scenario.name, len(scenario.starts), scenario.shock_ratio, float(np.median(seen)), float(rejected.mean()),
        float(printed.mean()), float((rejected & printed).mean()), replications, permutations, seed,
    )  # fmt: skip


def main() -> None:
    """Runs every scenario and writes the table, again after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=2_000)
    parser.add_argument("--permutations", type=int, default=199)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    knobs = {name: getattr(options, name) for name in ("replications", "permutations", "seed")}
    rows: list[dict[str, object]] = []
    for scenario in SCENARIOS:
        rows.append(asdict(unsteady_rate(scenario, **knobs)))
        write_rates(options.out, rows)


if __name__ == "__main__":
    main()
