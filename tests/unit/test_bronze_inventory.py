"""What is taken from a source folder, by place and name alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from sos_spark.bronze.inventory import SourceFile, take_inventory
from sos_spark.errors import InputError
from tests.sources import put


def places(source: Path, *names: str) -> dict[str, SourceFile]:
    for name in names:
        put(source / name, "x")
    return {file.name: file for file in take_inventory(source).files}


def test_cin_files_have_any_name_at_any_depth(tmp_path: Path) -> None:
    files = places(tmp_path, "cin/a.XML", "cin/2015/926.xml", "cin/2015/any.xml", "CIN2/b.xml", "cin/x/y/926.xml",
                   "cin/2016/sub/x.xml", "cin/x/2016/sub/926.xml", "cin/2015/2016/x.xml")  # fmt: skip
    assert {name: (file.layout_year, file.layout_la) for name, file in files.items()} == {
        "cin/a.XML": (None, None),
        "cin/2015/926.xml": ("2015", "926"),
        "cin/2015/any.xml": ("2015", None),
        "cin/x/y/926.xml": (None, None),
        "cin/2016/sub/x.xml": ("2016", None),
        "cin/x/2016/sub/926.xml": ("2016", "926"),
        "cin/2015/2016/x.xml": (None, None),
    }
    assert [name for name, file in files.items() if file.fault] == ["cin/2015/2016/x.xml"]


def test_lac_folders_name_year_and_la_and_files_their_module(tmp_path: Path) -> None:
    (file,) = places(tmp_path, "ssda903/2018/201/Episodes.CSV").values()
    assert (file.module, file.layout_year, file.layout_la) == ("lac_episodes", "2018", "201")
    assert file.collection == "ssda903"


def test_tables_are_files_or_folders_of_parts(tmp_path: Path) -> None:
    files = places(
        tmp_path, "tables/section47.csv", "tables/CIN_details/p.parquet", "tables/lac_header/census_year=2015/p.csv"
    )  # fmt: skip
    assert [file.module for file in files.values()] == ["cin_details", "lac_header", "section47"]


def test_what_is_not_recognised_is_listed_and_what_is_hidden_is_not(tmp_path: Path) -> None:
    for name in (
        "cin/notes.txt", "ssda903/2018/201/odd.csv", "ssda903/episodes.csv", "tables/other/p.csv", "extra/p.csv",
        "a.xml", "cin/.hidden.xml", "tables/cin_details/_SUCCESS", "tables/cin_details/.p.parquet.crc",
        "published/b.csv", "c.csv",
    ):  # fmt: skip
        put(tmp_path / name, "x")
    inventory = take_inventory(tmp_path)
    assert inventory.files == []
    assert sorted(inventory.unrecognised) == [
        "a.xml", "cin/notes.txt", "extra/", "ssda903/2018/201/odd.csv", "ssda903/episodes.csv", "tables/other/p.csv",
    ]  # fmt: skip


def test_links_out_of_the_source_are_not_read(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside" / "b.xml", "x")
    source = tmp_path / "source"
    put(source / "cin" / "a.xml", "x")
    (source / "cin" / "linked.xml").symlink_to(outside)
    (source / "cin" / "inside.xml").symlink_to(source / "cin" / "a.xml")
    (source / "ssda903").symlink_to(outside.parent)
    (source / "tables").mkdir()
    (source / "tables" / "cin_details").symlink_to(outside.parent)
    inventory = take_inventory(source)
    assert {file.name: bool(file.fault) for file in inventory.files} == {
        "cin/a.xml": False, "cin/inside.xml": False, "cin/linked.xml": True, "tables/cin_details": True,
    }  # fmt: skip
    assert [refused.name for refused in inventory.refused] == ["ssda903"]


def test_no_source_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        take_inventory(tmp_path / "none")
