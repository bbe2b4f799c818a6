"""What a write can fail with, told without Spark's message: Delta's constraint violations quote the row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sos_spark.errors import ConflictError, QualityGateError, SosError

if TYPE_CHECKING:
    from sos_spark.tables import Table


class SchemaMismatchError(SosError):
    """A frame's columns are not the table's: a fault of the code that made the frame."""


class ConstraintViolationError(QualityGateError):
    """A row broke a NOT NULL or CHECK constraint, or stands outside the slices it was to replace."""


_CONFLICT = re.compile(
    r"\.(Concurrent\w+Exception|MetadataChangedException|ProtocolChangedException)$|^DELTA_CONCURRENT_"
)
_VIOLATION = re.compile(
    r"DeltaInvariantViolationException$|^DELTA_(NOT_NULL_CONSTRAINT|VIOLATE_CONSTRAINT|REPLACE_WHERE_MISMATCH)"
)
_TWO_ROWS = re.compile(r"^DELTA_MULTIPLE_SOURCE_ROW")


@contextmanager
def told_safely(table: Table) -> Iterator[None]:
    """Turns Delta's conflicts and violations into typed errors; any other error passes as it is.

    Raises:
        ConflictError: Another writer changed the table meanwhile.
        ConstraintViolationError: Names the constraint where Delta does; never a value.
    """
    try:
        yield
    except SosError:
        raise
    except Exception as error:
        typed = _typed(error, table)
        if typed is None:
            raise
        # `from None`: the cause's message would quote the row in a traceback.
        raise typed from None


def _typed(error: Exception, table: Table) -> SosError | None:
    names = list(_names(error))
    if any(_CONFLICT.search(name) for name in names):
        return conflict(table.name, found="another writer committed to it while this one worked")
    if any(_VIOLATION.search(name) for name in names):
        return ConstraintViolationError(
            "Rows break a constraint of their table, and nothing was written",
            where=table.name,
            expected=_broken(error, table),
            found="at least one row that breaks it; its values are withheld",
            remedy="A rule of the step before should have caught the row: report it",
        )
    if any(_TWO_ROWS.search(name) for name in names):
        return ConstraintViolationError(
            "Several rows to be merged share one key, and nothing was written",
            where=table.name,
            expected="one row a key",
            remedy="Reduce the rows to one a key before the merge",
        )
    return None


def conflict(what: str, *, found: str) -> ConflictError:
    """Returns the error of a table, or of the records as a whole, that another run holds or has changed."""
    return ConflictError(
        "Another run is at work on what this one needs",
        where=what,
        expected="one writer at a time",
        found=found,
        remedy="Wait until the other run has ended and give the same command again; it goes on where this one stopped",
    )


def _names(error: BaseException) -> Iterator[str]:
    """The Java class names and error conditions of an error and its causes."""
    yield f"{type(error).__module__}.{type(error).__name__}"
    for throwable in _java_causes(error):
        yield str(throwable.getClass().getName())
        condition = _call(throwable, "getErrorClass") or _call(throwable, "getCondition")
        if condition:
            yield str(condition)


def _java_causes(error: BaseException) -> Iterator[Any]:
    """The Java exception behind a Python one, and its causes."""
    throwable = getattr(error, "_origin", None) or getattr(error, "java_exception", None)
    for _ in range(20):
        if throwable is None:
            return
        yield throwable
        throwable = throwable.getCause()


def _broken(error: BaseException, table: Table) -> str:
    """The broken constraint, as the table declares it: of the message only a declared name is ever repeated."""
    for throwable in _java_causes(error):
        parameters = _call(throwable, "getMessageParameters")
        if parameters is None:
            continue
        told = {str(key): str(parameters[key]) for key in parameters}
        check = told.get("constraintName", "")
        if check in table.checks:
            return f"CHECK {check} ({table.checks[check]})"
        column = told.get("columnName", "")
        if column in table.column_names:
            return f"{column} NOT NULL"
    return "its NOT NULL and CHECK constraints"


def _call(throwable: Any, method: str) -> Any:
    """Calls a getter that not every Java exception has."""
    try:
        return getattr(throwable, method)()
    except Exception:
        return None
