"""The rows of accepted returns, whatever form they came in, as the bronze tables take them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import reduce

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.bronze.arrive.inspection import Inspection
from sos_spark.bronze.bronze_files import BronzeFile
from sos_spark.bronze.decide.returns import Return, Slice
from sos_spark.bronze.fields import CHARACTERISTICS, LA_YEAR
from sos_spark.bronze.read.drafted import DraftedRecords
from sos_spark.bronze.read.flat_tables import file_of_uri, read_table, with_characteristics
from sos_spark.tables import BRONZE_MODULES


def accepted_rows(
    spark: SparkSession,
    accepted: Sequence[Return],
    drafted: DraftedRecords,
    modules: Collection[str] = tuple(BRONZE_MODULES),
) -> dict[str, DataFrame]:
    """Returns the rows of accepted returns by module, with its bronze table's columns; a module without any lacks.

    `drafted` has the records of the accepted XML and SSDA903 files, and no others.
    """
    tables = _tables(spark, accepted, {*modules, CHARACTERISTICS})
    rows = {}
    for module in modules:
        parts = [tables[module]] if module in tables else []
        if files := drafted.of(module):
            parts.append(_drafted_rows(spark, drafted, module, files))
        if parts:
            rows[module] = reduce(
                DataFrame.unionAll, (part.select(BRONZE_MODULES[module].column_names) for part in parts)
            )
    return rows


def _drafted_rows(spark: SparkSession, drafted: DraftedRecords, module: str, files: Sequence[BronzeFile]) -> DataFrame:
    folder = drafted.folder / module
    reader = spark.read.schema(BRONZE_MODULES[module].schema()).option("basePath", str(folder))
    return reader.parquet(*(str(folder / file.path) for file in files))


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
