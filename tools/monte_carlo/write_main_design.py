"""Writes how often each inference rejects a true null, and covers a true effect, as a CSV file.

    python -m tools.monte_carlo.write_main_design --replications 10000 --out tests/oracle/monte_carlo_size.csv

One row a scenario, measure and method, with every condition it depends on. The seed is the study template's; it was not
chosen among others.
"""

from __future__ import annotations

import argparse
import logging
import time
from dataclasses import asdict
from pathlib import Path

from tools.monte_carlo.main_design import DEFAULT_CONDITIONS, every_rate
from tools.monte_carlo.rates_file import write_rates

SEED = 20210101

logger = logging.getLogger("monte_carlo")


def main() -> None:
    """Runs every scenario and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=10_000)
    parser.add_argument("--draws", type=int, default=999, help="sign vectors of each bootstrap")
    parser.add_argument("--permutations", type=int, default=999)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    knobs = {name: getattr(options, name) for name in ("replications", "draws", "permutations", "seed")}
    records, started = [], time.perf_counter()
    for rates in every_rate(**knobs):
        for rate in rates:
            scenario = asdict(rate.scenario)
            records.append(
                {"scenario": scenario.pop("name"), "measure": rate.measure, "method": rate.method}
                | {"share": rate.share, "mc_se": rate.mc_se}
                | scenario
                | asdict(DEFAULT_CONDITIONS)
                | knobs
            )
        shares = ", ".join(f"{rate.method} {rate.share:.3f}" for rate in rates)
        elapsed = time.perf_counter() - started
        logger.info("%5.0f s  %s, %s: %s", elapsed, rates[0].scenario.name, rates[0].measure, shares)
    write_rates(options.out, records)


if __name__ == "__main__":
    main()
