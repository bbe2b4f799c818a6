"""What is taken from a source folder, by place and name alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sos_spark.bronze.arrive.inventory import SourceFile, published_files, take_inventory
from sos_spark.errors import InputError
from sos_spark.places import write_whole
from tests.sources import put
from tests.stores import a_bucket


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


def test_what_is_no_file_to_be_read_is_named_and_the_rest_is_taken(tmp_path: Path) -> None:
    put(tmp_path / "cin/a.xml", "x")
    (tmp_path / "cin/nowhere.xml").symlink_to(tmp_path / "none.xml")
    (tmp_path / "cin/itself.xml").symlink_to(tmp_path / "cin/itself.xml")
    os.mkfifo(tmp_path / "cin/pipe.xml")
    put(tmp_path / "tables/cin_details.csv/part-0.csv", "x")
    put(tmp_path / "tables/cin_details/a:b.csv", "x")
    put(tmp_path / "tables/cin_details/line\nbreak.csv", "x")
    (tmp_path / "ssda903").symlink_to(tmp_path / "nothing")
    inventory = take_inventory(tmp_path)
    assert {file.name: (file.fault or "").partition(":")[0] for file in inventory.files} == {
        "cin/a.xml": "",
        "cin/itself.xml": "The file cannot be reached",
        "cin/nowhere.xml": "The file is a link to nothing",
        "cin/pipe.xml": "This is no regular file",
        "tables/cin_details.csv/part-0.csv": "",
        "tables/cin_details/a:b.csv": "Spark reads no file whose name, or whose folder's, has a colon",
        "tables/cin_details/line\\x0abreak.csv": "The file's name, or its folder's, is not in UTF-8 or has a control "
        "character",
    }
    assert [refused.name for refused in inventory.refused] == ["ssda903"]


def test_a_folder_that_may_not_be_read_is_refused_and_the_rest_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "cin/a.xml", "x")
    put(tmp_path / "cin/locked/b.xml", "x")
    listed = Path.iterdir

    def refused(self: Path) -> Iterator[Path]:
        if self.name == "locked":
            raise PermissionError
        return iter(listed(self))

    monkeypatch.setattr(Path, "iterdir", refused)
    inventory = take_inventory(tmp_path)
    assert [file.name for file in inventory.files] == ["cin/a.xml"]
    assert [(one.name, one.reason) for one in inventory.refused] == [
        ("cin/locked", "The folder may not be read: found PermissionError")
    ]


def test_published_files_that_are_none_are_named_and_not_opened(tmp_path: Path) -> None:
    source, outside = tmp_path / "source", put(tmp_path / "outside.csv", "x")
    folder = put(source / "published/a.CSV", "x").parent
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    (folder / "nowhere.csv").symlink_to(folder / "none.csv")
    (folder / "linked.csv").symlink_to(outside)
    assert {file.name: (file.fault, file.collection) for file in published_files(source)} == {
        "published/a.CSV": (None, "published"),
        "published/folder.csv": ("This is a folder", "published"),
        "published/linked.csv": ("The file is a link that leaves the source folder", "published"),
        "published/nowhere.csv": ("The file is a link to nothing", "published"),
        "published/pipe.csv": ("This is no regular file", "published"),
    }


def test_published_files_may_stand_in_the_source_itself(tmp_path: Path) -> None:
    put(tmp_path / "b.csv", "x")
    assert [file.name for file in published_files(tmp_path)] == ["b.csv"]
    put(tmp_path / "published", "x")
    assert [file.fault for file in published_files(tmp_path)] == ["This is no folder of the source"]


def test_a_shared_file_system_holds_what_a_local_folder_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = a_bucket(monkeypatch) / "returns"
    for name in (
        "cin/2015/926.xml", "cin/.hidden/2015/926.xml", "cin/2015/notes.txt", "ssda903/2015/926/episodes.csv",
        "tables/cin_details/census_year=2015/part.parquet", "tables/cin_details/_SUCCESS", "other/x.xml", "loose.xml",
        "published/one.csv", "published/two.txt",
    ):  # fmt: skip
        for root in (tmp_path, bucket):
            write_whole(root / name, b"four")
    here, there = take_inventory(tmp_path), take_inventory(bucket)
    assert [replace(file, path="") for file in there.files] == [replace(file, path="") for file in here.files]
    assert (there.unrecognised, there.refused) == (here.unrecognised, here.refused)
    assert {file.path for file in there.files} == {f"s3a://bucket/returns/{file.name}" for file in here.files}
    assert [replace(file, path="") for file in published_files(bucket)] == [
        replace(file, path="") for file in published_files(tmp_path)
    ]
    with pytest.raises(InputError):
        take_inventory(bucket / "none")
