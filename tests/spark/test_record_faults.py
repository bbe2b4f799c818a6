"""A child's record in XML whose elements are not where they belong: no row of it reaches silver, and none is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from sos_spark.lake.lake import Lake
from sos_spark.steps.validate import validate
from sos_spark.tables import DQ_LEDGER, QUARANTINE, RECORD_FAULTS, SILVER_ENTITIES, Table
from tests.sources import a_child, a_referral, cin_xml, leaves, put, run_ingest

ASSESSMENT = f"<Assessments>{leaves(AssessmentActualStartDate='2014-05-03')}</Assessments>"
FAULTY = {
    "element_out_of_place": ASSESSMENT.replace("</A", f"{leaves(CINclosureDate='2014-09-01')}</A", 1),
    "element_repeated": leaves(ReferralNFA="1"),
    "element_misspelt": ASSESSMENT.replace("Assessments>", "Assessment>"),
    "element_of_another_namespace": "<x:ReferralNFA xmlns:x='urn:x'>1</x:ReferralNFA>",
}


@pytest.mark.slow
def test_a_faulty_record_is_quarantined_as_a_whole_and_the_ledger_balances(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(FAULTY) == set(RECORD_FAULTS)
    monkeypatch.delenv("SOS_SPARK_KEY_FILE", raising=False)
    monkeypatch.setenv("SOS_SPARK_KEY", "a key of the tests, 32 bytes long")
    later = a_referral(day="2014-12-01", inside=f"<Section47>{leaves(S47ActualStartDate='2014-12-02')}</Section47>")
    faulty = [a_child(fault, a_referral(inside=inside), later) for fault, inside in FAULTY.items()]
    sound = a_child("SOUND", a_referral(inside=ASSESSMENT + leaves(ShoeSize="4")), later)
    put(tmp_path / "source" / "cin" / "2015" / "201.xml", cin_xml(*faulty, sound))

    run, ingested = run_ingest(spark, tmp_path / "source", tmp_path / "lake")
    validate(run)
    lake = Lake(tmp_path / "lake")

    def read(table: Table, *columns: str) -> list[tuple[Any, ...]]:
        return sorted(tuple(row) for row in lake.read(spark, table).select(*columns).collect())

    assert ingested.exit_code == 0
    assert [text for text in ingested.warnings if "quarantine" in text] == [
        "cin/2015/201.xml: validate will quarantine 4 of 5 children's records as a whole, because elements stand where"
        " the collection does not allow them: element_misspelt Assessments in 1, element_of_another_namespace"
        " ReferralNFA in 1, element_out_of_place AssessmentActualStartDate in 1, element_out_of_place CINclosureDate"
        " in 1, element_repeated ReferralNFA in 1"
    ]
    assert read(DQ_LEDGER, *DQ_LEDGER.column_names[1:]) == [
        ("assessments", 3, 1, 2, 0, 0),
        ("cin_children", 5, 1, 4, 0, 0),
        ("cp_plans", 0, 0, 0, 0, 0),
        ("referrals", 10, 2, 8, 0, 0),
        ("section47_enquiries", 5, 1, 4, 0, 0),
    ]
    reasons = read(QUARANTINE["referrals"], "reasons")
    assert [tuple(codes) for (codes,) in reasons] == [(fault,) for fault in sorted(FAULTY) for _ in range(2)]
    assert {codes[0] for (codes,) in read(QUARANTINE["assessments"], "reasons")} == {
        "element_misspelt",
        "element_out_of_place",
    }
    children = {child for (child,) in read(SILVER_ENTITIES["cin_children"], "child_id")}
    assert len(children) == 1
    for entity in ("referrals", "assessments", "section47_enquiries"):
        assert {child for (child,) in read(SILVER_ENTITIES[entity], "child_id")} == children
        assert not children & {child for (child,) in read(QUARANTINE[entity], "child_id")}
