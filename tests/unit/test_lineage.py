"""lineage.ndjson: what each step read and wrote, by the manifest and what tables declare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sos_spark.places import place_of
from sos_spark.steps.lineage import write_lineage

MANIFEST: dict[str, Any] = {
    "run_id": "20200101T000000Z-abc",
    "study": {"study_id": "mine"},
    "tables": {"bronze.files": 1, "bronze.cin_details": 4, "silver.referrals": 7, "dq.results": 2, "panel.cells": 3},
    "steps": {
        "fit": {"started": 400.0, "seconds": 1.0, "rows": {"estimates.csv": 5}},
        "ingest": {"started": 100.0, "seconds": 2.5, "rows": {"bronze.cin_details": 9}},
        "quality bronze": {"started": 150.0, "seconds": 1.0, "rows": {}},
        "validate": {"started": 200.0, "seconds": 1.0, "rows": {"silver.referrals": 8}},
        "report": {"seconds": 1.0, "rows": {}},
    },
}


def events(tmp_path: Path, **places: Any) -> list[dict[str, Any]]:
    write_lineage(MANIFEST, out=tmp_path, **places)
    return [json.loads(line) for line in (tmp_path / "lineage.ndjson").read_text().splitlines()]


def names(datasets: list[dict[str, Any]]) -> list[str]:
    return [f"{one['namespace']}{one['name']}" for one in datasets]


def test_each_step_names_what_it_read_and_wrote(tmp_path: Path) -> None:
    lake = place_of("hdfs://name:8020/lake")
    ingest, gate, validate, fit = events(tmp_path, lake=lake, source=place_of("hdfs://name:8020/returns"))
    assert (ingest["job"]["namespace"], ingest["job"]["name"]) == ("sos_spark", "mine.ingest")
    assert ingest["eventTime"] == "1970-01-01T00:01:42.500000+00:00"
    assert names(ingest["inputs"]) == ["hdfs://name:8020/returns"]
    assert "hdfs://name:8020/lake/bronze/cin_details" in names(ingest["outputs"])
    assert names(gate["outputs"]) == ["hdfs://name:8020/lake/dq/results"]
    assert "hdfs://name:8020/lake/bronze/cin_details" in names(validate["inputs"])
    (referrals,) = validate["outputs"]
    assert referrals["facets"]["version"]["datasetVersion"] == "7"
    assert referrals["outputFacets"]["outputStatistics"]["rowCount"] == 8
    assert "la_code" in {field["name"] for field in referrals["facets"]["schema"]["fields"]}
    assert names(fit["inputs"])[-1] == "hdfs://name:8020/lake/panel/cells"
    assert names(fit["outputs"]) == [f"file{tmp_path / 'estimates.csv'}"]


def test_events_of_a_run_share_their_parent_and_come_again_with_the_same_ids(tmp_path: Path) -> None:
    first, again = (events(tmp_path, lake=None, source=None) for _ in range(2))
    assert [one["run"] for one in first] == [one["run"] for one in again]
    assert len({one["run"]["runId"] for one in first}) == 4
    assert len({one["run"]["facets"]["parent"]["run"]["runId"] for one in first}) == 1
    assert all(not one["inputs"] for one in first)
