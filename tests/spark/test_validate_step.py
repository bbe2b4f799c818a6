"""The step on a lake: each table written once, nothing done twice, nothing written if the ledger does not balance."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sos_spark.config.environment import Environment
from sos_spark.errors import InputError
from sos_spark.lake.lake import Lake
from sos_spark.steps.context import Run
from sos_spark.steps.validate import validate
from sos_spark.tables import (
    BRONZE_MODULES,
    DQ_LEDGER,
    DQ_LINK_RATES,
    DQ_MEASURES,
    DQ_QUARANTINED,
    DQ_RULE_COUNTS,
    DQ_RULES,
    FILES,
    QUARANTINE,
    SILVER_CHILD_LINKS,
    SILVER_ENTITIES,
    SILVER_ICPCS,
    Table,
)
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

RECEIVED: dict[str, list[Row]] = {
    "child_identifiers": [a_child()],
    "cin_details": [a_referral(), a_referral(), a_referral(day="2028-01-01")],
    "assessments": [an_assessment()],
    "section47": [an_enquiry()],
    "cp_plans": [a_plan()],
    "lac_header": [a_header_row(file_id=2)],
    "lac_episodes": [
        an_episode(file_id=2),
        an_episode(file_id=2, PLACE="U1"),
        an_episode("c1\u200b", "01/02/2016", file_id=2, DEC="soon", REC="E8"),
    ],
}
MADE = (
    *SILVER_ENTITIES.values(),
    *QUARANTINE.values(),
    SILVER_ICPCS,
    SILVER_CHILD_LINKS,
    DQ_LEDGER,
    DQ_RULE_COUNTS,
    DQ_RULES,
    DQ_QUARANTINED,
    DQ_MEASURES,
    DQ_LINK_RATES,
)


@pytest.mark.slow
def test_the_step_on_a_lake(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOS_SPARK_KEY_FILE", raising=False)
    monkeypatch.setenv("SOS_SPARK_KEY", "a key of the tests, 32 bytes long")
    lake = Lake(tmp_path / "lake")
    for module, rows in RECEIVED.items():
        lake.overwrite(bronze(spark, module, *rows), BRONZE_MODULES[module], fingerprint="1")
    files = files_of(spark, RECEIVED)
    lake.overwrite(files, FILES, fingerprint="1")

    def a_run() -> Run:
        return Run("r1", Environment(lake=lake.root), None, lambda: spark)

    def versions() -> dict[str, int | None]:
        return {table.name: lake.version(table) for table in MADE}

    def read(table: Table, *columns: str) -> list[tuple[object, ...]]:
        return sorted(tuple(row) for row in lake.read(spark, table).select(*columns).collect())

    asked: list[int] = []
    own = spark.conf.get("spark.sql.shuffle.partitions")

    def three(_session: SparkSession, n_records: int) -> dict[str, str]:
        asked.append(n_records)
        return {"spark.sql.shuffle.partitions": "3"}

    monkeypatch.setattr("sos_spark.steps.validate.parted_for", three)
    report = validate(a_run())
    assert asked == [sum(map(len, RECEIVED.values()))], "all rows received are parted"
    assert spark.conf.get("spark.sql.shuffle.partitions") == own

    assert report.rows["silver.referrals"] == 1
    assert report.rows["quarantine.referrals"] == 1
    assert report.warnings == [
        "1 of 3 rows of referrals are in quarantine; `sos-spark lake quarantine list` says of which files and why",
        "1 of 2 rows of silver.lac_episodes have a value that could not be used: it is null there, and unknown_fields "
        "names it; quality.html says which rules and authorities",
        "1 rows of lac_episodes had characters in their child's id that cannot be seen and are left out: 926 in 2016 1",
        "2 rows of lac_episodes differ from another row of their return with the same key, of which one is kept: "
        "926 in 2016 2",
    ]
    assert read(DQ_LEDGER, *DQ_LEDGER.column_names) == [
        (1, "assessments", 1, 1, 0, 0, 0),
        (1, "cin_children", 1, 1, 0, 0, 0),
        (1, "cp_plans", 1, 1, 0, 0, 0),
        (1, "referrals", 3, 1, 1, 0, 1),
        (1, "section47_enquiries", 1, 1, 0, 0, 0),
        (2, "lac_children", 1, 1, 0, 0, 0),
        (2, "lac_episodes", 3, 2, 0, 0, 1),
    ]
    assert read(SILVER_CHILD_LINKS, "link_kind") == [("child_id",)]
    assert read(DQ_LINK_RATES, "n_linked_by_child_id") == [(1,)]
    assert read(DQ_QUARANTINED, "entity", "rule_code", "n_rows") == [("referrals", "referral_date_after_return", 1)]
    assert ("926", 2016, "referrals", 1) in read(DQ_MEASURES, *DQ_MEASURES.column_names)
    assert [name for name, version in versions().items() if version is None] == []

    first = versions()
    again = validate(a_run())
    assert again.facts["unchanged"] is True
    assert versions() == first

    lake.overwrite(
        files.withColumn(
            "rows_by_module", F.map_from_arrays(F.array(F.lit("cin_details")), F.array(F.lit(4).cast("bigint")))
        ),
        FILES,
        fingerprint="2",
    )
    with pytest.raises(InputError, match="file 1"):
        validate(a_run())
    assert versions() == first
