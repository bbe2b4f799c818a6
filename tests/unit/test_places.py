"""Places: paths and URIs, and the few operations that both have."""

from __future__ import annotations

import errno
import socket
from io import TextIOWrapper
from pathlib import Path

import pytest

from sos_spark.errors import EnvironmentFaultError, StudyError
from sos_spark.places import (
    Place,
    RemotePlace,
    is_same,
    is_within,
    local_of,
    make_folder,
    move_file,
    n_bytes_of,
    open_new,
    open_whole,
    place_of,
    remove_tree,
    require_local,
    require_plain,
    sizes_in,
    within,
    write_folder,
    write_new,
    write_whole,
)
from sos_spark.places.stores import store_of
from tests.stores import a_bucket


@pytest.fixture(params=["local", "remote"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A folder that is not there yet, here and on a store: what is said of one holds of the other."""
    return tmp_path / "folder" if request.param == "local" else a_bucket(monkeypatch) / "folder"


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("returns/2015", Path("returns/2015")),
        ("file:///srv/a%20lake", Path("/srv/a lake")),
        ("hdfs://name:8020/lake/", RemotePlace("hdfs://name:8020/lake")),
        ("HDFS://name//lake/./x", RemotePlace("hdfs://name/lake/x")),
        ("abfss://box@account.dfs.core.windows.net/a b", RemotePlace("abfss://box@account.dfs.core.windows.net/a b")),
    ],
)
def test_a_text_names_a_path_or_a_uri(given: str, place: Place) -> None:
    assert place_of(given) == place
    assert place_of(place) is place


@pytest.mark.parametrize(
    "given",
    ["ftp://name/x", "hdfs:/lake", "hdfs:///lake", "s3a://key:secret@bucket/x", "hdfs://me@name/x", "gs://b/../x"],
)
def test_a_uri_that_is_no_place_is_refused_without_what_it_holds(given: str) -> None:
    with pytest.raises(StudyError) as error:
        place_of(given)
    assert "secret" not in str(error.value)
    assert error.value.expected


def test_a_lake_s_uri_needs_no_escapes() -> None:
    require_plain(RemotePlace("hdfs://name:8020/lakes/my_lake-1.0"))
    require_plain(Path("a folder/100 %"))
    with pytest.raises(StudyError, match="another way"):
        require_plain(RemotePlace("hdfs://name/my lake"))


def test_a_place_has_the_parts_of_its_path() -> None:
    place = RemotePlace("hdfs://name:8020/lake/bronze/part.c000.parquet")
    assert (place.name, place.stem, place.suffix) == ("part.c000.parquet", "part.c000", ".parquet")
    assert place.parent == RemotePlace("hdfs://name:8020/lake/bronze")
    assert place.parents[-1] == RemotePlace("hdfs://name:8020/")
    assert place.with_name("x.y") == place.parent / "x.y"
    assert within(place, RemotePlace("hdfs://name:8020/lake")) == "bronze/part.c000.parquet"
    with pytest.raises(ValueError):
        within(place, RemotePlace("hdfs://other/lake"))


def test_a_file_is_written_whole_and_read_anywhere(folder: Place) -> None:
    file = folder / "inner" / "x.txt"
    write_whole(file, b"one\ntwo\n")
    assert file.read_bytes() == b"one\ntwo\n"
    assert file.read_text(encoding="utf-8") == "one\ntwo\n"
    assert n_bytes_of(file) == 8
    with file.open("rb") as handle:
        handle.seek(-4, 2)
        assert handle.read(2) == b"tw"
        handle.seek(1)
        assert handle.readline() == b"ne\n"
        assert handle.read() == b"two\n"


def test_a_file_that_fails_half_written_is_as_it_was(folder: Place) -> None:
    file = folder / "x.txt"
    write_whole(file, b"before")

    def fail_half_way() -> None:
        with open_whole(file) as handle:
            handle.write(b"aft")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert file.read_bytes() == b"before"
    assert [place.name for place in folder.iterdir()] == ["x.txt"]


def test_a_new_file_goes_if_its_writing_fails(folder: Place) -> None:
    make_folder(folder)
    with open_new(folder / "x") as handle:
        handle.write(b"12")
        assert handle.tell() == 2
    assert (folder / "x").read_bytes() == b"12"

    def fail_half_way() -> None:
        with open_new(folder / "y") as handle:
            handle.write(b"1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert [place.name for place in folder.iterdir()] == ["x"]
    if isinstance(folder, Path):
        assert (folder / "x").stat().st_mode & 0o777 == 0o600
        with pytest.raises(FileExistsError), open_new(folder / "x"):
            pass
        assert (folder / "x").read_bytes() == b"12"


def test_folders_are_listed_searched_and_removed(folder: Place) -> None:
    make_folder(folder)
    for name in ("a.csv", "b.json", "deep/c.csv"):
        write_whole(folder / name, b"1")
    assert folder.is_dir()
    assert not folder.is_file()
    assert sorted(place.name for place in folder.iterdir()) == ["a.csv", "b.json", "deep"]
    assert [place.name for place in folder.glob("*.csv")] == ["a.csv"]
    assert sorted(within(place, folder) for place in folder.rglob("*.csv")) == ["a.csv", "deep/c.csv"]
    (folder / "a.csv").unlink()
    (folder / "a.csv").unlink(missing_ok=True)
    assert not (folder / "a.csv").exists()
    remove_tree(folder)
    assert not folder.exists()


def test_a_folder_is_written_anew(folder: Place) -> None:
    write_folder(folder, {"a": b"1", "deep/b": b"2"})
    write_folder(folder, {"c": b"3"})
    assert [within(place, folder) for place in folder.rglob("*")] == ["c"]
    assert is_same(folder / "c", folder / "c")
    assert not is_within(folder, folder / "c")


def test_a_file_is_moved_within_its_file_system(folder: Place, tmp_path: Path) -> None:
    write_whole(folder / "draft" / "x", b"1")
    target = folder / "table" / "y"
    make_folder(target.parent)
    move_file(folder / "draft" / "x", target)
    assert target.read_bytes() == b"1"
    assert not (folder / "draft" / "x").exists()
    if isinstance(folder, RemotePlace):
        with pytest.raises(ValueError, match="within its file system"):
            move_file(target, tmp_path / "y")


def test_what_closes_its_handle_has_written_it(folder: Place) -> None:
    with open_whole(folder / "x") as handle, TextIOWrapper(handle, encoding="utf-8") as text:
        text.write("é")
    assert (folder / "x").read_bytes() == "é".encode()
    assert sizes_in(folder) == [("x", 2)]


def test_a_missing_file_is_told_with_its_place(folder: Place) -> None:
    for ask in (Path.read_bytes if isinstance(folder, Path) else RemotePlace.read_bytes, n_bytes_of):
        with pytest.raises(FileNotFoundError) as error:
            ask(folder / "none")  # type: ignore[arg-type]
        assert error.value.errno == errno.ENOENT
        assert error.value.filename in (folder / "none", str(folder / "none"))
    with pytest.raises(FileNotFoundError):
        (folder / "none").unlink()


def test_of_two_writers_of_a_new_file_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    place = a_bucket(monkeypatch) / "lease"
    assert write_new(place, b"first")
    assert not write_new(place, b"second")
    assert place.read_bytes() == b"first"


def test_only_a_path_is_of_this_machine(tmp_path: Path) -> None:
    remote = RemotePlace("gs://bucket/x")
    assert local_of(tmp_path) is tmp_path
    assert local_of(remote) is None
    assert require_local(tmp_path, what="The study") is tmp_path
    with pytest.raises(StudyError, match=r"gs://bucket/x"):
        require_local(remote, what="The study")


def test_a_name_node_that_is_not_there_is_told_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(EnvironmentFaultError, match="name node"):
        store_of(f"hdfs://127.0.0.1:{port}")
