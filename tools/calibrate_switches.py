"""Writes what a study's design could have found, for each switch.

    python -m tools.calibrate_switches --study conf/studies/signs_of_safety.toml --panel CELLS
        --every kinship_placement=-0.13 --replications 300 --out tests/oracle/signs_of_safety_calibration.csv

CELLS are the study's cells from `simulate --scale england`, so the numbers are of authorities of real size that scatter
as simulated ones do, and no finding of the study. One row per specification and planted effect, with its conditions: of
the outcomes named by --every all linear specifications, of the others the main one at its smallest effect of interest.
Rows with effect 0 say how often a change is reported where there is none. A share cannot fall below 0, so where
`baseline_mean` is smaller than a planted fall, less is planted.
"""

from __future__ import annotations

import argparse
import csv
import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sos_spark.analysis.calibration import Scatter, calibrate
from sos_spark.analysis.declared import Specification, main_specification, specifications
from sos_spark.analysis.specification import prepared_panel
from sos_spark.config.load import load_study
from sos_spark.config.study import Study
from sos_spark.errors import SosError
from sos_spark.fit.cells.reading import outcomes_in, read_panel
from sos_spark.fit.did import fit_prepared

logger = logging.getLogger("calibrate_switches")

Row = dict[str, Any]


def rows_of(
    panel: pd.DataFrame, specification: Specification, effects: Sequence[float], *, replications: int
) -> Iterator[Row]:
    """Yields the rows of one specification; one row with a note where it has nothing to compare."""
    design, inference = specification.design, specification.inference
    outcome = {"outcome_id": design.outcome_id, "specification": specification.name}
    try:
        prepared = prepared_panel(panel, specification)
        result = fit_prepared(prepared, design=design, inference=inference)
    except SosError as error:
        yield outcome | {"note": error.what}
        return
    scatter = Scatter.of(prepared.panel, seed=inference.seed)
    grid = effects or [effect for effect in (design.smallest_effect_of_interest,) if effect is not None]
    rates = calibrate(
        prepared.panel,
        scatter,
        grid,
        inference=inference,
        replications=replications,
        smallest_effect=design.smallest_effect_of_interest,
    )
    found = {(rate.measure, rate.effect): rate for rate in rates if rate.method == "headline"}
    for effect in dict.fromkeys((0.0, *grid)):
        reported = found["power" if effect else "size", effect]
        yield outcome | {
            "effect": effect,
            "reported": reported.value,
            "mc_se": reported.mc_se,
            "rated_strong": found["strong", effect].value,
            "coverage": found["coverage", effect].value,
            "detectable": result.mde,
            "baseline_mean": result.baseline_mean,
            "n_rows": result.n_rows,
            "n_clusters": result.n_clusters,
            "n_treated_clusters": result.n_treated_clusters,
            "treated_weight_max": result.treated_weight_max,
            "effective_clusters": result.effective_clusters,
            "sd_shock": scatter.estimated.sd_shock,
            "sd_shock_low": float(np.quantile(scatter.sd_shock, 0.025)),
            "sd_shock_high": float(np.quantile(scatter.sd_shock, 0.975)),
            "autocorrelation": scatter.estimated.autocorrelation,
            "replications": replications,
            "seed": inference.seed,
            "note": "",
        }


def every_row(
    panel: pd.DataFrame, study: Study, every: dict[str, list[float]], *, replications: int
) -> Iterator[list[Row]]:
    """Yields the table, a specification at a time: all linear ones of the outcomes in `every`, main of the others."""
    present = set(outcomes_in(panel))
    for outcome_id in study.outcome_ids:
        chosen = [main_specification(study, outcome_id)]
        if outcome_id in every:
            chosen += [one for one in specifications(study, outcome_id) if one.estimator == "main" and not one.before]
        for specification in chosen:
            if specification.panel_outcome_id in present:
                yield list(rows_of(panel, specification, every.get(outcome_id, []), replications=replications))


def main() -> None:
    """Runs every specification and writes the table, again after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, required=True)
    parser.add_argument("--panel", type=Path, required=True)
    parser.add_argument("--every", action="append", default=[], help="OUTCOME=EFFECT[,EFFECT]")
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    asked = dict(one.split("=", 1) for one in options.every)
    every = {outcome_id: [float(effect) for effect in effects.split(",")] for outcome_id, effects in asked.items()}
    study, records, started = load_study(options.study), list[Row](), time.perf_counter()
    panel = read_panel(options.panel)
    for rows in every_row(panel, study, every, replications=options.replications):
        records += rows
        logger.info("%5.0f s  %s", time.perf_counter() - started, rows[-1])
        columns = list(next((record for record in records if "effect" in record), records[0]))
        with options.out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(records)


if __name__ == "__main__":
    main()
