"""The step: what the lake holds is checked, verdicts are kept, a failed layer stops the run."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sos_spark.config.environment import Environment
from sos_spark.config.load import load_study
from sos_spark.config.shipped import conf_root
from sos_spark.errors import QualityGateError
from sos_spark.steps.context import Run
from sos_spark.steps.quality import check_layer
from sos_spark.tables import DQ_RESULTS, PANEL_CELLS

STUDY = load_study(conf_root() / "studies" / "family_safeguarding.toml")


def a_run(lake: Path, spark: SparkSession, run_id: str = "run-1") -> Run:
    return Run(run_id, Environment(lake=lake), STUDY, lambda: spark)


def write_cells(run: Run, *cells: tuple[str, str]) -> None:
    """Cells of (study_id, sex)."""
    rows = [(study, "o", "926", 0, date(2015, 4, 1), "0", sex, None, None, 2, 1, 1) for study, sex in cells]
    run.lake.overwrite(run.spark.createDataFrame(rows, PANEL_CELLS.schema()), PANEL_CELLS, fingerprint=repr(cells))


def test_a_layer_the_lake_lacks_has_nothing_to_check(tmp_path: Path, spark: SparkSession) -> None:
    run = a_run(tmp_path, spark)
    assert check_layer(run, "silver").facts == {}
    assert not run.lake.exists(DQ_RESULTS)


def test_verdicts_are_kept_and_only_the_studys_own_rows_are_checked(tmp_path: Path, spark: SparkSession) -> None:
    run = a_run(tmp_path / "lake", spark)
    write_cells(run, (STUDY.study_id, "male"), ("another_study", "CANARY"))
    report = check_layer(run, "panel")
    assert report.facts["n_not_met"] == 0
    check_layer(run, "panel")
    kept = run.lake.read(spark, DQ_RESULTS).collect()
    assert len(kept) == report.facts["n_expectations"]
    assert {(row.run_id, row.suite, row.passed) for row in kept} == {("run-1", "panel.cells", True)}


def test_a_failed_layer_stops_the_run_and_its_verdicts_are_kept(tmp_path: Path, spark: SparkSession) -> None:
    run = a_run(tmp_path / "lake", spark)
    write_cells(run, (STUDY.study_id, "CANARY"))
    with pytest.raises(QualityGateError, match=r"error in panel\.cells, sex_unknown") as caught:
        check_layer(run, "panel")
    assert "CANARY" not in str(caught.value)
    failed = run.lake.read(spark, DQ_RESULTS).where("NOT passed").collect()
    assert [(row.column, row.severity) for row in failed] == [("sex", "error")]
