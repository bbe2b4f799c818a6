"""What local and shared file systems do differently: modes, whole writes, removing folders.

A local file is written beside its place and takes its name when it is whole; its mode is its owner's alone. Object
stores have no modes: who may read there is the bucket's policy.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from sos_spark.errors import StudyError
from sos_spark.places.remote import Place, RemotePlace
from sos_spark.places.stores import OBJECT_SCHEMES, Entry

_FOLDER_MODE, _FILE_MODE = 0o700, 0o600


def local_of(place: Place) -> Path | None:
    """Returns the path on this machine; None of a place that is elsewhere."""
    return place if isinstance(place, Path) else None


def require_local(place: Place, *, what: str) -> Path:
    """Returns the path on this machine.

    Raises:
        StudyError: The place is elsewhere.
    """
    if isinstance(place, RemotePlace):
        raise StudyError(
            f"{what} must be on this machine",
            where=str(place),
            expected="a path",
            remedy="Give a path, and copy from or to the other place with its own tools",
        )
    return place


def make_folder(place: Place) -> None:
    """Makes a folder for its owner only, and those it lies in; leaves one that is there as it is."""
    if isinstance(place, RemotePlace):
        place.store.make_folder(str(place.path).lstrip("/"), mode=_FOLDER_MODE)
    else:
        place.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)


def make_private(place: Place) -> None:
    """Takes from others the right to enter a folder or to read a file."""
    if isinstance(place, RemotePlace):
        is_folder = place.is_dir()
        place.store.set_mode(str(place.path).lstrip("/"), _FOLDER_MODE if is_folder else _FILE_MODE)
    elif place.stat().st_mode & 0o077:
        place.chmod(_FOLDER_MODE if place.is_dir() else _FILE_MODE)


def make_private_below(folder: Place) -> None:
    """Takes from others what a library wrote in a folder with modes of its own.

    Of a shared store nothing: what lies in a folder that is private is, and object stores have no modes.
    """
    if isinstance(folder, Path):
        for place in (folder, *folder.rglob("*")):
            place.chmod(_FOLDER_MODE if place.is_dir() else _FILE_MODE)


def make_files_private(folder: Place) -> None:
    """Does the same of the files directly in a folder, and of nothing else."""
    if isinstance(folder, Path):
        for place in folder.iterdir():
            if place.is_file():
                place.chmod(_FILE_MODE)


def sizes_in(folder: Place) -> list[tuple[str, int]]:
    """Returns the name and size of each file directly in a folder, by one listing."""
    if isinstance(folder, RemotePlace):
        return [(PurePosixPath(one.path).name, one.n_bytes) for one in folder.entries() if not one.is_folder]
    with os.scandir(folder) as entries:
        return [(entry.name, entry.stat().st_size) for entry in entries if entry.is_file()]


def readable(place: Place) -> Path | io.BufferedReader:
    """Returns what libraries take that read a file: a path as it is, else an open file."""
    return place if isinstance(place, Path) else place.open("rb")


def has_modes(place: Place) -> bool:
    """Returns whether files there have modes: an object store has a policy instead."""
    return isinstance(place, Path) or place.uri.partition("://")[0] not in OBJECT_SCHEMES


def mode_of(place: Place) -> int | None:
    """Returns who may use a file or folder, as Unix writes it; None in a store without modes."""
    if isinstance(place, Path):
        return stat.S_IMODE(place.stat().st_mode)
    return _entry(place).mode


def n_bytes_of(place: Place) -> int:
    """Returns a file's size."""
    if isinstance(place, Path):
        return place.stat().st_size
    return _entry(place).n_bytes


def _entry(place: RemotePlace) -> Entry:
    found = place.entry()
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(place))
    return found


def write_whole(place: Place, content: bytes) -> None:
    """Writes a file with the folders it lies in: whole, or it is as it was."""
    with open_whole(place) as handle:
        handle.write(content)


@contextmanager
def open_whole(place: Place) -> Iterator[IO[bytes]]:
    """Gives a handle to write a file to, little by little; it takes its name when the block ends without an error."""
    if isinstance(place, RemotePlace):
        content = _Kept()
        yield content
        place.store.write(str(place.path).lstrip("/"), content.getvalue(), replace=True)
        return
    draft = place.with_name(f".{place.name}.part")
    place.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE), "wb") as handle:
            yield handle
        draft.replace(place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def open_new(place: Place) -> Iterator[IO[bytes]]:
    """Gives a handle to write a file to that is not there yet, in a folder that is; it goes if the block fails.

    It has its name from the beginning, unlike that of `open_whole`, so a process that is killed leaves no file of
    another name. Nobody may be told the name before the block ends.

    Raises:
        FileExistsError: There is such a file on this machine.
    """
    if isinstance(place, RemotePlace):
        with open_whole(place) as handle:
            yield handle
        return
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE), "wb") as handle:
        try:
            yield handle
        except BaseException:
            place.unlink()
            raise


class _Kept(io.BytesIO):
    """Bytes that stay when what wrote them closes its handle."""

    def close(self) -> None:
        """Keeps them."""


def write_folder(folder: Place, files: Mapping[str, bytes]) -> None:
    """Writes a folder anew: whatever was in it goes. A local one is replaced as a whole, when all is written."""
    if isinstance(folder, RemotePlace):
        remove_tree(folder)
        for name, content in files.items():
            write_whole(folder / name, content)
        return
    draft = folder.with_name(f".{folder.name}.part")
    remove_tree(draft)
    for name, content in files.items():
        write_whole(draft / name, content)
    remove_tree(folder)
    draft.rename(folder)


def write_new(place: RemotePlace, content: bytes) -> bool:
    """Writes a file where there is none. Returns whether it did: of several writers at once one does."""
    try:
        place.store.write(str(place.path).lstrip("/"), content, replace=False)
    except FileExistsError:
        return False
    return True


def move_file(place: Place, target: Place) -> None:
    """Gives a file another name in its file system, in a folder that is there. An object store copies it itself."""
    if isinstance(place, RemotePlace):
        place.store.move(str(place.path).lstrip("/"), _path_in_same_store(place, target))
    else:
        place.rename(require_local(target, what="Where a file is moved to"))


def _path_in_same_store(place: RemotePlace, target: Place) -> str:
    if not isinstance(target, RemotePlace) or target.root != place.root:
        raise ValueError("a file is moved within its file system")
    return str(target.path).lstrip("/")


def remove_tree(place: Place) -> None:
    """Removes a folder with all below it; nothing where there is none."""
    if isinstance(place, RemotePlace):
        place.store.remove(str(place.path).lstrip("/"))
    else:
        shutil.rmtree(place, ignore_errors=True)
