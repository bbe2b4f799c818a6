"""The package against the yardstick, an independent version of the same study in DuckDB and pyfixest.

The whole study runs twice, with every switch: minutes, so `make yardstick` and not every gate.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from sos_spark.analysis.declared import main_specification, specifications
from sos_spark.analysis.specification import fit_specification
from sos_spark.config.environment import Environment
from sos_spark.config.load import load_study
from sos_spark.places import require_local
from sos_spark.steps.cohort import cohort
from sos_spark.steps.context import Run
from sos_spark.steps.ingest import ingest
from sos_spark.steps.outcome import outcome
from sos_spark.steps.panel import panel
from sos_spark.steps.validate import validate
from tests.oracle.faulty_tables import write_faulty_tables
from tests.oracle.yardstick.fits import fit_all
from tests.oracle.yardstick.run import Steps, rows_for_fits, run_data
from tests.oracle.yardstick.study import read_study
from tests.oracle.yardstick_comparison import NOT_ON_ROWS, differences, estimates_differ, read_cells

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.environ.get("SOS_SPARK_YARDSTICK") != "1", reason="runs the study twice: make yardstick"),
]

CONF = Path(__file__).parents[2] / "conf"
KEY = b"a key of the tests, 32 bytes long"
PILOTS = ("304", "801", "855", "926", "938")
COMPARATORS = ("212", "311", "384", "872", "909", "925", "935")
MISSING = (("925", 2016), ("212", 2020))
STUDY = """
schema_version = 1
study_id = "yardstick"
title = "Every kind of outcome and every switch"
[window]
baseline = ["2013-04-01", "2015-04-01"]
follow_up = ["2015-07-01", "2020-04-01"]
period = "quarter"
data_ends = "2020-02-29"
[population]
age_max = 15
incomplete_units = "drop"
PILOTS
[[outcomes]]
outcome_id = "duration"
kind = "assessment_duration"
[[outcomes]]
outcome_id = "within"
kind = "assessment_within"
[[outcomes]]
outcome_id = "again"
kind = "rereferral_nfa"
[[outcomes]]
outcome_id = "escalated"
kind = "rereferral_escalated"
[[outcomes]]
outcome_id = "kinship"
kind = "kinship_placement"
[[outcomes]]
outcome_id = "conference"
kind = "icpc"
[covariates]
categorical = ["sex", "primary_need"]
lone_levels = "merge"
missing = "indicator"
[inference]
draws = 99
permutations = 99
[sensitivity]
go_live = ["2014-10-01"]
comparators = ["matched"]
placebo_dates = ["2014-04-01"]
outcome_switches = [
    { outcome_id = "duration", days = "calendar", follow_up_days = 30 },
    { outcome_id = "duration", follow_up_days = 0 },
    { outcome_id = "duration", mean = "restricted" },
    { outcome_id = "within", days = 10 },
    { outcome_id = "again", nfa = "at_referral" },
    { outcome_id = "again", nfa = "after_assessment", within_months = 12 },
    { outcome_id = "again", from = "referral", within_months = 3 },
    { outcome_id = "escalated", estimand = "conditional" },
    { outcome_id = "escalated", from = "referral", within_months = 12, escalate_within_months = 1 },
    { outcome_id = "kinship", unit = "stock" },
    { outcome_id = "kinship", unit = "stock", denominator = "foster" },
    { outcome_id = "kinship", denominator = "foster" },
    { outcome_id = "kinship", count_parents = false },
    { outcome_id = "conference", index = "section47" },
    { outcome_id = "conference", within_months = 1 },
]
"""


@dataclass(frozen=True)
class Both:
    """Where the package and the yardstick left their results of one source, and the estimates of both."""

    lake: Path
    cells: pd.DataFrame
    out: Path
    yardstick_cells: pd.DataFrame
    estimates: pd.DataFrame
    yardstick_estimates: pd.DataFrame


def run_both(spark: SparkSession, source: Path, folder: Path, study_text: str) -> Both:
    """Runs the study from one source twice."""
    path, key = folder / "study.toml", folder / "key"
    path.write_text(study_text)
    key.touch(mode=0o600)
    key.write_bytes(KEY)
    study = load_study(path)
    run = Run(
        "run",
        Environment(source, folder / "lake", folder / "out", key_file=key, keep_index_rows=True),
        study,
        lambda: spark,
    )
    for step in (ingest, validate, cohort, outcome, panel):
        assert not step(run).exit_code
    their_study = read_study(path)
    theirs = folder / "yardstick"
    db = run_data(source, their_study, theirs, key=KEY, steps=Steps())
    cells = read_cells(folder / "out" / "cells.csv")
    fitted = [
        fit_specification(cells, one).to_frame()
        for outcome_id in study.outcome_ids
        for one in (main_specification(study, outcome_id), *specifications(study, outcome_id))
        if one.name not in NOT_ON_ROWS
    ]
    fits = fit_all(db, their_study, rows_for_fits(db, their_study, theirs))
    db.close()
    lake = require_local(run.lake_root, what="The lake")
    return Both(
        lake, cells, theirs, read_cells(theirs / "cells.csv"), pd.concat(fitted, ignore_index=True), fits
    )  # fmt: skip


def pilots(codes: Sequence[str], go_live: str = "2015-04-01") -> str:
    return "".join(f'[[pilots]]\nla_code = "{code}"\ngo_live = {go_live}\n' for code in codes)


@pytest.fixture(scope="module")
def tiny(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Twelve authorities' returns with a fault in one row of ten, and two returns that are missing."""
    folder = tmp_path_factory.mktemp("yardstick")
    write_faulty_tables(
        folder / "source", la_codes=(*PILOTS, *COMPARATORS), scale=1 / 150, seed=3, share=0.1, missing=MISSING
    )
    return run_both(spark, folder / "source", folder, STUDY.replace("PILOTS", pilots(PILOTS)))


def test_every_row_of_every_table_is_the_same(tiny: Both) -> None:
    assert differences(tiny.lake, tiny.out) == {}


def test_the_faults_reach_most_rules_and_reasons(tiny: Both) -> None:
    broken = pd.read_csv(tiny.out / "rule_counts.csv")
    assert len(broken[["entity", "rule_code"]].drop_duplicates()) > 40
    reasons = duckdb.execute(f"SELECT DISTINCT reason FROM '{tiny.out}/index_rows/*.parquet'").fetchall()
    assert len(reasons) > 12


def test_cells_are_the_same(tiny: Both) -> None:
    assert len(tiny.cells) > 1000
    pd.testing.assert_frame_equal(tiny.cells, tiny.yardstick_cells)


def test_estimates_are_those_of_the_rows(tiny: Both) -> None:
    assert len(tiny.yardstick_estimates) > 40
    assert estimates_differ(tiny.estimates, tiny.yardstick_estimates) == []
