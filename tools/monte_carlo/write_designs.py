"""Writes size, coverage and bias of event-study coefficients and staggered estimators as a CSV file.

    python -m tools.monte_carlo.write_designs --replications 2000 --out tests/oracle/monte_carlo_designs.csv

One row a design, scenario, estimator, measure and method, with every condition it depends on. The seed is the study
template's; it was not chosen among others.
"""

from __future__ import annotations

import argparse
import logging
import time
from dataclasses import asdict
from pathlib import Path

from tools.monte_carlo.designs import DesignRate, every_design_rate
from tools.monte_carlo.rates_file import write_rates

SEED = 20210101

logger = logging.getLogger("monte_carlo_designs")


def main() -> None:
    """Runs every scenario and writes the table, also while it grows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=2_000)
    parser.add_argument("--draws", type=int, default=399, help="sign vectors of each bootstrap")
    parser.add_argument("--permutations", type=int, default=39, help="39: p <= 0.05 is exact")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", action="append", default=[], help="a scenario by name; its rows alone")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    knobs = {name: getattr(options, name) for name in ("replications", "draws", "permutations", "seed")}
    records, started = [], time.perf_counter()
    for rates in every_design_rate(**knobs, only=options.only):
        records += [_record(rate) | knobs for rate in rates]
        shares = ", ".join(f"{rate.estimator} {rate.measure} {rate.method} {rate.value:.3f}" for rate in rates)
        logger.info("%5.0f s  %s, %s", time.perf_counter() - started, rates[0].scenario.name, shares)
        write_rates(options.out, records)


def _record(rate: DesignRate) -> dict[str, object]:
    scenario = asdict(rate.scenario)
    conditions = scenario.pop("conditions")
    lists = {name: " ".join(map(str, scenario.pop(name))) for name in ("starts", "sizes")}
    measured = {name: getattr(rate, name) for name in ("estimator", "measure", "method", "value", "mc_se")}
    record: dict[str, object] = (
        {"design": rate.design, "scenario": scenario.pop("name")} | measured | lists | scenario | conditions
    )
    return record


if __name__ == "__main__":
    main()
