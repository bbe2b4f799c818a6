"""A lake as a run saw it: tables at the versions it read, and what is written kept apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sos_spark.errors import InputError
from sos_spark.lake import versions
from sos_spark.lake.lake import Lake
from sos_spark.places import Place
from sos_spark.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession


class PinnedLake(Lake):
    """Reads each table at a pinned version of another lake until this one has it; writes to its own folder only.

    Args:
        root: The folder of what is written.
        source: The lake whose tables are read. Nothing of it is changed.
        pinned: The version of each table by name; a table that is not named does not exist.
    """

    def __init__(self, root: Place, *, source: Lake, pinned: Mapping[str, int]) -> None:
        super().__init__(root)
        self._source = source
        self._pinned = dict(pinned)

    @property
    def is_simulated(self) -> bool:
        """Whether the other lake's returns are simulated."""
        return self._source.is_simulated

    def version(self, table: Table) -> int | None:
        """Returns the version that is read: of this lake where it has the table, else the pinned one."""
        own = super().version(table)
        return self._pinned.get(table.name) if own is None else own

    def read(self, spark: SparkSession, table: Table, *, version: int | None = None) -> DataFrame:
        """Returns the table; errors as `Lake.read`, and InputError where the pinned version is gone."""
        if versions.version_of(self.root, table) is not None:
            return super().read(spark, table, version=version)
        pinned = self._pinned.get(table.name) if version is None else version
        if pinned is None:
            raise InputError(
                "The run that is reproduced had no such table",
                where=table.name,
                remedy="Run the study anew: its manifest does not name this table",
            )
        return self._source.read(spark, table, version=pinned)

    def arrow(self, table: Table, *, where: Mapping[str, str] | None = None) -> pa.Table:
        """Returns a collapsed table's rows without Spark, of the version that is read; errors as `Lake.arrow`."""
        from sos_spark.lake.arrow import read_arrow

        if versions.version_of(self.root, table) is not None:
            return super().arrow(table, where=where)
        return read_arrow(self._source.root, table, version=self._pinned.get(table.name), where=where)
