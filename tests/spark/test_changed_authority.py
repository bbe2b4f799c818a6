"""One authority's return has changed: its rows alone are made again, and every table is as a rebuild makes it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sos_spark.config.environment import Environment
from sos_spark.lake.lake import Lake
from sos_spark.steps.cohort import cohort
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.due import what_is_due
from sos_spark.steps.outcome import outcome
from sos_spark.steps.quality import check_layer
from sos_spark.steps.validate import BY_AUTHORITY, validate
from sos_spark.tables import (
    BRONZE_MODULES,
    DQ_FACTS,
    DQ_LEDGER,
    DQ_MEASURES,
    DQ_QUARANTINED,
    DQ_RESULTS,
    DQ_RULE_COUNTS,
    DQ_RULES,
    FILES,
    OUTCOME_DURATIONS,
    OUTCOME_SUMS,
    Table,
)
from tests.builders import a_study
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

Received = Mapping[str, list[Row]]
MADE = (
    *BY_AUTHORITY, DQ_LEDGER, DQ_RULE_COUNTS, DQ_RULES, DQ_QUARANTINED, DQ_MEASURES, OUTCOME_DURATIONS, OUTCOME_SUMS,
    DQ_FACTS,
)  # fmt: skip
OUTCOMES = [{"outcome_id": kind, "kind": kind} for kind in ("assessment_duration", "rereferral_nfa")]


def _returns(la_code: str, file_id: int, *more_referrals: Row) -> dict[str, list[Row]]:
    """Returns of one authority: a child with all there is, and rows without an id, which no child may share."""
    where: Row = {"la_code": la_code, "file_id": file_id}
    nobody: Row = {"LAchildID": None, "record_position": 9, **where}
    return {
        "child_identifiers": [a_child(**where), a_child(**nobody)],
        "cin_details": [a_referral(**where), a_referral(**nobody), *more_referrals],
        "assessments": [an_assessment(**where)],
        "section47": [an_enquiry(**where)],
        "cp_plans": [a_plan(**where)],
        "lac_header": [a_header_row(la_code=la_code, file_id=file_id + 1)],
        "lac_episodes": [an_episode(la_code=la_code, file_id=file_id + 1)],
    }


def _received(*authorities: Received) -> dict[str, list[Row]]:
    return {module: [row for received in authorities for row in received[module]] for module in authorities[0]}


def _ingested(spark: SparkSession, root: Path, received: Received) -> Run:
    """Bronze as an ingest of these rows leaves it, and a run on it."""
    lake = Lake(root)
    content = str(sorted(received["cin_details"], key=str))
    for module, rows in received.items():
        lake.overwrite(bronze(spark, module, *rows), BRONZE_MODULES[module], fingerprint=content)
    lake.overwrite(files_of(spark, received), FILES, fingerprint=content)
    return Run("r1", Environment(lake=root), a_study(outcomes=OUTCOMES), lambda: spark)


def _computed(run: Run) -> tuple[StepReport, StepReport]:
    validated = validate(run)
    cohort(run)
    return validated, outcome(run)


def _checked(run: Run) -> list[object]:
    """How much the gates of bronze and silver counted again."""
    return [check_layer(run, layer).facts["recomputed"] for layer in ("bronze", "silver")]


def _content(run: Run, table: Table) -> list[str]:
    return sorted(map(str, run.lake.read(run.spark, table).collect()))


@pytest.mark.slow
def test_a_changed_return_changes_its_authority_alone(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOS_SPARK_KEY_FILE", raising=False)
    monkeypatch.setenv("SOS_SPARK_KEY", "a key of the tests, 32 bytes long")
    others = [_returns("926", 1), _returns("925", 3)]
    later = a_referral("c1", "2015-09-01", la_code="916", file_id=7)
    validated, made = _computed(_ingested(spark, tmp_path / "lake", _received(*others, _returns("916", 5))))
    assert "not made before" in str(validated.facts["recomputed"])
    assert "not made before" in str(made.facts["recomputed"])
    _checked(Run("r1", Environment(lake=tmp_path / "lake"), None, lambda: spark))

    # The file of 916 has other content, and so another id, which is what bronze.files tells of it.
    corrected = _received(*others, _returns("916", 7, later))
    run = _ingested(spark, tmp_path / "lake", corrected)
    assert what_is_due(run, ["validate", "outcome"]) == {"validate": "1 of 3 authorities have changed: 916"}
    validated, made = _computed(run)
    assert validated.facts["recomputed"] == "1 of 3 authorities have changed"
    assert str(made.facts["recomputed"]).startswith("1 of ")
    run.run_id = "r2"
    assert _checked(run) == ["1 of 3 authorities have changed"] * 2

    rebuilt = _ingested(spark, tmp_path / "rebuilt", corrected)
    _computed(rebuilt)
    rebuilt.run_id = "r2"
    _checked(rebuilt)
    for table in MADE:
        assert _content(run, table) == _content(rebuilt, table), table.name
    verdicts = [row for row in _content(run, DQ_RESULTS) if "run_id='r2'" in row]
    assert verdicts == _content(rebuilt, DQ_RESULTS)
    assert any("2015, 9, 1" in row for row in _content(run, BY_AUTHORITY[1]))

    validated, made = _computed(run)
    assert validated.facts["unchanged"] is True
    assert what_is_due(run, ["validate", "outcome"]) == dict.fromkeys(
        ("validate", "outcome"), "made from the same already"
    )
    assert made.facts["recomputed"] == "made from the same already"
