"""Flat tables, read by Spark itself: no Python touches a row, so a national extract goes at Spark's speed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession, types
from pyspark.sql import functions as F

from sos_spark.bronze.columns import find_columns
from sos_spark.bronze.inspection import Inspection
from sos_spark.bronze.inventory import table_constants
from sos_spark.bronze.modules import COLLECTION_OF, SSDA903, fields_of, required_of
from sos_spark.bronze.records import WHITE_SPACE
from sos_spark.bronze.table_files import NANOSECONDS

LA_YEAR = ("la_code", "census_year")
NANOS_AS_LONG = "spark.sql.legacy.parquet.nanosAsLong"
"""The session setting under which Spark reads a Parquet column of nanoseconds (what pandas writes) at all."""
_C1 = "".join(chr(code) for code in range(0x80, 0xA0) if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D))
_WINDOWS = "".join(bytes([ord(char)]).decode("cp1252") for char in _C1)


def read_table(spark: SparkSession, files: Sequence[Inspection], *, check_rows: bool = False) -> DataFrame:
    """Returns the rows of a module's table files as text.

    Grain: a row. Returns file_uri (Spark's name of the file), record_position (1-based row of Parquet, null of CSV),
    la_code (null where it is not three digits), census_year (null where it is no year) and the module's fields, DfE's
    names, trimmed, nothing empty. Dates come as the module's returns write them: ISO, in SSDA903 modules dd/mm/yyyy.
    With `check_rows` also is_broken: a CSV row that has not the header's number of columns.
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


def count_rows(frames: Iterable[tuple[str, DataFrame]]) -> DataFrame:
    """Counts the rows of module tables read with `check_rows`, in one job.

    Grain: a module, file and LA-year. Returns module, file_uri, la_code, census_year, n_rows, n_broken.
    """
    of_all = (
        frame.select(F.lit(module).alias("module"), "file_uri", *LA_YEAR, "is_broken") for module, frame in frames
    )
    return (
        reduce(DataFrame.unionAll, of_all)
        .groupBy("module", "file_uri", *LA_YEAR)
        .agg(F.count(F.lit(1)).alias("n_rows"), F.count_if("is_broken").alias("n_broken"))
    )


def with_characteristics(identifiers: DataFrame, characteristics: DataFrame) -> DataFrame:
    """Adds Ethnicity and Disabilities that came in a table of their own.

    Grain: identifiers' row, in and out. Several rows of characteristics of a child of an LA-year are one: their
    distinct values in order, joined with a semicolon. What identifiers hold themselves stands.
    """
    key = [*LA_YEAR, "LAchildID"]
    joined = ("Ethnicity", "Disabilities")
    one_a_child = characteristics.groupBy(*key).agg(
        *(F.array_join(F.array_sort(F.collect_set(name)), ";").alias(f"other_{name}") for name in joined)
    )
    merged = {name: F.coalesce(name, F.nullif(F.col(f"other_{name}"), F.lit(""))) for name in joined}
    return identifiers.join(one_a_child, key, "left").withColumns(merged).select(*identifiers.columns)


def file_of_uri(uri: str) -> str:
    """Returns the path of one of Spark's names of a local file."""
    from urllib.parse import unquote

    return str(Path("/" + unquote(re.sub(r"^file:/*", "", uri))))


def _read_alike(spark: SparkSession, files: Sequence[Inspection], *, check_rows: bool) -> DataFrame:
    """Reads files that have the same columns."""
    first = files[0]
    module = first.file.module or ""
    constants = table_constants(first.file)
    names = [*first.columns, *constants]
    wanted = (*LA_YEAR, *fields_of(module))
    positions = find_columns(names, wanted, required=required_of(module)).positions
    reader = spark.read
    if constants:
        reader = reader.option("basePath", str(_table_folder(first)))
    paths = [re.sub(r"([\[\]{}*?\\])", r"\\\1", seen.file.path) for seen in files]
    is_csv = _suffix(first) == ".csv"
    if is_csv:
        # By position: a header's own names may be any text. Pruned columns would hide broken rows.
        schema = ", ".join(f"c{index} STRING" for index in range(len(first.columns))) + ", broken STRING" * check_rows
        if check_rows:
            reader = reader.option("columnPruning", "false")
        rows = reader.csv(
            paths, schema=schema, header=True, escape='"', encoding=first.encoding, mode="PERMISSIVE",
            columnNameOfCorruptRecord="broken", enforceSchema=True,
        )  # fmt: skip
        columns = [f"c{index}" for index in range(len(first.columns))] + list(constants)
    else:
        rows = reader.parquet(*paths)
        columns = [name.replace("`", "``") for name in names]
    kinds = dict(zip(columns, [*first.kinds, *("" for _ in constants)], strict=True))
    in_slashes = COLLECTION_OF[module] == SSDA903
    typed = {field.name.replace("`", "``"): field.dataType for field in rows.schema.fields}

    def text(at: int | None) -> Column:
        if at is None:
            return F.lit(None).cast("string")
        name = columns[at]
        kind = typed[name]
        as_text = _text(F.col(f"`{name}`"), kind, nanoseconds=kinds[name] == NANOSECONDS, in_slashes=in_slashes)
        if not isinstance(kind, types.StringType | types.ArrayType | types.BinaryType):
            return as_text
        if first.encoding == "iso-8859-1":
            as_text = F.translate(as_text, _C1, _WINDOWS)
        trimmed = F.trim(as_text, F.lit(WHITE_SPACE))
        return F.when(trimmed != "", trimmed)

    la_code, census_year, *fields = [text(at) for at in positions]
    position = F.lit(None).cast("bigint") if is_csv else F.col("_metadata.row_index") + 1
    return rows.select(
        F.col("_metadata.file_path").alias("file_uri"),
        position.alias("record_position"),
        F.when(la_code.rlike(r"^[0-9]{3}(\.0*)?$"), la_code.substr(1, 3)).alias("la_code"),
        F.when(census_year.rlike(r"^(19|20)[0-9]{2}(\.0*)?$"), census_year.substr(1, 4))
        .cast("int")
        .alias("census_year"),
        *(field.alias(name) for name, field in zip(fields_of(module), fields, strict=True)),
        *([(F.col("broken").isNotNull() if is_csv else F.lit(False)).alias("is_broken")] if check_rows else []),
    )


def _suffix(seen: Inspection) -> str:
    return Path(seen.file.path).suffix.casefold()


def _table_folder(seen: Inspection) -> Path:
    """The folder tables/<module> of a file."""
    path = Path(seen.file.path)
    depth = len(Path(seen.file.name).parts) - 2
    return path.parents[depth - 1]


def _text(value: Column, kind: types.DataType, *, nanoseconds: bool, in_slashes: bool) -> Column:
    """A received value as a return would write it."""
    if nanoseconds:
        value, kind = F.timestamp_micros(F.floor(value / 1000).cast("bigint")), types.TimestampType()
    if isinstance(kind, types.DateType):
        return F.date_format(value, "dd/MM/yyyy") if in_slashes else value.cast("string")
    if isinstance(kind, types.TimestampType | types.TimestampNTZType):
        day = value.cast("date")
        shown = F.date_format(day, "dd/MM/yyyy") if in_slashes else day.cast("string")
        return F.when(value == day.cast(kind), shown).otherwise(value.cast("string"))
    if isinstance(kind, types.FloatType | types.DoubleType):
        is_whole = (F.floor(value) == value) & (F.abs(value) < F.lit(2.0**53))
        return F.when(is_whole, F.floor(value).cast("bigint").cast("string")).when(
            ~F.isnan(value), value.cast("string")
        )
    if isinstance(kind, types.DecimalType):
        return F.when(F.floor(value) == value, F.floor(value).cast("string")).otherwise(value.cast("string"))
    if isinstance(kind, types.ArrayType):
        return F.array_join(value, ";")
    return value.cast("string")
