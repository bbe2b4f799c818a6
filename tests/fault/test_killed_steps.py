"""Steps that end without a word between two writes: given again, they leave what undisturbed ones leave.

`tools/trust/kill_runs.py` kills processes, at any moment of every step; here a step is left at a seeded write by an
exception that nothing catches, in this process.
"""

from __future__ import annotations

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
from sos_spark.tables import FILES, SILVER_REFERRALS, TABLES, Table
from tests.builders import a_referral, a_study, frame, returns

N_KILLS, SEED = 5, 20210101
STEPS = ("cohort", "outcome", "panel")


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
        patch.setattr(Lake, "_save", around(Lake._save, "writing"))
        yield seen


def run_steps(spark: SparkSession, root: Path, out: Path) -> None:
    run = Run("run", Environment(lake=root, out=out), a_study(), lambda: spark)
    for step in STEPS:
        step_function(step)(run)


def contents(root: Path, out: Path) -> dict[str, object]:
    """The rows of every table, whatever their order, and the cells as exported."""
    held = [table for table in TABLES.values() if Lake(root).exists(table)]
    rows = {table.name: sorted(map(str, read_arrow(root, table).to_pylist())) for table in held}
    return rows | {"cells.csv": (out / "cells.csv").read_bytes()}


def a_lake(spark: SparkSession, root: Path) -> Path:
    lake = Lake(root)
    lake.overwrite(frame(spark, FILES, returns(2013, 2020)), FILES, fingerprint="files")
    referrals = [a_referral("2014-05-01", nfa=True, child="a"), a_referral("2015-05-01", nfa=True, child="b", age=3)]
    lake.overwrite(frame(spark, SILVER_REFERRALS, referrals), SILVER_REFERRALS, fingerprint="referrals")
    return root


@pytest.mark.slow
def test_five_kills_at_seeded_moments_leave_what_an_undisturbed_run_leaves(spark: SparkSession, tmp_path: Path) -> None:
    undisturbed, killed = a_lake(spark, tmp_path / "undisturbed"), a_lake(spark, tmp_path / "killed")
    with moments() as all_of_them:
        run_steps(spark, undisturbed, tmp_path / "out")
    drawn = sorted(random.Random(SEED).sample(range(len(all_of_them)), N_KILLS))

    for place in drawn:
        with moments(last=all_of_them[place]), pytest.raises(KilledError):
            run_steps(spark, killed, tmp_path / "killed_out")
    assert not (tmp_path / "killed_out" / "cells.csv").exists(), "killed before the end"
    run_steps(spark, killed, tmp_path / "killed_out")

    assert contents(killed, tmp_path / "killed_out") == contents(undisturbed, tmp_path / "out")
