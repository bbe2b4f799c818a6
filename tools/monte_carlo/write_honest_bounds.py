"""Writes how often intervals under violations of parallel trends hold the true effect, as a CSV file.

    python -m tools.monte_carlo.write_honest_bounds --replications 2500 --out tests/oracle/monte_carlo_honest.csv

One row per scenario, violation and target, with every condition.
"""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path

from tools.monte_carlo.honest_bounds import every_coverage
from tools.monte_carlo.rates_file import write_rates

SEED = 20210101

logger = logging.getLogger("monte_carlo_honest")


def main() -> None:
    """Runs every scenario and writes the table, again after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=2_500)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    records, started = [], time.perf_counter()
    for found in every_coverage(replications=options.replications, seed=options.seed):
        records += [one.record() for one in found]
        least = min(found, key=lambda one: one.value)
        logger.info(
            "%5.0f s  %s: least %.3f (%s, %s)", time.perf_counter() - started, least.scenario.name, least.value,
            least.violation, least.target,
        )  # fmt: skip
        write_rates(options.out, records)


if __name__ == "__main__":
    main()
