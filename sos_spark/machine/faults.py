"""What disks, files, memory, Java and Spark fail with, told without the message that came with it: Spark's quote rows.

`faults_told` is for a whole step; what fails at one table of the lake is `lake.faults`. Each turns what it knows into
one of our errors, with the place and an exit code; a fault of our own code passes.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlparse

from sos_spark.errors import EnvironmentFaultError, InputError, SosError, fault_in_worker
from sos_spark.machine.java_errors import condition_of, java_causes, java_class, message_of, names_of, parameters_of
from sos_spark.places import Place, is_within, place_of


class SparkFaultError(SosError):
    """Spark failed at what should not fail: a fault of ours. Names the condition, never the message."""


_UNREADABLE = re.compile(r"^(FAILED_READ_FILE|CANNOT_READ_FILE|DELTA_FILE_NOT_FOUND|DELTA_.*LOG|DELTA_STATE_RECOVER)")
_MEMORY = re.compile(r"OutOfMemoryError$|^UNABLE_TO_ACQUIRE_MEMORY")
_JAVA_ENDED = re.compile(r"^py4j\.protocol\.Py4J(Network)?Error$|^builtins\.Connection\w*Error$")

_FULL, _READ_ONLY, _DENIED, _BROKEN = "full", "read-only", "denied", "broken"
_ERRNO = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EIO: _BROKEN,
}
_SAID = (
    (_FULL, re.compile(r"No space left on device|Disk quota exceeded|\[Errno (28|122)\]|os error (28|122)\b")),
    (_READ_ONLY, re.compile(r"Read-only file system|\[Errno 30\]|os error 30\b")),
    (_DENIED, re.compile(r"Permission denied|AccessDeniedException|\[Errno 13\]|os error 13\b")),
    (_BROKEN, re.compile(r"Input/output error|\[Errno 5\]|os error 5\b")),
)
_TOLD = {
    _FULL: ("The disk is full", "room for what is written", "Free space there and in TMPDIR, where Spark spills, "
            "and give the same command again; it goes on where this one stopped"),
    _READ_ONLY: ("A place that must be written to is read-only", "a file system that can be written to",
                 "Name a place that can be written to"),
    _DENIED: ("A file or folder may not be used", "one that we own", "Give its owner's rights, or name another place"),
    _BROKEN: ("A disk fails to read or write", "a sound disk", "Have the disk looked at, and name another place"),
}  # fmt: skip


@contextmanager
def faults_told(where: str, *, source: Place | None = None) -> Iterator[None]:
    """Turns what a step fails with into typed errors; any other error passes as it is.

    Raises:
        InputError: A file cannot be read, of the source or of the lake.
        EnvironmentFaultError: The disk is full, read-only or broken, memory ran out, or Java has ended.
        SparkFaultError: Spark failed otherwise.
    """
    with raised_as(lambda error: fault_of(error, where=where, source=source)):
        yield


@contextmanager
def raised_as(typed_as: Callable[[Exception], SosError | None]) -> Iterator[None]:
    """Raises an error as what `typed_as` makes of it; as it is where that is None, or it is typed already."""
    try:
        yield
    except SosError:
        raise
    except Exception as error:
        told = typed_as(error)
        if told is None:
            raise
        # `from None`: the cause's message would quote the row in a traceback. The frames stay, for --debug.
        raise told.with_traceback(error.__traceback__) from None


def fault_of(error: Exception, *, where: str, source: Place | None = None) -> SosError | None:
    """Returns the typed error of a fault of disks, files, memory, Java or Spark; None for a fault of our own code."""
    if isinstance(error, OSError) and not _is_of_py4j(error):
        return _of_system(error, where, source)
    if isinstance(error, MemoryError):
        return _out_of_memory(where)
    causes = list(java_causes(error))
    names = list(names_of(error))
    if not causes:
        return _java_has_ended(where) if any(_JAVA_ENDED.search(name) for name in names) else _delta_rs(error, where)
    said = [message_of(throwable) for throwable in causes]
    for message in said:
        in_worker = fault_in_worker(message)
        if in_worker is not None:
            return in_worker
    kind = next((kind for kind, pattern in _SAID if any(map(pattern.search, said))), None)
    if kind is not None:
        return _disk(kind, where)
    for throwable in causes:
        if _UNREADABLE.search(condition_of(throwable)):
            return unreadable_file(_path_of(parameters_of(throwable).get("path", "")) or where, condition_of(throwable))
    if any(_MEMORY.search(name) for name in names):
        return _out_of_memory(where)
    condition = next(filter(None, map(condition_of, causes)), "")
    return SparkFaultError(
        "Spark failed where it should not have",
        where=where,
        found=f"{condition or java_class(causes[-1])}; the message is withheld, since it may quote a record",
        remedy="Run again with --debug for the frames, and report them",
    )


def _of_system(error: OSError, where: str, source: Place | None) -> SosError:
    """The typed error of a fault that the operating system told. A path is no record's value."""
    path = str(error.filename) if isinstance(error.filename, str) else ""
    place = where if not path or where.startswith("/") else f"{where}: {path}"
    kind = _ERRNO.get(error.errno or 0)
    if path and source is not None and is_within(place_of(path), source) and kind != _FULL:
        return unreadable_file(
            path, type(error).__name__, remedy="Make the file readable, or take it out of the source"
        )
    if kind is not None:
        return _disk(kind, place)
    if isinstance(error, FileNotFoundError):
        return unreadable_file(place, "no such file", remedy="Put the file back, or run the step that makes it")
    return EnvironmentFaultError(
        "The operating system refused to read or write",
        where=place,
        found=errno.errorcode.get(error.errno or 0, type(error).__name__),
        remedy="See that the place exists, is of the right kind, and is ours to read and write",
    )


def _delta_rs(error: Exception, where: str) -> SosError | None:
    """What the Delta library without Java says of the system."""
    if type(error).__module__.partition(".")[0] not in ("deltalake", "_internal"):
        return None
    kind = next((kind for kind, pattern in _SAID if pattern.search(str(error))), None)
    return _disk(kind, where) if kind is not None else unreadable_file(where, type(error).__name__)


def _is_of_py4j(error: OSError) -> bool:
    """Java's end shows as a refused or broken connection."""
    return isinstance(error, ConnectionError)


def _disk(kind: str, where: str) -> EnvironmentFaultError:
    what, expected, remedy = _TOLD[kind]
    return EnvironmentFaultError(what, where=where, expected=expected, remedy=remedy)


def unreadable_file(where: str, found: str, *, remedy: str = "") -> InputError:
    """Returns the error of a file that is missing or damaged; `found` is a kind of error, never its message."""
    return InputError(
        "A file is missing or damaged",
        where=where,
        expected="a file that can be read to its end",
        found=found,
        remedy=remedy or "Put the file back as it was, or make a new lake from the returns",
    )


def _out_of_memory(where: str) -> EnvironmentFaultError:
    return EnvironmentFaultError(
        "Memory ran out", where=where, remedy="Give more with --driver-memory, as in --driver-memory 8g"
    )


def _java_has_ended(where: str) -> EnvironmentFaultError:
    return EnvironmentFaultError(
        "Spark's Java process has ended",
        where=where,
        expected="Java to live as long as the command",
        remedy="See whether it was killed for want of memory; give the same command again, perhaps with another "
        "--driver-memory",
    )


def _path_of(text: str) -> str:
    return unquote(urlparse(text).path)
