"""Steps that end without a word between two writes: given again, they leave what undisturbed ones leave.

`tools/trust/kill_runs.py` kills processes, at any moment of every step; here a step is left at a seeded write by an
exception that nothing catches, in this process.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sos_spark.config.environment import Environment
from sos_spark.lake import lake as lake_module
from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.lake import Lake
from sos_spark.steps.context import Run
from sos_spark.steps.pipeline import step_function
from sos_spark.tables import (
    COHORT_OBSERVED,
    COHORT_UNITS,
    FILES,
    OUTCOME_FLOW,
    OUTCOME_SUMS,
    PANEL_CELLS,
    PANEL_MOMENTS,
    SILVER_REFERRALS,
    Table,
)
from tests.builders import a_referral, a_study, frame, returns

N_KILLS, SEED = 5, 20210101
MADE = {
    "cohort": (COHORT_UNITS, COHORT_OBSERVED),
    "outcome": (OUTCOME_SUMS,),
    "panel": (PANEL_CELLS, PANEL_MOMENTS, OUTCOME_FLOW),
}
"""What each step writes, in its order."""
PASSED = ("before writing", "before declaring", "after declaring", "after writing")


class KilledError(BaseException):
    """The end of a process: no handler of errors is one of it."""


@contextmanager
def moments(*, last: str = "") -> Iterator[list[str]]:
    """Gives the moments that pass: before and after a table is declared, and rows are written to it.

    Raises:
        KilledError: At the one called `last`.
    """
    seen: list[str] = []

    def pass_by(moment: str) -> None:
        seen.append(moment)
        if moment == last:
            raise KilledError(moment)

    def around(real: Callable[..., object], what: str) -> Callable[..., object]:
        def call(*given: object, **named: object) -> object:
            (table,) = (one.name for one in given if isinstance(one, Table))
            pass_by(f"before {what} {table}")
            made = real(*given, **named)
            pass_by(f"after {what} {table}")
            return made

        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lake_module, "declare", around(lake_module.declare, "declaring"))
        for writer in ("overwrite", "replace", "put", "adopt", "take_files"):
            patch.setattr(Lake, writer, around(getattr(Lake, writer), "writing"))
        yield seen


def run_step(spark: SparkSession, name: str, root: Path, out: Path) -> None:
    study = a_study(covariates={"categorical": ["age_band"]})
    step_function(name)(Run("run", Environment(lake=root, out=out), study, lambda: spark))


def a_lake(spark: SparkSession, root: Path) -> Path:
    lake = Lake(root)
    lake.overwrite(frame(spark, FILES, returns(2013, 2020)), FILES, fingerprint="files")
    referrals = [a_referral("2014-05-01", nfa=True, child="a"), a_referral("2015-05-01", nfa=True, child="b", age=3)]
    lake.overwrite(frame(spark, SILVER_REFERRALS, referrals), SILVER_REFERRALS, fingerprint="referrals")
    return root


@pytest.mark.slow
def test_five_kills_at_seeded_moments_leave_what_an_undisturbed_run_leaves(spark: SparkSession, tmp_path: Path) -> None:
    lake, out = a_lake(spark, tmp_path / "lake"), tmp_path / "out"
    all_moments = [
        (step, f"{what} {table.name}") for step, tables in MADE.items() for table in tables for what in PASSED
    ]
    drawn = sorted(random.Random(SEED).sample(range(len(all_moments)), N_KILLS))

    for step in MADE:
        for moment in (moment for of, moment in (all_moments[place] for place in drawn) if of == step):
            with moments(last=moment), pytest.raises(KilledError):
                run_step(spark, step, lake, out)
        run_step(spark, step, lake, out)

    with (out / "cells.csv").open(newline="") as cells:
        rows = [(row["unit_id"], row["period"], row["n"], row["y_sum"]) for row in csv.DictReader(cells)]
    assert rows == [("926", "4", "1", "0"), ("926", "8", "1", "0")]
    flow = {(row["reason"], row["period"]): row["n_rows"] for row in read_arrow(lake, OUTCOME_FLOW).to_pylist()}
    assert flow == {("analysed", 4): 1, ("analysed", 8): 1}
    written = {table.name: len(Lake(lake).history(table)) for tables in MADE.values() for table in tables}
    assert written == dict.fromkeys(written, 1), "no table was committed twice"
