"""The mark of simulated data: bronze.files says it of each file, a property of a table of all that it is made from.

A lake holds simulated returns or real ones, never both, so what is true of its returns is true of what is made of them.
"""

from __future__ import annotations

from sos_spark.lake.arrow import read_arrow
from sos_spark.lake.faults import told_reading
from sos_spark.lake.versions import table_path, version_of
from sos_spark.places import Place, make_files_private
from sos_spark.tables import FILES, Table

PROPERTY = "sos_spark.is_simulated"


def holds_simulated(root: Place) -> bool:
    """Returns whether the lake's accepted returns are simulated. Needs no Spark."""
    if version_of(root, FILES) is None:
        return False
    accepted = read_arrow(root, FILES, where={"status": "accepted"})
    return any(accepted.column("is_simulated").to_pylist())


def is_marked(root: Place, table: Table) -> bool:
    """Returns whether a table of the lake is marked as made from simulated returns."""
    from deltalake import DeltaTable

    if version_of(root, table) is None:
        return False
    with told_reading(f"the log of {table.name}"):
        metadata = DeltaTable(str(table_path(root, table))).metadata()
    return metadata.configuration.get(PROPERTY) == "true"


def mark(root: Place, table: Table, *, simulated: bool) -> None:
    """Gives a table that has content the mark, where it has another: a commit that changes no row."""
    from deltalake import DeltaTable

    if is_marked(root, table) is not simulated:
        log = DeltaTable(str(table_path(root, table)))
        log.alter.set_table_properties({PROPERTY: str(simulated).lower()}, raise_if_not_exists=False)
        make_files_private(table_path(root, table) / "_delta_log")


def can_be_simulated(table: Table) -> bool:
    """Returns whether a table is made from returns; what is published is real."""
    return "published tables" not in table.made_from
