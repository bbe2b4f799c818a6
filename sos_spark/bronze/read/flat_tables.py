"""Flat tables, read by Spark itself: whatever is not plain, or replaces only a part of what bronze holds.

No Python touches a row. What is plain Arrow counts (`arrive.plain_table`) and copies (`plain_copy`), to the same rows.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import PurePosixPath

from pyspark.sql import Column, DataFrame, SparkSession, types
from pyspark.sql import functions as F

from sos_spark.bronze.arrive.inspection import Inspection
from sos_spark.bronze.arrive.inventory import table_constants
from sos_spark.bronze.arrive.plain_table import CENSUS_YEAR_PATTERN, LA_CODE_PATTERN
from sos_spark.bronze.arrive.table_file import NANOSECONDS, NANOSECONDS_UTC, NOTHING
from sos_spark.bronze.columns import find_columns
from sos_spark.bronze.fields import COLLECTION_OF, LA_YEAR, SSDA903, fields_of, required_of
from sos_spark.bronze.read.received import Received

NANOS_AS_LONG = "spark.sql.legacy.parquet.nanosAsLong"
"""The session setting under which Spark reads a Parquet column of nanoseconds (what pandas writes) at all."""


def read_table(spark: SparkSession, files: Sequence[Inspection], *, check_rows: bool = False) -> DataFrame:
    """Returns the rows of a module's table files as text.

    Grain: one row per row of the files. Returns file_uri (Spark's name of the file), record_position (1-based row of
    Parquet, null of CSV), la_code (null where it is not three digits), census_year (null where it is no year) and the
    module's fields, DfE's names, trimmed, nothing empty. Dates come as the module's returns write them: ISO, in SSDA903
    modules dd/mm/yyyy. With `check_rows` also is_broken, a CSV row that has not the header's number of columns, and
    n_off_midnight, how many timestamps of the row are another moment than the midnight that their day begins with.
    """
    groups: dict[tuple[object, ...], list[Inspection]] = defaultdict(list)
    for seen in files:
        constants = table_constants(seen.file)
        groups[(seen.columns, seen.kinds, seen.encoding, constants, _suffix(seen))].append(seen)
    frames = [_read_alike(spark, alike, check_rows=check_rows) for alike in groups.values()]
    return reduce(DataFrame.unionByName, frames)


def by_module(files: Iterable[Inspection]) -> dict[str, list[Inspection]]:
    """Returns table files by their module."""
    members: dict[str, list[Inspection]] = defaultdict(list)
    for seen in files:
        members[seen.file.module or ""].append(seen)
    return members


def count_table_rows(frames: Iterable[tuple[str, DataFrame]]) -> DataFrame:
    """Counts the rows of module tables read with `check_rows`, in one job.

    Grain: one row per module, file and LA-year. Returns module, file_uri, la_code, census_year, n_rows, n_broken,
    n_off_midnight.
    """
    checks = ("is_broken", "n_off_midnight")
    of_all = (frame.select(F.lit(module).alias("module"), "file_uri", *LA_YEAR, *checks) for module, frame in frames)
    return (
        reduce(DataFrame.unionAll, of_all)
        .groupBy("module", "file_uri", *LA_YEAR)
        .agg(
            F.count(F.lit(1)).alias("n_rows"),
            F.count_if("is_broken").alias("n_broken"),
            F.sum("n_off_midnight").alias("n_off_midnight"),
        )
    )


def with_characteristics(identifiers: DataFrame, characteristics: DataFrame) -> DataFrame:
    """Adds Ethnicity and Disabilities that came in a table of their own.

    Grain: one row per row of identifiers, in and out. Several rows of characteristics of a child of an LA-year are one:
    their distinct values in order, joined with a semicolon. What identifiers hold themselves stands.
    """
    key = [*LA_YEAR, "LAchildID"]
    joined = ("Ethnicity", "Disabilities")
    one_a_child = characteristics.groupBy(*key).agg(
        *(F.array_join(F.array_sort(F.collect_set(name)), ";").alias(f"other_{name}") for name in joined)
    )
    merged = {name: F.coalesce(name, F.nullif(F.col(f"other_{name}"), F.lit(""))) for name in joined}
    return identifiers.join(one_a_child, key, "left").withColumns(merged).select(*identifiers.columns)


def file_of_uri(uri: str) -> str:
    """Returns the place of one of Spark's names of a file, as `SourceFile` has it."""
    from urllib.parse import unquote

    scheme, _, rest = uri.partition(":")
    if scheme == "file":
        return str(PurePosixPath("/" + unquote(rest.lstrip("/"))))
    authority, _, path = rest.lstrip("/").partition("/")
    return f"{scheme}://{authority}/{unquote(path)}"


