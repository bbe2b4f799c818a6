"""A place of a file system that machines share, with the few operations of `pathlib.Path` that the program uses."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Literal

from sos_spark.places.stores import Entry, Store, store_of

_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, order=True)
class RemotePlace:
    """A file or folder by its URI, as Hadoop writes it: nothing in it is escaped. It is no path of this machine.

    Each operation does what that of `pathlib.Path` does, with its errors, and nothing is asked of the store before one.
    """

    uri: str

    def __str__(self) -> str:
        return self.uri

    @property
    def root(self) -> str:
        """Its scheme and authority, as hdfs://name:8020."""
        scheme, _, rest = self.uri.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}"

    @property
    def path(self) -> PurePosixPath:
        """Where it is in its store, from the root."""
        return PurePosixPath("/" + self.uri.partition("://")[2].partition("/")[2])

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.name

    @property
    def stem(self) -> str:
        """Its name without the last suffix."""
        return self.path.stem

    @property
    def suffix(self) -> str:
        """The last suffix of its name, with the dot."""
        return self.path.suffix

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of its path, the root first."""
        return self.path.parts

    @property
    def parent(self) -> RemotePlace:
        """The folder it lies in."""
        return self._at(self.path.parent)

    @property
    def parents(self) -> tuple[RemotePlace, ...]:
        """The folders it lies in, innermost first."""
        return tuple(self._at(folder) for folder in self.path.parents)

    def __truediv__(self, name: str) -> RemotePlace:
        return self._at(self.path / name)

    def with_name(self, name: str) -> RemotePlace:
        """Returns the place of another name beside it."""
        return self._at(self.path.with_name(name))

    def with_suffix(self, suffix: str) -> RemotePlace:
        """Returns the place with another last suffix."""
        return self._at(self.path.with_suffix(suffix))

    def relative_to(self, folder: RemotePlace) -> PurePosixPath:
        """Returns its path from a folder that it lies in."""
        if folder.root != self.root:
            raise ValueError("the place lies in another file system")
        return self.path.relative_to(folder.path)

    def absolute(self) -> RemotePlace:
        """Returns itself: a URI always is."""
        return self

    def exists(self) -> bool:
        """Returns whether there is a file or folder."""
        return self.entry() is not None

    def is_dir(self) -> bool:
        """Returns whether it is a folder."""
        found = self.entry()
        return found is not None and found.is_folder

    def is_file(self) -> bool:
        """Returns whether it is a file."""
        found = self.entry()
        return found is not None and not found.is_folder

    def entry(self) -> Entry | None:
        """Returns what the store knows of it; None where there is nothing."""
        return self.store.entry(self._path)

    def entries(self, *, below: bool = False) -> list[Entry]:
        """Returns what the store knows of all that lies directly in it, or of every file below it."""
        return self.store.entries(self._path, below=below)

    def iterdir(self) -> Iterator[RemotePlace]:
        """Gives what lies directly in it."""
        return map(self._of, self.store.entries(self._path))

    def glob(self, pattern: str) -> Iterator[RemotePlace]:
        """Gives what lies directly in it and has a name of the pattern."""
        return (place for place in self.iterdir() if fnmatchcase(place.name, pattern))

    def rglob(self, pattern: str) -> Iterator[RemotePlace]:
        """Gives the files, and no folders, at any depth below it whose names are of the pattern."""
        found = map(self._of, self.store.entries(self._path, below=True))
        return (place for place in found if fnmatchcase(place.name, pattern))

    def read_bytes(self) -> bytes:
        """Returns its content."""
        return self.store.read(self._path)

    def read_text(self, encoding: str = "utf-8") -> str:
        """Returns its content as text, each line's end a line feed."""
        with io.TextIOWrapper(io.BytesIO(self.read_bytes()), encoding=encoding) as text:
            return text.read()

    def open(self, mode: Literal["rb"]) -> io.BufferedReader:  # noqa: ARG002 - as pathlib's
        """Opens it to read bytes, anywhere in it."""
        return io.BufferedReader(_Ranges(*self.store.reader(self._path)), _BUFFER_BYTES)

    def unlink(self, missing_ok: bool = False) -> None:
        """Removes the file."""
        if not missing_ok and not self.is_file():
            raise FileNotFoundError(2, "No such file", self.uri)
        self.store.remove(self._path)

    @property
    def store(self) -> Store:
        """The file system it is in."""
        return store_of(self.root)

    @property
    def _path(self) -> str:
        return str(self.path).lstrip("/")

    def _at(self, path: PurePosixPath) -> RemotePlace:
        return RemotePlace(f"{self.root}{path}")

    def _of(self, entry: Entry) -> RemotePlace:
        return RemotePlace(f"{self.root}/{entry.path}")


Place = Path | RemotePlace
"""A file or folder, here or on a file system that machines share."""


class _Ranges(io.RawIOBase):
    """A file of a store, read piece by piece."""

    def __init__(self, n_bytes: int, given: Callable[[int, int], bytes]) -> None:
        self._n_bytes = n_bytes
        self._given = given
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._n_bytes}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._n_bytes - self._at)
        if wanted <= 0:
            return 0
        part = self._given(self._at, wanted)
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)
