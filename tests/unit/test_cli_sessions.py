"""Java's second compiler is left out where the rows are few, by the size of what a run reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from sos_spark.cli.sessions import FEW_BYTES, has_few_rows
from sos_spark.places import place_of


def a_file(path: Path, n_bytes: int) -> Path:
    """A file of that many bytes, none of which is on a disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(n_bytes)
    return path


@pytest.mark.parametrize(
    ("name", "n_bytes", "is_few"),
    [
        ("tables/cin_details/part.parquet", FEW_BYTES - 1, True),
        ("tables/cin_details/part.parquet", FEW_BYTES, False),
        ("cin/201.xml", 10 * FEW_BYTES, True),
        ("cin/201.xml", 30 * FEW_BYTES, False),
    ],
)
def test_a_source_is_small_by_what_its_files_can_hold(tmp_path: Path, name: str, n_bytes: int, is_few: bool) -> None:
    a_file(tmp_path / name, n_bytes)

    assert has_few_rows([tmp_path, None, tmp_path / "no lake yet"]) is is_few


def test_a_small_source_for_a_large_lake_is_not_few(tmp_path: Path) -> None:
    a_file(tmp_path / "source" / "part.parquet", FEW_BYTES // 2)
    a_file(tmp_path / "bronze" / "part.parquet", FEW_BYTES)

    assert has_few_rows([tmp_path / "source"])
    assert not has_few_rows([tmp_path / "source", tmp_path / "bronze"])


def test_nothing_is_said_of_a_shared_store(tmp_path: Path) -> None:
    assert not has_few_rows([tmp_path, place_of("hdfs://127.0.0.1:1/returns")])
