"""What a person writes as a place: a path, or a URI of a scheme that Spark and this program both know."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sos_spark.errors import StudyError
from sos_spark.places.remote import Place, RemotePlace

SCHEMES = ("file", "hdfs", "s3a", "abfss", "gs")
"""The schemes of places; file is a path of this machine."""
_PLAIN = re.compile(r"[A-Za-z0-9._~/-]*", re.ASCII)
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/", re.ASCII)


def place_of(given: str | Place) -> Place:
    """Returns the place that a text names.

    Raises:
        StudyError: It is a URI of a scheme that is not known, without the name of a server or bucket, or with a query,
            a fragment or a password in it.
    """
    if not isinstance(given, str):
        return given
    scheme = _URI.match(given)
    if scheme is None:
        return Path(given)
    name = scheme[1].lower()
    if name == "file":
        return Path(unquote(urlsplit(given).path))
    rest = given[scheme.end() :].removeprefix("/")
    if name not in SCHEMES or not given.startswith("//", scheme.end() - 1):
        raise StudyError(
            "A place has a scheme that is not known",
            expected=f"a path, or a URI that begins with {', '.join(f'{one}://' for one in SCHEMES)}",
            found=f"{name}:",
            remedy="Write the place as Hadoop does",
        )
    authority, _, path = rest.partition("/")
    user = authority.rpartition("@")[0]
    if not authority or ":" in user or (user and name != "abfss"):
        raise StudyError(
            "A place must name its server, bucket or container, and no user or password",
            expected={"abfss": "abfss://container@account.dfs.core.windows.net/folder"}.get(
                name, f"{name}://name/folder"
            ),
            remedy="Credentials come from the environment or the provider's own chain",
        )
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise StudyError("A place must not have .. in it", expected="the folder's own place")
    return RemotePlace("/".join([f"{name}://{authority}", *parts]))


def within(place: Place, folder: Place) -> str:
    """Returns the path of a place from a folder that it lies in, with slashes."""
    if isinstance(place, RemotePlace) and isinstance(folder, RemotePlace):
        return str(place.relative_to(folder))
    if isinstance(place, Path) and isinstance(folder, Path):
        return place.relative_to(folder).as_posix()
    raise ValueError("the place lies in another file system")


def require_plain(place: Place) -> None:
    """Checks that every library writes a URI in the same way: what only some escape would part a lake in two.

    Raises:
        StudyError: It has a character that is escaped in some URIs.
    """
    if isinstance(place, RemotePlace) and not _PLAIN.fullmatch(str(place.path)):
        raise StudyError(
            "The URI of a lake has a character that some programs would write in another way",
            where=str(place),
            expected="letters, digits and - . _ ~ between slashes",
            remedy="Name another folder",
        )


def is_same(one: Place, other: Place) -> bool:
    """Returns whether two places are one file or folder."""
    if isinstance(one, Path) and isinstance(other, Path):
        return one.resolve() == other.resolve()
    return one == other


def is_within(place: Place, folder: Place) -> bool:
    """Returns whether a place is a folder or lies in it."""
    try:
        within(place, folder)
    except ValueError:
        return False
    return True
