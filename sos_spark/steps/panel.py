"""The step that makes the panel and the flow from the sums of index rows, and writes cells.csv and durations.csv."""

from __future__ import annotations

import csv
from decimal import Decimal
from io import TextIOWrapper

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.config.variants import variants
from sos_spark.panel.collapse import cells_of, flow_of, moments_of
from sos_spark.panel.table import cells_with_moments
from sos_spark.places import Place
from sos_spark.steps.cells_file import durations_of_lake
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.guarded_csv import guarded_text
from sos_spark.steps.provenance import made_from, versions_of
from sos_spark.steps.published import write_published_cells
from sos_spark.steps.result_tables import write_table
from sos_spark.steps.results import result_file
from sos_spark.steps.simulated import panel_is_simulated, write_sidecar
from sos_spark.tables import COHORT_UNITS, OUTCOME_FLOW, OUTCOME_SUMS, PANEL_CELLS, PANEL_MOMENTS
from sos_spark.tables.results import DURATIONS


def panel(run: Run) -> StepReport:
    """Writes the study's panel.cells, panel.moments and outcome.flow, and its cells as `<out>/cells.csv`.

    The days of outcomes that are lengths go beside them, as durations.csv. What their columns do not say, whether they
    come from simulated returns, stands in cells.provenance.json.

    Cells of published outcomes come from published tables instead of index rows.

    Raises:
        StudyError: The study names covariates that records do not have.
        InputError: The lake lacks outcome.sums.
    """
    study, lake, spark = run.the_study, run.lake, run.spark
    all_variants = variants(study)
    computed = [variant.outcome_id for variant in all_variants if variant.outcome.is_from_records]
    report = StepReport("panel")
    if computed:
        fingerprint = made_from(
            versions_of(lake, (OUTCOME_SUMS, COHORT_UNITS)),
            step=__name__,
            settings={"outcomes": computed, "study_id": study.study_id, "covariates": study.covariates.model_dump()},
        )
        own = F.col("study_id") == study.study_id
        sums = lake.read(spark, OUTCOME_SUMS).where(own & F.col("outcome_id").isin(computed))
        units = lake.read(spark, COHORT_UNITS).where(own)
        slices: list[dict[str, object]] = [{"study_id": study.study_id}]
        if len(computed) < len(all_variants):
            # Cells of published outcomes are of this study too.
            slices = [{"study_id": study.study_id, "outcome_id": outcome_id} for outcome_id in computed]
        lake.replace(cells_of(sums), PANEL_CELLS, slices=slices, fingerprint=fingerprint)
        lake.replace(moments_of(sums, study.covariates), PANEL_MOMENTS, slices=slices, fingerprint=fingerprint)
        lake.replace(flow_of(sums, units), OUTCOME_FLOW, slices=slices, fingerprint=fingerprint)
    write_published_cells(run)
    ids = [variant.outcome_id for variant in all_variants]
    mine = (F.col("study_id") == study.study_id) & F.col("outcome_id").isin(ids)
    cells = lake.read_or_empty(spark, PANEL_CELLS).where(mine)
    moments = lake.read_or_empty(spark, PANEL_MOMENTS).where(mine)
    n_cells = write_cells(cells_with_moments(cells, moments, study.covariates), run.out / "cells.csv")
    simulated = panel_is_simulated(run.lake_root, study)
    write_sidecar(run.out / "cells.csv", study_id=study.study_id, simulated=simulated)
    report.rows[PANEL_CELLS.name] = n_cells
    write_table(run.out, DURATIONS, durations_of_lake(run.lake_root, study))
    report.facts["is_simulated"] = simulated
    return report


def write_cells(cells: DataFrame, path: Place) -> int:
    """Writes cells, in their order, as CSV: blank where not known, Unix line ends. Returns their number.

    Rows are streamed a partition at a time, so that the driver never holds more than one.
    """
    n_cells = 0
    with result_file(path) as handle, TextIOWrapper(handle, encoding="utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(cells.columns)
        for row in cells.toLocalIterator():
            writer.writerow([_text(value) for value in row])
            n_cells += 1
    return n_cells


def _text(value: object) -> object:
    """Decimals without trailing zeros and never in exponent form; text that cannot start a formula."""
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return guarded_text(value)
