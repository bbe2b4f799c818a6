"""cohort, outcome and panel on a lake: from silver to cells.csv, and again without a change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sos_spark.config.environment import Environment
from sos_spark.config.study import Study
from sos_spark.errors import InputError
from sos_spark.lake.lake import Lake
from sos_spark.steps.cohort import cohort
from sos_spark.steps.context import Run
from sos_spark.steps.outcome import outcome
from sos_spark.steps.panel import panel
from sos_spark.tables import (
    COHORT_OBSERVED,
    COHORT_UNITS,
    FILES,
    OUTCOME_FLOW,
    OUTCOME_INDEX_ROWS,
    OUTCOME_SUMS,
    PANEL_CELLS,
    PANEL_MOMENTS,
    SILVER_REFERRALS,
)
from tests.builders import a_referral, a_study, frame, returns

WRITTEN = (COHORT_UNITS, COHORT_OBSERVED, OUTCOME_SUMS, OUTCOME_FLOW, PANEL_CELLS, PANEL_MOMENTS)


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Iterator[Lake]:
    lake = Lake(tmp_path / "lake")
    lake.overwrite(frame(spark, FILES, returns(2013, 2020)), FILES, fingerprint="files")
    referrals = [
        a_referral("2014-05-01", nfa=True, child="a"),
        a_referral("2014-06-01", child="a"),
        a_referral("2015-05-01", nfa=True, child="b", age=3),
        a_referral("2020-01-01", nfa=True, child="c"),
    ]
    lake.overwrite(frame(spark, SILVER_REFERRALS, referrals), SILVER_REFERRALS, fingerprint="referrals")
    yield lake
    spark.catalog.clearCache()


def run_steps(spark: SparkSession, lake: Lake, study: Study, out: Path, *, keep: bool = False) -> dict[str, int]:
    """Runs the three steps. Returns rows by table."""
    run = Run("run", Environment(lake=lake.root, out=out, keep_index_rows=keep), study, lambda: spark)
    rows: dict[str, int] = {}
    for step in (cohort, outcome, panel):
        rows |= step(run).rows
    return rows


def _outcomes(spark: SparkSession, lake: Lake) -> set[tuple[str, str]]:
    return {(row.study_id, row.outcome_id) for row in lake.read(spark, PANEL_CELLS).collect()}


@pytest.mark.slow
def test_from_silver_to_cells_twice(spark: SparkSession, lake: Lake, tmp_path: Path) -> None:
    switches = [{"outcome_id": "o", "within_months": 12}]
    study = a_study(
        covariates={"categorical": ["age_band"], "continuous": [{"name": "age_years", "centre": 5}]},
        sensitivity__outcome_switches=switches,
    )
    rows = run_steps(spark, lake, study, tmp_path)
    assert rows["outcome.sums"] == 6
    assert not lake.exists(OUTCOME_INDEX_ROWS)
    assert rows["panel.cells"] == 4
    alternative = "o~within_months=12"
    head, *lines = (tmp_path / "cells.csv").read_text().splitlines()
    assert head.startswith("study_id,outcome_id,unit_id,period,period_start,age_band,n,y_sum,y_sumsq,age_years__sum")
    assert lines == [
        "s,o,926,4,2014-04-01,5-9,1,1,1,2,4,2",
        "s,o,926,8,2015-04-01,1-4,1,0,0,-2,4,0",
        f"s,{alternative},926,4,2014-04-01,5-9,1,1,1,2,4,2",
        f"s,{alternative},926,8,2015-04-01,1-4,1,0,0,-2,4,0",
    ]
    flow = {(r.outcome_id, r.reason, r.period): r.n_rows for r in lake.read(spark, OUTCOME_FLOW).collect()}
    assert flow == {(name, reason, period): 1 for name in ("o", alternative) for reason, period in
                    (("analysed", 4), ("analysed", 8), ("not_fully_observed", 27))}  # fmt: skip

    versions = {table.name: lake.version(table) for table in WRITTEN}
    first = (tmp_path / "cells.csv").read_bytes()
    run_steps(spark, lake, study, tmp_path)
    assert {table.name: lake.version(table) for table in WRITTEN} == versions
    assert (tmp_path / "cells.csv").read_bytes() == first

    of_t = study.model_copy(update={"study_id": "t"})
    rows = run_steps(spark, lake, of_t, tmp_path / "t", keep=True)
    assert rows["outcome.index_rows"] == 6
    assert cells_but_study(tmp_path / "t" / "cells.csv") == cells_but_study(tmp_path / "cells.csv")
    assert _outcomes(spark, lake) == {("s", "o"), ("s", alternative), ("t", "o"), ("t", alternative)}

    run_steps(spark, lake, of_t.model_copy(update={"sensitivity": a_study().sensitivity}), tmp_path / "t")
    assert _outcomes(spark, lake) == {("s", "o"), ("s", alternative), ("t", "o")}, "what it no longer declares goes"
    assert lake.read(spark, OUTCOME_INDEX_ROWS).count() == 0, "rows that are no longer those of the sums go"


def cells_but_study(path: Path) -> list[str]:
    """The lines of cells, without the study's id."""
    return [line.partition(",")[2] for line in path.read_text().splitlines()]


def test_without_returns_there_is_no_cohort(spark: SparkSession, tmp_path: Path) -> None:
    run = Run("run", Environment(lake=tmp_path / "lake", out=tmp_path), a_study(), lambda: spark)
    with pytest.raises(InputError, match="sos-spark ingest"):
        cohort(run)
