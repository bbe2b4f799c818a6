"""The gate on a national lake: placeholder dates are a warning, and a lost return is named by authority and year."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sos_spark.config.environment import Environment
from sos_spark.config.reference import authorities
from sos_spark.errors import QualityGateError
from sos_spark.lake.lake import Lake
from sos_spark.steps.context import Run
from sos_spark.steps.quality import check_layer
from sos_spark.steps.validate import validate
from sos_spark.tables import BRONZE_MODULES, DQ_LEDGER, FILES
from tests.builders import frame
from tests.silver_rows import Row, a_child, a_header_row, a_referral, an_assessment, an_episode, bronze, files_of

AUTHORITIES = sorted(
    code
    for code, one in authorities().items()
    if (one.first_census_year or 0) <= 2016 <= (one.last_census_year or 9999)
)
MakeRun = Callable[[dict[str, list[Row]]], Run]


@pytest.fixture
def run_of(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeRun:
    """Gives a run over a lake whose bronze holds the rows."""
    monkeypatch.delenv("SOS_SPARK_KEY_FILE", raising=False)
    monkeypatch.setenv("SOS_SPARK_KEY", "a key of the tests, 32 bytes long")

    def make(rows: dict[str, list[Row]]) -> Run:
        lake = Lake(tmp_path / "lake")
        for module, of_module in rows.items():
            lake.overwrite(bronze(spark, module, *of_module), BRONZE_MODULES[module], fingerprint="1")
        lake.overwrite(files_of(spark, rows), FILES, fingerprint="1")
        return Run("r1", Environment(lake=lake.root), None, lambda: spark)

    return make


@pytest.mark.long
@pytest.mark.slow
def test_placeholders_of_1970_in_every_authority_pass_the_gate_with_a_warning(run_of: MakeRun) -> None:
    places: list[Row] = [{"la_code": code, "file_id": number} for number, code in enumerate(AUTHORITIES)]
    day = "1970-01-01"
    run = run_of(
        {
            "child_identifiers": [a_child(**place) for place in places],
            "cin_details": [a_referral(day=day, **place) for place in places],
            "assessments": [an_assessment(start=day, CINreferralDate=day, **place) for place in places],
            "lac_header": [a_header_row(**(place | {"file_id": place["file_id"] + 1000})) for place in places],
            "lac_episodes": [
                an_episode(start="01/01/1970", **(place | {"file_id": place["file_id"] + 1000})) for place in places
            ],
        }
    )
    report = validate(run)
    assert report.rows["silver.referrals"] == report.rows["silver.lac_episodes"] == len(AUTHORITIES) >= 150
    old = [warning for warning in report.warnings if "years before their return" in warning]
    assert [warning.partition(":")[0] for warning in old] == [
        f"{n} dates of {entity} lie more than 26 years before their return and are kept"
        for entity, n in (
            ("assessments", 2 * len(AUTHORITIES)),
            ("lac_episodes", len(AUTHORITIES)),
            ("referrals", len(AUTHORITIES)),
        )
    ]
    assert (
        f"201 in 2016 1, 202 in 2016 1, 203 in 2016 1, 204 in 2016 1, 205 in 2016 1, {len(AUTHORITIES) - 5}" in old[1]
    )

    checked = check_layer(run, "silver")

    assert checked.facts["n_not_met"] == 0
    assert checked.warnings == []


def test_a_return_that_is_lost_is_named_with_its_authority_and_year(spark: SparkSession, run_of: MakeRun) -> None:
    files = {7: "926", 8: "301", 9: "302"}
    run = run_of({"cin_details": [a_referral(f"CANARY{n}", la_code=code, file_id=n) for n, code in files.items()]})
    ends = {"n_superseded_by_later_return": 0, "n_same_day_duplicates": 0, "n_received": 100, "entity": "referrals"}
    lost, good = {"n_silver": 0, "n_quarantined": 100}, {"n_silver": 100, "n_quarantined": 0}
    ledger = [{"file_id": 7, **ends, **lost}, {"file_id": 8, **ends, **lost}, {"file_id": 9, **ends, **good}]
    run.lake.overwrite(frame(spark, DQ_LEDGER, ledger), DQ_LEDGER, fingerprint="1")

    with pytest.raises(QualityGateError) as caught:
        check_layer(run, "silver")

    [finding] = [f for f in caught.value.findings if f["expectation"] == "file_wholly_quarantined"]
    assert finding["where"] == [
        {"la_code": "301", "census_year": "2016", "n_failed": 1},
        {"la_code": "926", "census_year": "2016", "n_failed": 1},
    ]
    lines = caught.value.paragraph().splitlines()
    assert "      in Norfolk (926), 2016: 1 row" in lines
    assert "CANARY" not in caught.value.paragraph()
