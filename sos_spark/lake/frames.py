"""Lake tables as frames: the files of a version, by the table's log, read as the Parquet that they are.

Spark's own reader of Delta computes the state of a log by two Spark jobs for each table, in each run. The log's library
reads it in milliseconds, and a table that asks a reader for nothing beyond Parquet needs no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sos_spark.lake.arrow import arrow_schema, files_of
from sos_spark.lake.faults import told_reading
from sos_spark.lake.versions import table_path
from sos_spark.places import Place
from sos_spark.tables import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PLAIN_READER = 1
"""The version of Delta's protocol whose tables are Parquet files and a list of them."""


def read_version(spark: SparkSession, root: Place, table: Table, version: int) -> DataFrame:
    """Returns a version of a table, which is there, with its declared columns in their order."""
    from deltalake import DeltaTable

    folder = table_path(root, table)
    with told_reading(f"the log of {table.name}"):
        log = DeltaTable(str(folder), version=version)
        if log.protocol().min_reader_version > PLAIN_READER:
            return spark.read.format("delta").option("versionAsOf", version).load(str(folder))
        files = files_of(log, root, table)
    if not files:
        return empty(spark, table)
    # Names of files are taken as they stand: those of partitions may hold what a pattern is written with.
    reader = spark.read.schema(table.schema()).option("basePath", str(folder)).option("globPaths", "false")
    return reader.parquet(*map(str, files)).select(table.column_names)


def empty(spark: SparkSession, table: Table) -> DataFrame:
    """Returns no rows with the table's columns."""
    import pyarrow as pa

    # An Arrow table is a local relation: Spark knows that it is empty, so joins with it cost nothing.
    nothing = pa.RecordBatch.from_pylist([], schema=arrow_schema(table))
    return spark.createDataFrame(pa.Table.from_batches([nothing]), table.schema())
