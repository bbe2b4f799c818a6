"""A changed line in any package: the steps after it run again, and say so."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sos_spark.config.environment import Environment
from sos_spark.lake.lake import Lake
from sos_spark.steps import provenance
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.pipeline import step_function
from sos_spark.steps.provenance import code_sha256
from sos_spark.tables import CIN_MODULES, COHORT_OBSERVED, OUTCOME_SUMS, PANEL_CELLS, SILVER_REFERRALS
from tests.builders import a_study
from tests.sources import a_child, a_header, a_referral, cin_xml, put

TABLES = {
    "ingest": CIN_MODULES["cin_details"],
    "validate": SILVER_REFERRALS,
    "cohort": COHORT_OBSERVED,
    "outcome": OUTCOME_SUMS,
    "panel": PANEL_CELLS,
}
CHANGES = (
    ("panel", "steps.panel"),
    ("panel", "panel.collapse"),
    ("outcome", "steps.outcome"),
    ("outcome", "outcome.care"),
    ("cohort", "cohort.observed"),
    ("validate", "silver.entities.referral_rules"),
    ("validate", "steps.validate"),
    ("ingest", "bronze.record_batches"),
)
RUN_AGAIN = {name: module for name, module in CHANGES if name != "validate"}
"""Of each step the last of its changes: a step looks at one sum of all its code, so that one is as good as another.

Validate, the longest of them, asks the lake as the others do.
"""


@pytest.mark.parametrize(("name", "module"), CHANGES)
def test_a_changed_line_changes_the_sum_of_its_step_s_code(
    name: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {step: code_sha256(f"sos_spark.steps.{step}") for step in TABLES}
    read = provenance.read_source
    changed = f"sos_spark.{module}"
    monkeypatch.setattr(provenance, "read_source", lambda one: read(one) + b"\n# one line more\n" * (one == changed))
    code_sha256.cache_clear()
    after = {step: code_sha256(f"sos_spark.steps.{step}") for step in TABLES}
    code_sha256.cache_clear()
    assert after[name] != before[name]
    if module.startswith("steps."):
        assert [step for step in TABLES if after[step] != before[step]] == [name]


@pytest.mark.long
@pytest.mark.slow
def test_a_changed_line_runs_its_step_again(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOS_SPARK_KEY_FILE", raising=False)
    monkeypatch.setenv("SOS_SPARK_KEY", "a key of the tests, 32 bytes long")
    for year in range(2014, 2021):
        content = cin_xml(a_child("C1", a_referral(day=f"{year - 1}-05-01")), header=a_header(la="926", year=str(year)))
        put(tmp_path / "source" / "cin" / f"{year}.xml", content)
    lake = Lake(tmp_path / "lake")
    study = a_study(population__incomplete_units="drop")
    places = Environment(source=tmp_path / "source", lake=lake.root, out=tmp_path / "out")

    def run_step(name: str) -> StepReport:
        report = step_function(name)(Run("r", places, study, lambda: spark))
        assert report.exit_code == 0, report.refused
        return report

    changed: set[str] = set()
    read = provenance.read_source
    more = b"\n# one line more\n"
    monkeypatch.setattr(provenance, "read_source", lambda name: read(name) + more * (name in changed))
    code_sha256.cache_clear()
    for name in TABLES:
        run_step(name)
    versions = {name: lake.version(table) for name, table in TABLES.items()}
    for name, module in RUN_AGAIN.items():
        changed.add(f"sos_spark.{module}")
        code_sha256.cache_clear()
        report = run_step(name)
        assert lake.version(TABLES[name]) == (versions[name] or 0) + 1, module
        versions[name] = lake.version(TABLES[name])
    code_sha256.cache_clear()
    assert any("7 returns that the lake held were read anew" in warning for warning in report.warnings)
