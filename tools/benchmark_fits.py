"""Times five outcomes under ten specifications each, from a collapsed panel, and prints a table.

    python tools/benchmark_fits.py                 # every size, a fresh process each, so that peak memory is its own
    python tools/benchmark_fits.py --size large    # one size, in this process

Each specification is a whole fit with the study template's 99,999 sign vectors and 9,999 permutations: estimate, CR1,
CR2, CR3, iid and HC1 standard errors, wild bootstrap test and interval, randomisation inference. Each outcome's main
specification has its event study (joint test, simultaneous bands) and leave-one-out table besides, and the five
outcomes their Romano-Wolf p-values. Numbers are simulated; the seed is fixed. One BLAS thread, as on the command line.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from sos_spark.analysis.leave_one_out import leave_one_out
from sos_spark.config.periods import add_periods
from sos_spark.config.study import Comparators, Covariates, Design, Inference, Pilot, Window
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.cells.reading import read_panel
from sos_spark.fit.did import fit_prepared
from sos_spark.fit.inference.multiplicity import family_test

FIRST = date(2013, 4, 1)
N_PERIODS, GO_LIVE, N_PILOTS, N_OUTCOMES, SEED = 28, 8, 9, 5, 20210101
LEVELS = {"age_band": 5, "sex": 3, "primary_need": 8}


@dataclass(frozen=True)
class Size:
    """A panel: LAs, covariates that are cell keys, and rows expected of an LA and period."""

    name: str
    n_units: int
    covariates: tuple[str, ...]
    rows_a_cell: float = 180.0


SIZES = (
    Size("plain", 70, ()),
    Size("two", 70, ("age_band", "sex")),
    Size("three", 70, ("age_band", "sex", "primary_need")),
    Size("large", 150, ("age_band", "sex", "primary_need")),
)


def a_panel(size: Size, random: np.random.Generator) -> pd.DataFrame:
    """Returns the cells of all outcomes, the last one a duration in days, as a CSV would give them."""
    shape = (size.n_units, N_PERIODS, *(LEVELS[name] for name in size.covariates))
    unit, period, *levels = (index.ravel() for index in np.indices(shape))
    starts = np.array([add_periods(FIRST, k, "quarter").isoformat() for k in range(N_PERIODS)], dtype=object)
    frames = []
    for outcome in range(N_OUTCOMES):
        per_cell = size.rows_a_cell * np.exp(random.normal(0, 0.6, size.n_units)) / np.prod(shape[2:], initial=1)
        shares = [random.dirichlet(np.full(n, 2.0)) * n for n in shape[2:]]
        expected = per_cell[unit] * np.prod([s[level] for s, level in zip(shares, levels, strict=True)], axis=0)
        n = random.poisson(expected)
        chance = np.clip(0.25 + random.normal(0, 0.05, shape[:2])[unit, period], 0.01, 0.99)
        y_sum = random.binomial(n, chance)
        y_sumsq = y_sum
        if outcome == N_OUTCOMES - 1:
            y_sum = random.poisson(40 * n * (1 + chance))
            y_sumsq = -(-(y_sum**2) // np.maximum(n, 1)) + 300 * n
        seen = n > 0
        columns = {"outcome_id": f"outcome_{outcome}", "unit_id": (201 + unit[seen]).astype(str)}
        columns |= {"period": period[seen].astype(str), "period_start": starts[period[seen]]}
        columns |= {name: (level[seen] + 1).astype(str) for name, level in zip(size.covariates, levels, strict=True)}
        columns |= {"n": n[seen], "y_sum": y_sum[seen], "y_sumsq": y_sumsq[seen]}
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def specifications(size: Size, outcome_id: str) -> Iterator[tuple[str, Design, Inference]]:
    """Yields ten specifications of one outcome: main first, then weights, covariates, comparators and go-lives."""
    codes = [str(201 + k) for k in range(size.n_units)]
    main, inference = a_design(size, outcome_id), Inference(seed=SEED)
    yield "main", main, inference
    yield "la_equal", main, inference.model_copy(update={"weights": "la_equal"})
    yield "unadjusted", main.model_copy(update={"covariates": Covariates()}), inference
    fewer = Covariates(categorical=size.covariates[:1])
    yield "one covariate", main.model_copy(update={"covariates": fewer}), inference
    half = Comparators(kind="listed", la_codes=tuple(codes[N_PILOTS::2]))
    yield "listed comparators", main.model_copy(update={"comparators": half}), inference
    for on in (("level", "trend"), ("level",)):
        matched = Comparators(kind="matched", k=3, on=on)
        yield f"matched on {' and '.join(on)}", main.model_copy(update={"comparators": matched}), inference
    for shift in (-4, -2, 2):
        yield f"go-live {shift:+d}", a_design(size, outcome_id, go_live=GO_LIVE + shift), inference


def a_design(size: Size, outcome_id: str, *, go_live: int = GO_LIVE) -> Design:
    """Returns a design in which the first nine LAs go live together."""
    starts = [add_periods(FIRST, k, "quarter") for k in (0, go_live, N_PERIODS)]
    return Design(
        outcome_id=outcome_id,
        window=Window(baseline=(starts[0], starts[1]), follow_up=(starts[1], starts[2]), data_ends=starts[2]),
        pilots=tuple(Pilot(la_code=str(201 + k), go_live=starts[1]) for k in range(N_PILOTS)),
        covariates=Covariates(categorical=size.covariates, lone_levels="merge"),
    )


def measure(size: Size) -> None:
    """Fits everything on one panel and prints its row of the table."""
    panel = read_panel(a_panel(size, np.random.default_rng(SEED)))
    before = _peak_megabytes()
    spent = dict.fromkeys(("prepare", "fits", "event studies", "the rest"), 0.0)
    mains, n_fits = {}, 0
    started, cpu = time.perf_counter(), time.process_time()
    for outcome in range(N_OUTCOMES):
        for name, design, inference in specifications(size, f"outcome_{outcome}"):
            marks = [time.perf_counter()]
            prepared = prepare(panel, design)
            marks.append(time.perf_counter())
            result = fit_prepared(prepared, design=design, inference=inference, specification=name)
            n_fits += 1
            marks.append(time.perf_counter())
            if name == "main" and result.fitted is not None:
                result.event_study()
                marks.append(time.perf_counter())
                leave_one_out(result.fitted)
                mains[design.outcome_id] = result.fitted.moments
                marks.append(time.perf_counter())
            for key, seconds in zip(spent, np.diff(marks), strict=False):
                spent[key] += float(seconds)
    last = time.perf_counter()
    family_test(mains, coefficient="treated", draws=Inference().draws, seed=SEED)
    spent["the rest"] += time.perf_counter() - last
    total, cpu = time.perf_counter() - started, time.process_time() - cpu
    sys.stdout.write(
        f"{size.name:<8}{size.n_units:>5}{len(size.covariates):>12}{len(panel):>12,}{n_fits:>6}"
        + "".join(f"{seconds:>15.1f}" for seconds in spent.values())
        + f"{total:>9.1f}{cpu:>8.1f}{before:>9.0f}{_peak_megabytes():>9.0f}\n"
    )


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=[size.name for size in SIZES], help="one size only, in this process")
    options = parser.parse_args()
    if options.size:
        measure(next(size for size in SIZES if size.name == options.size))
        return
    sys.stdout.write(
        f"{'size':<8}{'LAs':>5}{'covariates':>12}{'cells':>12}{'fits':>6}{'prepare, s':>15}{'fits, s':>15}"
        f"{'events, s':>15}{'the rest, s':>15}{'wall, s':>9}{'cpu, s':>8}{'MB read':>9}{'MB peak':>9}\n"
    )
    sys.stdout.flush()
    for size in SIZES:
        subprocess.run([sys.executable, __file__, "--size", size.name], check=True)


if __name__ == "__main__":
    main()
