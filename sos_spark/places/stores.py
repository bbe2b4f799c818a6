"""File systems that machines share, each by the few things the program asks of it.

HDFS by hdfs-native, object stores (S3, Azure, Google) by obstore: neither needs Java, and both can write a file only
where there is none, which is what a lease stands on. Credentials come from the environment or the provider's own chain,
never from a setting of ours.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, Protocol
from uuid import uuid4

from sos_spark.errors import EnvironmentFaultError

OBJECT_SCHEMES = {"s3a": "s3", "s3": "s3", "abfss": "abfss", "gs": "gs"}
"""Schemes of object stores as Hadoop names them, and as obstore does."""
_REACHED_WITHIN_SECONDS = 10.0


@dataclass(frozen=True)
class Entry:
    """A file or folder of a store: its path from the root, a file's size, and its mode where the store has modes."""

    path: str
    is_folder: bool
    n_bytes: int = 0
    mode: int | None = None


class Store(Protocol):
    """What a file system must be able to do. Paths begin at the store's root, without a slash before them.

    Each raises FileNotFoundError, FileExistsError, PermissionError or another OSError, with the path as its name.
    """

    def entry(self, path: str) -> Entry | None:
        """Returns the file or folder; None where there is none."""
        ...

    def entries(self, path: str, *, below: bool = False) -> list[Entry]:
        """Returns what lies directly in a folder, or every file below it; nothing where there is no folder."""
        ...

    def read(self, path: str) -> bytes:
        """Returns a file's content."""
        ...

    def reader(self, path: str) -> tuple[int, Callable[[int, int], bytes]]:
        """Returns a file's size, and a function that gives so many bytes from an offset."""
        ...

    def write(self, path: str, content: bytes, *, replace: bool) -> None:
        """Writes a whole file: others see all of it or nothing. Unless it replaces, an existing file is an error."""
        ...

    def make_folder(self, path: str, *, mode: int) -> None:
        """Makes a folder, and those it lies in, with a mode where the store has modes."""
        ...

    def set_mode(self, path: str, mode: int) -> None:
        """Gives a file or folder a mode, where the store has modes."""
        ...

    def move(self, path: str, target: str) -> None:
        """Gives a file another path; the folder it then lies in is there."""
        ...

    def remove(self, path: str) -> None:
        """Removes a file, or a folder with all below it; nothing where there is neither."""
        ...


class HdfsStore:
    """A Hadoop file system, by its own protocol."""

    def __init__(self, root: str) -> None:
        from hdfs_native import Client

        self._root = root
        _require_reached(root)
        self._client: Any = Client(root)

    def entry(self, path: str) -> Entry | None:
        """As `Store.entry`."""
        with suppress(FileNotFoundError), self._told(path):
            return _hdfs_entry(self._client.get_file_info(f"/{path}"))
        return None

    def entries(self, path: str, *, below: bool = False) -> list[Entry]:
        """As `Store.entries`."""
        with suppress(FileNotFoundError), self._told(path):
            found = [_hdfs_entry(status) for status in self._client.list_status(f"/{path}", below)]
            return [one for one in found if not (below and one.is_folder)]
        return []

    def read(self, path: str) -> bytes:
        """As `Store.read`."""
        with self._told(path), self._client.read(f"/{path}") as handle:
            content: bytes = handle.read()
            return content

    def reader(self, path: str) -> tuple[int, Callable[[int, int], bytes]]:
        """As `Store.reader`."""
        with self._told(path):
            handle = self._client.read(f"/{path}")

        def given(offset: int, n_bytes: int) -> bytes:
            with self._told(path):
                part: bytes = handle.read_range(offset, n_bytes)
                return part

        return len(handle), given

    def write(self, path: str, content: bytes, *, replace: bool) -> None:
        """As `Store.write`: a draft beside the file, which takes its name when it is whole."""
        from hdfs_native import WriteOptions

        whole = PurePosixPath("/") / path
        draft = str(whole.with_name(f".{whole.name}.{uuid4().hex[:12]}.part"))
        with self._told(path):
            try:
                with self._client.create(draft, WriteOptions(permission=0o600, create_parent=True)) as handle:
                    handle.write(content)
                self._client.rename(draft, str(whole), overwrite=replace)
            except BaseException:
                with suppress(Exception):
                    self._client.delete(draft)
                raise

    def make_folder(self, path: str, *, mode: int) -> None:
        """As `Store.make_folder`."""
        with self._told(path):
            if self.entry(path) is None:
                self._client.mkdirs(f"/{path}", permission=mode, create_parent=True)

    def set_mode(self, path: str, mode: int) -> None:
        """As `Store.set_mode`."""
        with self._told(path):
            self._client.set_permission(f"/{path}", mode)

    def move(self, path: str, target: str) -> None:
        """As `Store.move`."""
        with self._told(path):
            self._client.rename(f"/{path}", f"/{target}")

    def remove(self, path: str) -> None:
        """As `Store.remove`."""
        with self._told(path):
            self._client.delete(f"/{path}", recursive=True)

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        with _told(f"{self._root}/{path}"):
            yield


