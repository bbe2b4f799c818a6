"""What a report prints on each kind of design, and how often it is wrong: every p-value and interval of a main effect.

    python -m tools.monte_carlo.printed --replications 1000 --out tests/oracle/monte_carlo_printed.csv

Panels are those of `few_pilots` and `dominant`, of one go-live with four years before it, without an effect. Each is
given to the code that a run fits with, so that what a rule leaves blank is not printed here either. An effect that is
added to every treated row moves estimates and intervals alike, so that coverage of none is coverage of any; only 'no
change of a size that matters' is asked of panels with an effect of that very size.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd

from sos_spark.analysis.other_inference import other_inference_frame
from sos_spark.analysis.pilots import each_pilot
from sos_spark.analysis.pretrend import slope_before
from sos_spark.config.study import Design, Inference
from sos_spark.fit.cells.prepare import Prepared
from sos_spark.fit.did import fit_prepared, p_equivalence
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.result import DidResult
from sos_spark.fit.synthetic import synthetic_result
from sos_spark.fit.welch import welch_as_it_holds
from tools.monte_carlo.dominant import Dominated
from tools.monte_carlo.dominant import simulate as simulate_dominated
from tools.monte_carlo.few_pilots import BOUND, FewPilots, planted
from tools.monte_carlo.few_pilots import simulate as simulate_alike
from tools.monte_carlo.main_design import ALPHA, Conditions
from tools.monte_carlo.rates_file import write_rates

SEED = 20210101
CONDITIONS = Conditions(years_before=4)
DRAWS, PERMUTATIONS, REFITS = 399, 199, 39

logger = logging.getLogger("monte_carlo_printed")

Simulates = Callable[[np.random.Generator], PreparedPanel]
Printed = tuple[float, float, float]
"""A p-value and the ends of an interval; NaN where there is none."""

_NAN = float("nan")


def _alike(n: int, times: float = 1.0) -> Simulates:
    scenario = FewPilots("x", (CONDITIONS.years_before,) * n, shock_ratio=times, conditions=CONDITIONS)
    return partial(simulate_alike, scenario)


def _large(scenario: Dominated) -> Simulates:
    return partial(simulate_dominated, scenario, conditions=CONDITIONS)


DESIGNS: dict[str, Simulates] = {
    "9 of 60": _alike(9),
    "4 of 60": _alike(4),
    "2 of 60": _alike(2),
    "9 of 60, one with 35 % of the pilots' rows": _large(Dominated(9, 0.35, "pilots")),
    "9 of 60, one with 35 % of all rows": _large(Dominated(9, 0.35, "all")),
    "9 of 60, treated shocks doubled": _alike(9, 2.0),
    "4 of 60, treated shocks doubled": _alike(4, 2.0),
    "2 of 60, treated shocks doubled": _alike(2, 2.0),
}


@dataclass(frozen=True)
class PrintedRate:
    """Shares of replications; of what is several to a panel (pilots, event times) of them all.

    `printed`: there is a p-value or an interval. `rejected`: printed, and 'no effect' rejected, or what is not so
    claimed; NaN where it has no p-value. `covered`: of the intervals that are printed those that hold what is true; NaN
    where none is.
    """

    design: str
    kind: str
    printed: float
    rejected: float
    covered: float
    replications: int
    draws: int
    permutations: int
    seed: int


def printed_of(panel: PreparedPanel, *, seed: int) -> Iterator[tuple[str, Printed]]:
    """Yields each kind of p-value and interval that a report prints of a panel without an effect, by its name."""
    inference = Inference(draws=DRAWS, permutations=PERMUTATIONS, seed=seed)
    for weights in ("child", "la_equal"):
        own = inference.model_copy(update={"weights": weights})
        main = fit_prepared(_prepared(panel), design=_DESIGN, inference=own)
        yield from _of_result(main, "" if weights == "child" else ", authorities equal")
        if weights == "child":
            yield "no change that matters", (_equivalence(main, own), _NAN, _NAN)
            yield from _beside(main, inference)


def _equivalence(main: DidResult, inference: Inference) -> float:
    """Returns p of 'as large as BOUND' where it is: CR2's error does not change with an effect, permutations' does."""
    if main.headline == "p_wcr":
        return p_equivalence(replace(main, att=main.att + BOUND), bound=BOUND)
    moved = planted(main.fitted.panel, BOUND)  # type: ignore[union-attr]
    return fit_prepared(_prepared(moved), design=_DESIGN, inference=inference).p_equivalence


def _of_result(main: DidResult, suffix: str) -> Iterator[tuple[str, Printed]]:
    rule = _NAN if main.significant is None else 0.0 if main.significant else 1.0
    by_ri = main.headline == "p_ri"
    ends = (main.ci_low_ri, main.ci_high_ri) if by_ri else (main.ci_low_wcr, main.ci_high_wcr)
    yield f"headline{suffix}", (rule, *ends)
    yield f"bootstrap{suffix}", (main.p_wcr, main.ci_low_wcr, main.ci_high_wcr)
    yield f"CR2{suffix}", (main.p_cr2, main.ci_low_cr2, main.ci_high_cr2)
    yield f"permuted go-lives{suffix}", (main.p_ri, main.ci_low_ri, main.ci_high_ri)


def _beside(main: DidResult, inference: Inference) -> Iterator[tuple[str, Printed]]:
    panel, study = main.fitted.panel, main.event_study_result  # type: ignore[union-attr]
    rows = [row for row in study.rows if row.event_time != study.reference]  # type: ignore[union-attr]
    for row in rows:
        yield "one event time", (_NAN, row.ci_low, row.ci_high)
    lows, highs = (np.array([getattr(row, end) for row in rows]) for end in ("band_low", "band_high"))
    yield "band of all event times", (_NAN, lows.max(), highs.min())
    yield "no difference before go-live", (study.p_pretrend, _NAN, _NAN)  # type: ignore[union-attr]
    slope = slope_before(main.fitted, smallest_effect=None, inference=inference)  # type: ignore[arg-type]
    yield "drift before go-live", (_NAN, slope.ci_low, slope.ci_high)
    for other in other_inference_frame(main, methods=("cr3_t", "wcr_33"), inference=inference).to_dict("records"):
        p, low, high = (float(other[name]) for name in ("p", "ci_low", "ci_high"))
        yield {"cr3_t": "CR3", "wcr_33": "WCR-33"}[other["method"]], (p, low, high)
    pilots = each_pilot(panel, weights="child")
    for one in pilots.effects:
        yield "each pilot", (one.p, one.att - one.margin, one.att + one.margin)
    pool = pilots.pooled
    yield "the pilots' mean", (_NAN, *pool.interval)
    yield "a next pilot", (_NAN, *pool.prediction)
    yield "how far pilots differ", (_NAN, *pool.sd_interval)
    welch = welch_as_it_holds(panel)
    yield "means without a model", (welch.p, *welch.interval())
    yield "means, one variance", (welch.p_pooled, *welch.pooled_interval())
    few = inference.model_copy(update={"permutations": REFITS})
    synthetic = synthetic_result(_prepared(panel), design=_DESIGN, inference=few)
    yield "synthetic comparators", (synthetic.p_ri, _NAN, _NAN)


_DESIGN = Design.model_validate(
    {
        "outcome_id": "o",
        "window": {
            "baseline": ["2011-04-01", "2015-04-01"],
            "follow_up": ["2015-04-01", "2020-04-01"],
            "period": "year",
            "data_ends": "2020-03-31",
        },
        "pilots": [{"la_code": "201", "go_live": "2015-04-01"}],
        "smallest_effect_of_interest": BOUND,
    }
)
"""What is fitted takes its pilots from the panel; the design gives the smallest effect of interest."""


def _prepared(panel: PreparedPanel) -> Prepared:
    return Prepared(panel, arms={}, gtimes={}, matched={}, balance=pd.DataFrame())


def replicate(name: str, replication: int, *, seed: int) -> list[tuple[str, Printed]]:
    """Returns what is printed of one panel of a design; it depends on seed, design and number only."""
    random = np.random.default_rng([seed, crc32(name.encode()), replication])
    panel = DESIGNS[name](random)
    return list(printed_of(panel, seed=int(random.integers(2**31))))


def rates_of(name: str, replications: Sequence[Sequence[tuple[str, Printed]]], *, seed: int) -> list[PrintedRate]:
    """Returns the shares of one design, by kind, in the order in which they are printed."""
    found: dict[str, list[Printed]] = {}
    for printed in replications:
        for kind, numbers in printed:
            found.setdefault(kind, []).append(numbers)
    knobs = {"replications": len(replications), "draws": DRAWS, "permutations": PERMUTATIONS, "seed": seed}
    rates = []
    for kind, each in found.items():
        p, low, high = np.array(each, dtype=float).T
        has_p, has_ends = ~np.isnan(p), ~np.isnan(low)
        covered = (low <= 0) & (high >= 0)
        rates.append(
            PrintedRate(
                design=name,
                kind=kind,
                printed=float((has_p | has_ends).mean()),
                rejected=float(np.mean(p <= ALPHA)) if has_p.any() else _NAN,
                covered=float(covered[has_ends].mean()) if has_ends.any() else _NAN,
                **knobs,
            )
        )
    return rates


def main() -> None:
    """Runs every design, or those asked for, and writes the table, again after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", action="append", default=[], help="the name of a design; all of them if not given")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rows: list[dict[str, object]] = []
    started = time.perf_counter()
    for name in options.only or DESIGNS:
        made = [replicate(name, number, seed=options.seed) for number in range(options.replications)]
        rates = rates_of(name, made, seed=options.seed)
        rows += [{key: "" if value != value else value for key, value in asdict(rate).items()} for rate in rates]
        logger.info("%5.0f s  %s", time.perf_counter() - started, name)
        write_rates(options.out, rows)


if __name__ == "__main__":
    main()
