"""Checks a layer of the lake against its expectations, keeps the verdicts in dq.results, and stops a run that fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sos_spark.config.shipped import expectations_root
from sos_spark.lake.arrow import arrow_rows
from sos_spark.quality import Suite, Verdict, check_facts, find_failures, gate, load_suites
from sos_spark.quality.facts import RowsWithout
from sos_spark.quality.suites import Layer
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.facts import make_facts
from sos_spark.tables import DQ_RESULTS, FILES, TABLES

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def check_layer(run: Run, layer: Layer) -> StepReport:
    """Checks the tables of a layer that the lake holds; of a study's own tables, that study's rows.

    Raises:
        QualityGateError: An expectation of severity error failed. The verdicts are kept all the same.
        BrokenRuleError: An expectation cannot be evaluated.
    """
    suites = [suite for suite in load_suites(expectations_root(), layer) if run.lake.exists(TABLES[suite.table])]
    report = StepReport(f"quality {layer}")
    if not suites:
        return report
    tables = {suite.table: _with_places(run, _rows(run, suite.table)) for suite in suites}
    beside = {fact.table for suite in suites for fact in suite.facts.values() if isinstance(fact, RowsWithout)}
    besides = {name: _rows(run, name) for name in beside - tables.keys()}
    facts, report.facts["recomputed"] = make_facts(run, layer, suites, tables, beside=besides)
    verdicts = check_facts(facts, suites)
    _keep(run, layer, suites, verdicts)
    findings = find_failures(facts, suites, verdicts)
    report.warnings.extend(gate(findings, n_checked=len(verdicts)))
    report.facts |= {"n_expectations": len(verdicts), "n_not_met": len(findings)}
    report.facts["findings"] = [finding.as_json() for finding in findings]
    return report


def _rows(run: Run, table: str) -> DataFrame:
    from pyspark.sql import functions as F

    rows = run.lake.read_or_empty(run.spark, TABLES[table])
    if run.study is not None and "study_id" in rows.columns:
        return rows.where(F.col("study_id") == run.study.study_id)
    return rows


def _with_places(run: Run, rows: DataFrame) -> DataFrame:
    """Adds the authority and year of a row's file where the table knows its file only.

    Both are null for a file of several authorities or years.
    """
    from pyspark.sql import functions as F

    if "file_id" not in rows.columns or "la_code" in rows.columns or not run.lake.exists(FILES):
        return rows
    lone = [F.when(F.min(name) == F.max(name), F.min(name)).alias(name) for name in ("la_code", "census_year")]
    files = run.lake.read(run.spark, FILES).groupBy("file_id").agg(*lone)
    return rows.join(F.broadcast(files), "file_id", "left")


def _keep(run: Run, layer: Layer, suites: Sequence[Suite], verdicts: Sequence[Verdict]) -> None:
    """Adds the verdicts to dq.results; the same layer of the same run again replaces them."""
    rows = [(run.run_id, v.suite, v.expectation, v.column, v.severity, v.passed) for v in verdicts]
    made = arrow_rows(rows, DQ_RESULTS)
    checked = [suite.table for suite in suites]
    fingerprint = f"{run.run_id} {layer}"
    if _holds_verdicts(run, checked):
        slices = [{"run_id": run.run_id, "suite": suite} for suite in checked]
        frame = run.spark.createDataFrame(made, DQ_RESULTS.schema())
        run.lake.replace(frame, DQ_RESULTS, slices=slices, fingerprint=fingerprint)
    else:
        run.lake.put(made, DQ_RESULTS, fingerprint=fingerprint, beside=True)


def _holds_verdicts(run: Run, suites: Sequence[str]) -> bool:
    """Whether dq.results has verdicts of this run on any of the tables."""
    if not run.lake.exists(DQ_RESULTS):
        return False
    held = run.lake.arrow(DQ_RESULTS, where={"run_id": run.run_id})
    return bool(set(held.column("suite").to_pylist()) & set(suites))
