"""A commit that was cut off in the middle: readers see the version before it, or are told; none sees half of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sos_spark.errors import InputError
from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.maintenance import verify
from sos_spark.lake.versions import table_path, version_of
from sos_spark.tables import DQ_LEDGER
from tests.lake_counts import put_rows

ROW = {
    "file_id": 1, "entity": "referrals", "n_received": 2, "n_silver": 2, "n_quarantined": 0,
    "n_superseded_by_later_return": 0, "n_same_day_duplicates": 0,
}  # fmt: skip


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    put_rows(tmp_path, DQ_LEDGER, [ROW])
    return tmp_path


def log_of(lake: Path) -> Path:
    return lake / DQ_LEDGER.layer / DQ_LEDGER.short_name / "_delta_log"


def test_data_without_a_commit_are_not_read_and_verify_finds_them(lake: Path) -> None:
    """What a writer leaves that is killed between its data and its commit."""
    [data] = table_path(lake, DQ_LEDGER).glob("*.parquet")
    (data.parent / f"part-{data.name}").write_bytes(data.read_bytes())
    (log_of(lake) / f".{2:020}.json.1234.tmp").write_text('{"add":')
    assert read_arrow(lake, DQ_LEDGER).to_pylist() == [ROW]
    assert version_of(lake, DQ_LEDGER) == 1
    assert [finding.kind for finding in verify(lake)] == ["unreferenced"]


@pytest.mark.parametrize("kept", [0, 20, -20])
def test_a_commit_that_ends_in_the_middle_is_told_and_nothing_is_read(lake: Path, kept: int) -> None:
    """What a disk leaves that lost its last blocks."""
    newest = log_of(lake) / f"{1:020}.json"
    whole = newest.read_text()
    assert json.loads(whole.splitlines()[0])
    newest.write_text(whole[:kept] if kept else "")
    with pytest.raises(InputError) as told:
        read_arrow(lake, DQ_LEDGER)
    assert "dq.ledger" in told.value.where
