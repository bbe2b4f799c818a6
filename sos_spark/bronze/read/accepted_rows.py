"""The rows of accepted returns, whatever form they came in, as the bronze tables take them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.bronze.arrive.inspection import Inspection
from sos_spark.bronze.decide.returns import Return, Slice
from sos_spark.bronze.fields import CHARACTERISTICS, LA_YEAR
from sos_spark.bronze.read.flat_tables import file_of_uri, read_table, with_characteristics
from sos_spark.bronze.read.parsing import module_records, read_records
from sos_spark.tables import BRONZE_MODULES


@dataclass(frozen=True)
class AcceptedRows:
    """The rows of accepted returns by module: parsed records of XML and CSV, and tables."""

    records: DataFrame | None
    record_modules: frozenset[str]
    tables: Mapping[str, DataFrame]

    def of(self, module: str) -> DataFrame | None:
        """Returns a module's rows with its bronze table's columns; None where no return has any."""
        columns = BRONZE_MODULES[module].column_names
        parts = []
        if self.records is not None and module in self.record_modules:
            parts.append(module_records(self.records, module))
        if module in self.tables:
            parts.append(self.tables[module])
        if not parts:
            return None
        first, *rest = (part.select(*columns) for part in parts)
        return first.unionAll(rest[0]) if rest else first


@contextmanager
def accepted_rows(
    spark: SparkSession, accepted: Sequence[Return], modules: Collection[str] = tuple(BRONZE_MODULES)
) -> Iterator[AcceptedRows]:
    """Gives the rows of accepted returns; XML and CSV are parsed once and kept until the context ends.

    Of tables only those of the modules, and what is joined to them, are there.
    """
    parts = [part for one in accepted for part in one.parts if part.file.file.form != "table"]
    records = None
    if parts:
        records = read_records(spark, [part.file for part in parts]).persist(StorageLevel.MEMORY_AND_DISK)
    of_records = frozenset(module for part in parts for module, n_rows in part.rows_by_module.items() if n_rows)
    try:
        yield AcceptedRows(records, of_records, _tables(spark, accepted, {*modules, CHARACTERISTICS}))
    finally:
        if records is not None:
            records.unpersist()


def _tables(spark: SparkSession, accepted: Sequence[Return], modules: Collection[str]) -> dict[str, DataFrame]:
    """The accepted LA-years of each module's table, with provenance."""
    taken: dict[str, list[tuple[Slice, Inspection]]] = defaultdict(list)
    for one in accepted:
        for part in one.parts:
            if part.file.file.form == "table" and part.file.file.module in modules:
                taken[part.file.file.module or ""].append((one.slice, part.file))
    frames = {}
    for module, parts in taken.items():
        files = {file.file.name: file for _, file in parts}
        # One small table says both which LA-years of which file are taken and what the file's id is.
        rows = read_table(spark, list(files.values()))
        taken_rows = rows.join(F.broadcast(_taken(spark, _with_uris(spark, parts))), ["file_uri", *LA_YEAR])
        # A table has no elements that could be out of place.
        frames[module] = taken_rows.withColumn("record_fault", F.lit(None).cast("string"))
    characteristics = frames.pop(CHARACTERISTICS, None)
    if characteristics is not None and "child_identifiers" in frames:
        frames["child_identifiers"] = with_characteristics(frames["child_identifiers"], characteristics)
    return frames


def _with_uris(spark: SparkSession, parts: Sequence[tuple[Slice, Inspection]]) -> list[tuple[Slice, Inspection]]:
    """Gives files that Spark has not counted the names by which it knows them. Reads no column."""
    unnamed = {file.file.path: file for _, file in parts if not file.uri}
    if not unnamed:
        return list(parts)
    named = read_table(spark, list(unnamed.values())).select("file_uri").distinct().collect()
    uris = {file_of_uri(row.file_uri): row.file_uri for row in named}
    return [(where, replace(file, uri=file.uri or uris[file.file.path])) for where, file in parts]


def _taken(spark: SparkSession, parts: Sequence[tuple[Slice, Inspection]]) -> DataFrame:
    """Grain: one row per file and LA-year of it, with the file's id."""
    columns = {
        "file_uri": pa.array([file.uri for _, file in parts], pa.string()),
        "la_code": pa.array([where.la_code for where, _ in parts], pa.string()),
        "census_year": pa.array([where.census_year for where, _ in parts], pa.int32()),
        "file_id": pa.array([file.file_id for _, file in parts], pa.int64()),
    }
    return spark.createDataFrame(pa.table(columns))
