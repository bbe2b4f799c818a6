"""Writes what permuted go-lives do with four pilots or fewer, or what each pilot's interval covers, as a CSV file.

    python -m tools.monte_carlo.write_few_pilots --replications 4000 --out tests/oracle/monte_carlo_few.csv
    python -m tools.monte_carlo.write_few_pilots --of each_pilot --out tests/oracle/monte_carlo_pilots.csv

One row a scenario, estimator, measure and method, with every condition it depends on. The seed is the study template's;
it was not chosen among others.
"""

from __future__ import annotations

import argparse
import logging
import time
from dataclasses import asdict
from pathlib import Path

from tools.monte_carlo.each_pilot import every_pilots_rate
from tools.monte_carlo.few_pilots import FewRate, every_few_rate
from tools.monte_carlo.rates_file import write_rates

SEED = 20210101

logger = logging.getLogger("monte_carlo_few")


def main() -> None:
    """Runs every scenario and writes the table, also while it grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", choices=("few", "each_pilot"), default="few")
    parser.add_argument("--replications", type=int, default=4_000)
    parser.add_argument("--permutations", type=int, default=199)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    few = options.of == "few"
    knobs = {name: getattr(options, name) for name in ("replications", "seed")}
    knobs |= {"permutations": options.permutations} if few else {}
    records, started = [], time.perf_counter()
    for rates in every_few_rate(**knobs) if few else every_pilots_rate(**knobs):
        records += [_record(rate) | knobs for rate in rates]
        shares = ", ".join(f"{rate.estimator} {rate.measure} {rate.method} {rate.value:.3f}" for rate in rates)
        logger.info("%5.0f s  %s, %s", time.perf_counter() - started, rates[0].scenario.name, shares)
        write_rates(options.out, records)


def _record(rate: FewRate) -> dict[str, object]:
    scenario = asdict(rate.scenario)
    conditions = scenario.pop("conditions")
    starts = " ".join(map(str, scenario.pop("starts")))
    measured = {name: getattr(rate, name) for name in ("estimator", "measure", "method", "value", "mc_se")}
    record: dict[str, object] = (
        {"scenario": scenario.pop("name")} | measured | {"starts": starts} | scenario | conditions
    )
    return record


if __name__ == "__main__":
    main()
