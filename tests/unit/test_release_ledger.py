"""The ledger: what is read is what was written, and a file that is none is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sos_spark.errors import InputError
from sos_spark.release.ledger import ledger_text, of_entity, read_ledger
from tests.released import a_release, as_released, counted, judged, some_cells

EVENTS = {"201": [3, 30, 30], "202": [40, 40, 40], "301": [50, 50, 50]}


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    counts = counted(some_cells(EVENTS))
    release = a_release(*as_released(counts, judged(counts)))
    (tmp_path / "ledger.jsonl").write_text(ledger_text([release, release]))
    assert read_ledger(tmp_path / "ledger.jsonl") == (release, release)


def test_it_holds_nothing_of_what_was_hidden() -> None:
    counts = counted(some_cells(EVENTS))
    released = as_released(counts, judged(counts))
    hidden = [one for one in released if one.hidden]
    assert hidden
    assert all(one.low is None and one.high is None for one in hidden)


def test_counts_of_another_entity_are_not_compared() -> None:
    counts = counted(some_cells(EVENTS))
    release = a_release(*as_released(counts, judged(counts)))
    assert of_entity([release, release], counts.universe.entity) == release.counts
    assert of_entity([release], "something else") == ()


@pytest.mark.parametrize("content", ["[]", '{"release_id": "r"}', "nothing"])
def test_what_is_no_ledger_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "ledger.jsonl").write_text(content)
    with pytest.raises(InputError, match="ledger"):
        read_ledger(tmp_path / "ledger.jsonl")
