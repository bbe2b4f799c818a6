"""What reads and writes can fail with, told without the message that came with it: Spark's and Delta's quote rows.

`told_safely` is for the write of a table, `told_reading` for a read without Spark, `faults_told` for a whole step. Each
turns what it knows into one of our errors, with the table or file and an exit code; a fault of our own code passes.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from sos_spark.errors import (
    ConflictError,
    EnvironmentFaultError,
    InputError,
    QualityGateError,
    SosError,
    fault_in_worker,
)
from sos_spark.machine.java_errors import condition_of, java_causes, java_class, message_of, names_of, parameters_of

if TYPE_CHECKING:
    from sos_spark.tables import Table


class SchemaMismatchError(SosError):
    """A frame's columns are not the table's: a fault of the code that made the frame."""


class ConstraintViolationError(QualityGateError):
    """A row broke a NOT NULL or CHECK constraint, or stands outside the slices it was to replace."""


class SparkFaultError(SosError):
    """Spark failed at what should not fail: a fault of ours. Names the condition, never the message."""


_CONFLICT = re.compile(
    r"\.(Concurrent\w+Exception|MetadataChangedException|ProtocolChangedException)$|^DELTA_CONCURRENT_"
)
_VIOLATION = re.compile(
    r"DeltaInvariantViolationException$|^DELTA_(NOT_NULL_CONSTRAINT|VIOLATE_CONSTRAINT|REPLACE_WHERE_MISMATCH)"
)
_TWO_ROWS = re.compile(r"^DELTA_MULTIPLE_SOURCE_ROW")
_OTHER_COLUMNS = re.compile(r"^(DELTA_METADATA_MISMATCH|DELTA_FAILED_TO_MERGE_FIELDS|DELTA_SCHEMA_CHANGED)")
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
def told_safely(table: Table) -> Iterator[None]:
    """Turns what the write of a table fails with into typed errors; any other error passes as it is.

    Raises:
        ConflictError: Another writer changed the table meanwhile.
        ConstraintViolationError: Names the constraint where Delta does; never a value.
        InputError: A file that the rows are made from cannot be read, or the table has other columns.
        EnvironmentFaultError: The disk is full, read-only or broken, memory ran out, or Java has ended.
        SparkFaultError: Spark failed otherwise.
    """
    with _typed(lambda error: _of_table(error, table) or fault_of(error, where=f"the write of {table.name}")):
        yield


@contextmanager
def told_reading(what: str) -> Iterator[None]:
    """Turns what reading a table without Spark fails with into typed errors; any other error passes as it is.

    Raises:
        InputError: The table's log or a file of it is missing or damaged.
        EnvironmentFaultError: The disk fails, or we may not read there.
    """

    def typed(error: Exception) -> SosError | None:
        known = fault_of(error, where=what) if isinstance(error, OSError) and error.errno else None
        foreign = type(error).__module__.partition(".")[0] in ("deltalake", "_internal", "pyarrow")
        if known is None and (foreign or isinstance(error, OSError)):
            return _unreadable(what, type(error).__name__)
        return known

    with _typed(typed):
        yield


@contextmanager
def faults_told(where: str, *, source: Path | None = None) -> Iterator[None]:
    """Turns what a step fails with into typed errors, as `told_safely` does; a file of the source is an input.

    Raises:
        InputError: A source file cannot be read.
        EnvironmentFaultError, SparkFaultError: As `told_safely`.
    """
    with _typed(lambda error: fault_of(error, where=where, source=source)):
        yield


@contextmanager
def _typed(typed_as: Callable[[Exception], SosError | None]) -> Iterator[None]:
    try:
        yield
    except SosError:
        raise
    except Exception as error:
        typed = typed_as(error)
        if typed is None:
            raise
        # `from None`: the cause's message would quote the row in a traceback. The frames stay, for --debug.
        raise typed.with_traceback(error.__traceback__) from None


def fault_of(error: Exception, *, where: str, source: Path | None = None) -> SosError | None:
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
            return _unreadable(_path_of(parameters_of(throwable).get("path", "")) or where, condition_of(throwable))
    if any(_MEMORY.search(name) for name in names):
        return _out_of_memory(where)
    condition = next(filter(None, map(condition_of, causes)), "")
    return SparkFaultError(
        "Spark failed where it should not have",
        where=where,
        found=f"{condition or java_class(causes[-1])}; the message is withheld, since it may quote a record",
        remedy="Run again with --debug for the frames, and report them",
    )


def _of_table(error: Exception, table: Table) -> SosError | None:
    names = list(names_of(error))
    if any(_CONFLICT.search(name) for name in names):
        return conflict(table.name, found="another writer committed to it while this one worked")
    if any(_VIOLATION.search(name) for name in names):
        return ConstraintViolationError(
            "Rows break a constraint of their table, and nothing was written",
            where=table.name,
            expected=_broken_constraint(error, table),
            found="at least one row that breaks it; its values are withheld",
            remedy="A rule of the step before should have caught the row: report it",
        )
    if any(_TWO_ROWS.search(name) for name in names):
        return ConstraintViolationError(
            "Several rows to be merged share one key, and nothing was written",
            where=table.name,
            expected="one row per key",
            remedy="Reduce the rows to one per key before the merge",
        )
    if any(_OTHER_COLUMNS.search(name) for name in names):
        return other_columns(table)
    return None


def other_columns(table: Table) -> InputError:
    """Returns the error of a table of the lake that another release made."""
    return InputError(
        "A table of the lake has other columns than this release gives it",
        where=table.name,
        expected="a lake that this release made",
        remedy="Ingest the returns into a new lake",
    )


def conflict(what: str, *, found: str) -> ConflictError:
    """Returns the error of a table, or of the records as a whole, that another run holds or has changed."""
    return ConflictError(
        "Another run is at work on what this one needs",
        where=what,
        expected="one writer at a time",
        found=found,
        remedy="Wait until the other run has ended and give the same command again; it goes on where this one stopped",
    )


def _of_system(error: OSError, where: str, source: Path | None) -> SosError:
    """The typed error of a fault that the operating system told. A path is no record's value."""
    path = str(error.filename) if isinstance(error.filename, str) else ""
    place = where if not path or where.startswith("/") else f"{where}: {path}"
    kind = _ERRNO.get(error.errno or 0)
    if path and source is not None and Path(path).is_relative_to(source) and kind != _FULL:
        return _unreadable(path, type(error).__name__, remedy="Make the file readable, or take it out of the source")
    if kind is not None:
        return _disk(kind, place)
    if isinstance(error, FileNotFoundError):
        return _unreadable(place, "no such file", remedy="Put the file back, or run the step that makes it")
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
    return _disk(kind, where) if kind is not None else _unreadable(where, type(error).__name__)


def _is_of_py4j(error: OSError) -> bool:
    """Java's end shows as a refused or broken connection."""
    return isinstance(error, ConnectionError)


def _disk(kind: str, where: str) -> EnvironmentFaultError:
    what, expected, remedy = _TOLD[kind]
    return EnvironmentFaultError(what, where=where, expected=expected, remedy=remedy)


def _unreadable(where: str, found: str, *, remedy: str = "") -> InputError:
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


def _broken_constraint(error: BaseException, table: Table) -> str:
    """The broken constraint, as the table declares it: of the message only a declared name is ever repeated."""
    for throwable in java_causes(error):
        told = parameters_of(throwable)
        check = told.get("constraintName", "")
        if check in table.checks:
            return f"CHECK {check} ({table.checks[check]})"
        column = told.get("columnName", "")
        if column in table.column_names:
            return f"{column} NOT NULL"
    return "its NOT NULL and CHECK constraints"
