"""Writes how often each inference rejects a true 'no difference between subgroups', and covers one, as a CSV file.

    python -m tools.monte_carlo.write_subgroups --replications 4000 --out tests/oracle/monte_carlo_subgroups.csv

One row a scenario, term, measure and method. The seed is the study template's; it was not chosen among others.
"""

from __future__ import annotations

import argparse
import logging
import time
from dataclasses import asdict
from pathlib import Path

from tools.monte_carlo.rates_file import write_rates
from tools.monte_carlo.subgroups import every_subgroup_rate

SEED = 20210101

logger = logging.getLogger("monte_carlo_subgroups")


def main() -> None:
    """Runs every scenario and writes the table, again after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=4_000)
    parser.add_argument("--draws", type=int, default=999, help="sign vectors of each bootstrap")
    parser.add_argument("--permutations", type=int, default=999)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    knobs = {name: getattr(options, name) for name in ("replications", "draws", "permutations", "seed")}
    records, started = [], time.perf_counter()
    for rates in every_subgroup_rate(**knobs):
        records += [asdict(rate) | {name: knobs[name] for name in ("draws", "permutations", "seed")} for rate in rates]
        shares = ", ".join(f"{rate.term} {rate.measure} {rate.method} {rate.share:.3f}" for rate in rates)
        logger.info("%5.0f s  %s: %s", time.perf_counter() - started, rates[0].scenario, shares)
        write_rates(options.out, records)


if __name__ == "__main__":
    main()
