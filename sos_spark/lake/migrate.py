"""Brings a lake that another version of the tables made up to date: what can be migrated is, the rest is made anew.

A table that only lacks columns that may be null gets them. Any other table after bronze is made from bronze, so it is
taken away and the next run makes it again. Bronze itself cannot be made again from the lake.
"""

from __future__ import annotations

from dataclasses import dataclass

from sos_spark.errors import InputError
from sos_spark.lake.faults import told_reading
from sos_spark.lake.forms import MADE_BY, Difference, delta_field, difference, our_version
from sos_spark.lake.locks import locked, records_held
from sos_spark.lake.versions import open_log, table_path, version_of
from sos_spark.places import Place, make_files_private, remove_tree
from sos_spark.tables import TABLES

_BRONZE = "bronze"


@dataclass(frozen=True)
class Migration:
    """What was done: tables that got columns, and tables that the next run makes again. Names, in declared order."""

    migrated: tuple[str, ...] = ()
    to_rebuild: tuple[str, ...] = ()


def migrate(root: Place) -> Migration:
    """Brings the lake up to date; one that is already is left as it is. Needs no Spark.

    Raises:
        InputError: A table of bronze is of a form that cannot be migrated. Nothing is changed.
        ConflictError: A run is at work on the lake.
    """
    with records_held(root, to_write=True):
        differences = _differences(root)
        _require_bronze([one for one in differences if _is_lost(root, one)], root)
        migrated = [one for one in differences if _gets_columns(root, one)]
        rebuilt = [one for one in differences if one not in migrated]
        for one in migrated:
            _add_columns(root, one)
        for one in rebuilt:
            with locked(root, one.table, java_process=None):
                remove_tree(table_path(root, one.table))
    return Migration(tuple(one.table.name for one in migrated), tuple(one.table.name for one in rebuilt))


def _differences(root: Place) -> list[Difference]:
    found = []
    for table in TABLES.values():
        log = open_log(root, table)
        told = difference(log, table) if log is not None else None
        if told is not None:
            found.append(told)
    return found


def _gets_columns(root: Place, told: Difference) -> bool:
    # A column added to a table without content would count as its first content.
    return told.can_be_added and version_of(root, told.table) is not None


def _is_lost(root: Place, told: Difference) -> bool:
    """Whether rows would be lost that nothing in the lake can make again."""
    has_rows = version_of(root, told.table) is not None
    return told.table.layer == _BRONZE and has_rows and not told.can_be_added


def _require_bronze(lost: list[Difference], root: Place) -> None:
    if lost:
        raise InputError(
            "Bronze was made by another version of the tables, and cannot be made again from the lake",
            where=f"{', '.join(one.table.name for one in lost)} in {root}",
            expected=f"the form that sos_spark {our_version()} gives it",
            found="; ".join(dict.fromkeys(map(str, lost))),
            remedy="Ingest the returns into a new lake: sos-spark run --source DIR --lake NEW",
        )


def _add_columns(root: Place, told: Difference) -> None:
    with locked(root, told.table, java_process=None), told_reading(told.table.name):
        log = open_log(root, told.table)
        if log is None:
            return
        log.alter.add_columns([delta_field(column) for column in told.lacking])
        log.alter.set_table_properties({MADE_BY: our_version()}, raise_if_not_exists=False)
        make_files_private(table_path(root, told.table) / "_delta_log")