class ObjectStore:
    """A bucket or container: it has no folders and no modes, and a file appears whole."""

    def __init__(self, root: str, store: Any = None) -> None:
        from obstore.store import from_url

        self._root = root
        scheme, _, rest = root.partition("://")
        self._store = store if store is not None else from_url(f"{OBJECT_SCHEMES[scheme]}://{rest}")

    def entry(self, path: str) -> Entry | None:
        """As `Store.entry`: a folder is what something lies in."""
        import obstore

        if path:
            with suppress(FileNotFoundError), self._told(path):
                return Entry(path, False, int(obstore.head(self._store, path)["size"]))
        return Entry(path, True) if not path or self.entries(path) else None

    def entries(self, path: str, *, below: bool = False) -> list[Entry]:
        """As `Store.entries`."""
        import obstore

        with self._told(path):
            if below:
                listing = obstore.list(self._store, path or None)
                objects: list[Any] = [
                    one for page in listing for one in page if one["size"] or self._is_there(one["path"])
                ]
                folders: list[str] = []
            else:
                listed = obstore.list_with_delimiter(self._store, path or None)
                objects, folders = list(listed["objects"]), list(listed["common_prefixes"])
        files = [Entry(one["path"], False, int(one["size"])) for one in objects if one["path"] != path]
        return [*(Entry(folder, True) for folder in folders), *files]

    def _is_there(self, path: str) -> bool:
        """Whether a listed object without a byte is one: Hadoop marks an empty folder by `path/`, listed as `path`."""
        import obstore

        with suppress(FileNotFoundError), self._told(path):
            obstore.head(self._store, path)
            return True
        return False

    def read(self, path: str) -> bytes:
        """As `Store.read`."""
        import obstore

        with self._told(path):
            return bytes(obstore.get(self._store, path).bytes())

    def reader(self, path: str) -> tuple[int, Callable[[int, int], bytes]]:
        """As `Store.reader`."""
        import obstore

        with self._told(path):
            size = int(obstore.head(self._store, path)["size"])

        def given(offset: int, n_bytes: int) -> bytes:
            with self._told(path):
                return bytes(obstore.get_range(self._store, path, start=offset, length=n_bytes))

        return size, given

    def write(self, path: str, content: bytes, *, replace: bool) -> None:
        """As `Store.write`: a conditional put where it must not replace."""
        import obstore

        with self._told(path):
            obstore.put(self._store, path, content, mode="overwrite" if replace else "create")

    def make_folder(self, path: str, *, mode: int) -> None:
        """A folder is there as soon as something lies in it."""

    def set_mode(self, path: str, mode: int) -> None:
        """Who may read is the bucket's policy."""

    def move(self, path: str, target: str) -> None:
        """As `Store.move`: a copy within the store, and the first goes."""
        import obstore

        with self._told(path):
            obstore.rename(self._store, path, target)

    def remove(self, path: str) -> None:
        """As `Store.remove`."""
        import obstore

        below = [one.path for one in self.entries(path, below=True)]
        with self._told(path):
            for name in [*below, path]:
                with suppress(FileNotFoundError):
                    obstore.delete(self._store, name)

    @contextmanager
    def _told(self, path: str) -> Iterator[None]:
        with _told(f"{self._root}/{path}"):
            yield


@lru_cache(maxsize=16)
def store_of(root: str) -> Store:
    """Returns the store of a URI's scheme and authority, one per process.

    Raises:
        EnvironmentFaultError: The package for it is not installed, or its server is not reached.
    """
    scheme = root.partition("://")[0]
    try:
        return ObjectStore(root) if scheme in OBJECT_SCHEMES else HdfsStore(root)
    except ModuleNotFoundError as error:
        raise EnvironmentFaultError(
            "The package for places of this kind is not installed",
            where=root,
            found=f"no module {error.name}",
            remedy="Install it, here and where Spark's executors run: pip install 'sos-spark[spark,stores]'",
        ) from None


def _require_reached(root: str) -> None:
    """The client would try for ever to reach a name node that is not there. A logical name has no port."""
    host, _, port = root.partition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_REACHED_WITHIN_SECONDS).close()
    except OSError as error:
        raise EnvironmentFaultError(
            "The name node is not reached",
            where=root,
            expected="a server that answers at that address",
            found=type(error).__name__,
            remedy="See that it runs and that this machine may reach it; correct the address of the place",
        ) from None


def _hdfs_entry(status: Any) -> Entry:
    return Entry(str(status.path).lstrip("/"), bool(status.isdir), int(status.length), int(status.permission))


_KINDS: tuple[tuple[str, int], ...] = (
    ("FileNotFoundError", errno.ENOENT),
    ("NotFoundError", errno.ENOENT),
    ("FileExistsError", errno.EEXIST),
    ("AlreadyExistsError", errno.EEXIST),
    ("PreconditionError", errno.EEXIST),
    ("PermissionError", errno.EACCES),
    ("PermissionDeniedError", errno.EACCES),
    ("UnauthenticatedError", errno.EACCES),
)


@contextmanager
def _told(place: str) -> Iterator[None]:
    """Raises what a client library fails with as the OSError that a local file system would raise, with the place."""
    try:
        yield
    except OSError as error:
        if error.filename == place:
            raise
        raise _as_os_error(error, place) from None
    except Exception as error:
        # hdfs-native raises what it has no kind for as a RuntimeError.
        if type(error).__module__.partition(".")[0] != "obstore" and type(error) is not RuntimeError:
            raise
        raise _as_os_error(error, place) from None


def _as_os_error(error: Exception, place: str) -> OSError:
    names = {kind.__name__ for kind in type(error).__mro__}
    number = next((number for name, number in _KINDS if name in names), errno.EREMOTEIO)
    return OSError(number, os.strerror(number), place)