def _read_alike(spark: SparkSession, files: Sequence[Inspection], *, check_rows: bool) -> DataFrame:
    """Reads files that have the same columns."""
    first = files[0]
    module = first.file.module or ""
    in_folders = table_constants(first.file)
    wanted = (*LA_YEAR, *fields_of(module))
    positions = find_columns([*first.columns, *in_folders], wanted, required=required_of(module)).positions
    is_csv = _suffix(first) == ".csv"
    rows = _csv_rows(spark, files, check_rows=check_rows) if is_csv else _parquet_rows(spark, files, positions)
    received = [_received(first, in_folders, at) for at in positions]
    in_slashes = COLLECTION_OF[module] == SSDA903
    la_code, census_year, *fields = [one.text(in_slashes=in_slashes, encoding=first.encoding) for one in received]
    position = F.lit(None).cast("bigint") if is_csv else F.col("_metadata.row_index") + 1
    # Spark refuses a query of the broken column alone, as that of a file whose LA and year stand in its folders' names.
    is_broken = F.col("broken").isNotNull() & (F.length(F.coalesce("c0", F.lit(""))) >= 0) if is_csv else F.lit(False)
    checks = [
        is_broken.alias("is_broken"),
        reduce(Column.__add__, (one.is_off_midnight() for one in received), F.lit(0)).alias("n_off_midnight"),
    ]
    return rows.select(
        F.col("_metadata.file_path").alias("file_uri"),
        position.alias("record_position"),
        F.when(la_code.rlike(rf"\A{LA_CODE_PATTERN}\z"), la_code.substr(1, 3)).alias("la_code"),
        F.when(census_year.rlike(rf"\A{CENSUS_YEAR_PATTERN}\z"), census_year.substr(1, 4))
        .cast("int")
        .alias("census_year"),
        *(field.alias(name) for name, field in zip(fields_of(module), fields, strict=True)),
        *(checks if check_rows else []),
    )


def _csv_rows(spark: SparkSession, files: Sequence[Inspection], *, check_rows: bool) -> DataFrame:
    """CSV by position: a header's own names may be any text. Pruned columns would hide broken rows."""
    first = files[0]
    schema = ", ".join(f"c{index} STRING" for index in range(len(first.columns))) + ", broken STRING" * check_rows
    reader = spark.read.option("columnPruning", "false") if check_rows else spark.read
    return reader.csv(
        _spark_paths(files), schema=schema, header=True, escape='"', encoding=first.encoding, mode="PERMISSIVE",
        columnNameOfCorruptRecord="broken", enforceSchema=True,
    )  # fmt: skip


def _parquet_rows(spark: SparkSession, files: Sequence[Inspection], positions: Sequence[int | None]) -> DataFrame:
    """The wanted columns of Parquet files only, by their types: Spark cannot even open a file with some others."""
    first = files[0]
    schema = types.StructType()
    for at in positions:
        if at is not None and at < len(first.columns) and first.kinds[at] != NOTHING:
            kind = "bigint" if first.kinds[at] in (NANOSECONDS, NANOSECONDS_UTC) else first.kinds[at]
            schema.add(first.columns[at], types.DataType.fromDDL(kind))
    return spark.read.schema(schema).parquet(*_spark_paths(files))


def _spark_paths(files: Sequence[Inspection]) -> list[str]:
    """Names of files for Spark, to which brackets and stars are patterns."""
    return [re.sub(r"([\[\]{}*?\\])", r"\\\1", seen.file.path) for seen in files]


def _suffix(seen: Inspection) -> str:
    return PurePosixPath(seen.file.path).suffix.casefold()


def _received(file: Inspection, in_folders: Sequence[str], at: int | None) -> Received:
    """Where a field of a table comes from: a column, the name of a folder, or nowhere."""
    if at is None:
        return Received(F.lit(None).cast("string"), NOTHING)
    if at >= len(file.columns):
        return Received(_in_folder(in_folders[at - len(file.columns)]), "string")
    if file.kinds[at] == NOTHING:
        return Received(F.lit(None).cast("string"), NOTHING)
    name = f"c{at}" if _suffix(file) == ".csv" else file.columns[at].replace("`", "``")
    return Received(F.col(f"`{name}`"), file.kinds[at])


def _in_folder(name: str) -> Column:
    """A value that stands in the name of a folder, `name=value`, as Hive and Spark write partitions."""
    path = F.col("_metadata.file_path")
    value = F.regexp_extract(path, f"/{re.escape(name)}=([^/]*)/", 1)
    decoded = F.try_url_decode(F.try_url_decode(value))
    return F.when(~decoded.isin("", "__HIVE_DEFAULT_PARTITION__"), decoded)
