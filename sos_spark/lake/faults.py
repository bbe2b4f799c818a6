"""What reads and writes of a table can fail with, told without the message that came with it: Delta's quote rows.

`told_safely` is for the write of a table, `told_reading` for a read without Spark. What is no table's fault, but the
disk's or Spark's, is `machine.faults`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sos_spark.errors import ConflictError, QualityGateError, SosError
from sos_spark.lake.constraints import broken_constraint
from sos_spark.machine.faults import fault_of, raised_as, unreadable_file
from sos_spark.machine.java_errors import java_causes, names_of, parameters_of

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
    r"DeltaInvariantViolationException$|^USER_RAISED_EXCEPTION$|^DELTA_(NOT_NULL_CONSTRAINT|VIOLATE_CONSTRAINT|REPLACE_WHERE_MISMATCH)"
)
_OTHER_COLUMNS = re.compile(r"^(DELTA_METADATA_MISMATCH|DELTA_FAILED_TO_MERGE_FIELDS|DELTA_SCHEMA_CHANGED)")


@contextmanager
def told_safely(table: Table) -> Iterator[None]:
    """Turns what the write of a table fails with into typed errors; any other error passes as it is.

    Raises:
        ConflictError: Another writer changed the table, or its columns, meanwhile.
        ConstraintViolationError: Names the constraint where Delta does; never a value.
        InputError: A file that the rows are made from cannot be read.
        EnvironmentFaultError: The disk is full, read-only or broken, memory ran out, or Java has ended.
        SparkFaultError: Spark failed otherwise.
    """
    with raised_as(lambda error: _of_table(error, table) or fault_of(error, where=f"the write of {table.name}")):
        yield


@contextmanager
def told_reading(what: str) -> Iterator[None]:
    """Turns what reading a table without Spark fails with into typed errors; any other error passes as it is.

    Raises:
        InputError: The table's log or a file of it is missing or damaged.
        EnvironmentFaultError: The disk fails, or we may not read there.
    """

    def typed_as(error: Exception) -> SosError | None:
        known = fault_of(error, where=what) if isinstance(error, OSError) and error.errno else None
        foreign = type(error).__module__.partition(".")[0] in ("deltalake", "_internal", "pyarrow")
        if known is None and (foreign or isinstance(error, OSError)):
            return unreadable_file(what, type(error).__name__)
        return known

    with raised_as(typed_as):
        yield


def _of_table(error: Exception, table: Table) -> SosError | None:
    names = list(names_of(error))
    if any(_CONFLICT.search(name) for name in names):
        return conflict(table.name, found="another writer committed to it while this one worked")
    if any(_VIOLATION.search(name) for name in names):
        return broken(table, _broken_constraint(error, table))
    if any(_OTHER_COLUMNS.search(name) for name in names):
        # The form was looked at before the write: another process has changed it since.
        return conflict(table.name, found="its columns changed while this run worked")
    return None


def broken(table: Table, constraint: str) -> ConstraintViolationError:
    """Returns the error of rows that break a constraint of their table."""
    return ConstraintViolationError(
        "Rows break a constraint of their table, and nothing was written",
        where=table.name,
        expected=constraint,
        found="at least one row that breaks it; its values are withheld",
        remedy="A rule of the step before should have caught the row: report it",
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


def _broken_constraint(error: BaseException, table: Table) -> str:
    """The broken constraint, as the table declares it: of the message only a declared name is ever repeated."""
    for throwable in java_causes(error):
        told = parameters_of(throwable)
        if raised := broken_constraint(told.get("errorMessage", ""), table):
            return raised
        check = told.get("constraintName", "")
        if check in table.checks:
            return f"CHECK {check} ({table.checks[check]})"
        column = told.get("columnName", "")
        if column in table.column_names:
            return f"{column} NOT NULL"
    return "its NOT NULL and CHECK constraints"
