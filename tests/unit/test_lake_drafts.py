"""What drafts left behind, here and on a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from sos_spark.lake.drafts import remove_drafts
from sos_spark.places import write_whole
from tests.stores import a_bucket


def test_what_any_machine_staged_is_removed_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for root in (tmp_path, a_bucket(monkeypatch) / "lake"):
        for name in (".staged-here-1-a/0/part", ".staged-elsewhere-2-b/0/part", "silver/referrals/part"):
            write_whole(root / name, b"1")
        assert remove_drafts(root, dry_run=True) == 2
        assert remove_drafts(root, dry_run=False) == 2
        assert [place.name for place in root.iterdir()] == ["silver"]
