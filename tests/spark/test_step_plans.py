"""Scans and shuffles of each step, as they stand in tests/spark/plans: one that is added must be added on purpose.

After a change of plans: SOS_SPARK_KEEP_PLANS=1 .venv/bin/python -m pytest tests/spark/test_step_plans.py, then review
the difference of the folder like code: a scan or an exchange more is a pass over every row of a table more.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sos_spark.config.environment import Environment
from sos_spark.lake.lake import Lake
from sos_spark.steps.cohort import cohort
from sos_spark.steps.context import Run
from sos_spark.steps.outcome import outcome
from sos_spark.steps.panel import panel
from sos_spark.steps.validate import validate
from sos_spark.tables import BRONZE_MODULES, FILES
from tests.builders import a_study
from tests.plan_texts import plans_written
from tests.silver_rows import (
    Row,
    a_child,
    a_header_row,
    a_plan,
    a_referral,
    an_assessment,
    an_enquiry,
    an_episode,
    bronze,
    files_of,
)

KEPT = Path(__file__).parent / "plans"
RECEIVED: dict[str, list[Row]] = {
    "child_identifiers": [a_child()],
    "cin_details": [a_referral()],
    "assessments": [an_assessment()],
    "section47": [an_enquiry()],
    "cp_plans": [a_plan()],
    "lac_header": [a_header_row(file_id=2)],
    "lac_episodes": [an_episode(file_id=2)],
}
OUTCOMES = [
    {"outcome_id": kind, "kind": kind}
    for kind in (
        "assessment_duration", "assessment_within", "rereferral_nfa", "rereferral_escalated", "kinship_placement",
        "icpc",
    )
]  # fmt: skip


@pytest.mark.slow
def test_no_step_scans_or_shuffles_more_than_is_kept(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOS_SPARK_KEY_FILE", raising=False)
    monkeypatch.setenv("SOS_SPARK_KEY", "a key of the tests, 32 bytes long")
    lake = Lake(tmp_path / "lake")
    for module, rows in RECEIVED.items():
        lake.overwrite(bronze(spark, module, *rows), BRONZE_MODULES[module], fingerprint="1")
    lake.overwrite(files_of(spark, RECEIVED), FILES, fingerprint="1")
    study = a_study(outcomes=OUTCOMES)
    run = Run("r1", Environment(lake=lake.root, out=tmp_path / "out"), study, lambda: spark)
    for step in (validate, cohort, outcome, panel):
        with plans_written(spark, monkeypatch) as plans:
            step(run)
        if step is not cohort:
            _compare(step.__name__, plans)


def _compare(step: str, plans: Mapping[str, str]) -> None:
    text = "".join(f"{_name(path)}\n{_indented(plan)}\n" for path, plan in sorted(plans.items(), key=_order))
    path = KEPT / f"{step}.txt"
    if os.environ.get("SOS_SPARK_KEEP_PLANS") == "1":
        KEPT.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path}: plans differ from those that are kept"


def _order(item: tuple[str, str]) -> tuple[bool, str]:
    name = _name(item[0])
    return (not name.startswith("staged/"), name)


def _name(path: str) -> str:
    """What is written, as a table's draft or as one that others read."""
    draft = re.sub(r"^\.staged-[^/]*/", "", path)
    return draft.replace(".", "/") if "." in draft else f"staged/{draft}" if draft != path else path


def _indented(plan: str) -> str:
    return "".join(f"  {line}\n" for line in plan.splitlines())
