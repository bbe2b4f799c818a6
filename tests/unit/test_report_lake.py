"""The report's reading of the lake: collapsed tables only, those that are there, without Spark."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from sos_spark import tables
from sos_spark.config.environment import Environment
from sos_spark.lake import arrow, simulated, versions
from sos_spark.lake.arrow import arrow_schema
from sos_spark.lake.versions import table_path
from sos_spark.places import require_local
from sos_spark.steps import report as step
from sos_spark.steps.context import Run, StepReport
from sos_spark.tables import Table
from tests.unit import report_example as example


def put(lake: Path, table: Table, frame: pd.DataFrame) -> None:
    """Writes a table as the lake has it: declared at version 0, filled at version 1."""
    schema = arrow_schema(table)
    rows = pa.Table.from_pylist(frame.to_dict("records"), schema=schema)
    path = require_local(table_path(lake, table), what="The lake")
    path.mkdir(parents=True)
    write_deltalake(path, schema.empty_table(), partition_by=list(table.partition_by) or None)
    write_deltalake(path, rows, mode="append", partition_by=list(table.partition_by) or None)


def a_run(out: Path, lake: Path) -> Run:
    def no_session() -> None:
        raise AssertionError("a report needs no Spark")

    return Run("run", Environment(lake=lake, out=out), example.a_study(), no_session)  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    out, lake = tmp_path / "out", tmp_path / "lake"
    example.write_run(out, thin=True)
    example.arms().to_csv(out / "arms.csv", index=False)
    put(lake, tables.OUTCOME_FLOW, example.flow())
    put(lake, tables.COHORT_UNITS, example.units())
    return a_run(out, lake)


def test_tables_are_read_and_those_that_are_not_there_are_empty(run: Run) -> None:
    lake = step.read_results(run).lake

    assert lake.flow["n_rows"].sum() == example.flow()["n_rows"].sum()
    assert set(lake.units["la_code"]) == {*example.PILOTS, *example.COMPARATORS, *example.UNUSED}
    assert lake.ledger.empty


def test_another_study_of_the_lake_is_not_read(tmp_path: Path) -> None:
    out, lake = tmp_path / "out", tmp_path / "lake"
    example.write_run(out, thin=True)
    put(lake, tables.OUTCOME_FLOW, pd.concat([example.flow(), example.flow().assign(study_id="other")]))

    assert set(step.read_results(a_run(out, lake)).lake.flow["study_id"]) == {"example"}


def test_no_table_with_a_child_in_it_is_ever_opened(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def noted(root: Path, table: Table, **options: object) -> pa.Table:
        opened.append(table)
        return arrow_schema(table).empty_table()

    monkeypatch.setattr(arrow, "read_arrow", noted)
    monkeypatch.setattr(simulated, "read_arrow", noted)  # which holds these two by name, once it is imported
    monkeypatch.setattr(simulated, "version_of", lambda root, table: None)
    monkeypatch.setattr(versions, "version_of", lambda root, table: 1)

    step.read_results(run)

    assert len(opened) == 8
    assert not [table.name for table in opened if {"child_id", "lac_child_id"} & set(table.column_names)]
    assert not [table.name for table in opened if table.layer in ("silver", "quarantine", "panel")]


def test_verdicts_are_those_of_each_suites_newest_run(tmp_path: Path) -> None:
    out, lake = tmp_path / "out", tmp_path / "lake"
    example.write_run(out, thin=True)
    put(lake, tables.DQ_RESULTS, pd.concat([example.expectations(), example.expectations().assign(run_id="2")]))

    assert set(step.read_results(a_run(out, lake)).lake.expectations["run_id"]) == {"2"}


def test_the_flow_file_counts_what_the_lake_counts(run: Run) -> None:
    step.report(run)

    flow = pd.read_csv(str(run.out / "flow.csv"), keep_default_na=False)

    pilots = flow.query("outcome_id == 'kinship_placement' and arm == 'pilot' and stage == 'analysed'")
    assert list(pilots["n_rows"]) == [9 * 80]
    assert (run.out / "quality.csv").read_text().startswith("la_code,la_name,")


def test_warnings_of_an_earlier_command_are_kept_until_its_step_runs_again(run: Run) -> None:
    (run.out / "manifest.json").write_text(
        '{"steps": {"fit": {"warnings": ["old"]}, "panel": {"warnings": ["kept"]}, "report": {"warnings": ["own"]}}}'
    )
    run.reports.append(StepReport("fit", warnings=["new"]))

    assert set(step.read_results(run).warnings) == {"kept", "new"}


def test_warnings_of_earlier_commands_come_in_the_order_of_their_steps(run: Run) -> None:
    (run.out / "manifest.json").write_text(
        """{"steps": {"cohort": {"started": 3.5, "warnings": ["third"]}, "fit": {"started": 4, "warnings": ["old"]},
        "ingest": {"started": 1, "warnings": ["first"]}, "quality bronze": {"started": 2, "warnings": ["second"]}}}"""
    )
    run.reports.append(StepReport("fit", warnings=["fourth"]))

    assert step.read_results(run).warnings == ("first", "second", "third", "fourth")


def test_spark_is_not_even_imported() -> None:
    script = "import sys, sos_spark.steps.report; sys.exit('pyspark' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
