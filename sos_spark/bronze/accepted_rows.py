"""The rows of accepted returns, whatever form they came in, as the bronze tables take them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.bronze.flat_tables import LA_YEAR, by_module, read_table, with_characteristics
from sos_spark.bronze.inspection import Inspection
from sos_spark.bronze.modules import CHARACTERISTICS, COLLECTION_OF
from sos_spark.bronze.reading import read_records, records_of
from sos_spark.bronze.returns import Return
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
            parts.append(records_of(self.records, module))
        if module in self.tables:
            parts.append(self.tables[module])
        if not parts:
            return None
        first, *rest = (part.select(*columns) for part in parts)
        return first.unionAll(rest[0]) if rest else first


@contextmanager
def accepted_rows(spark: SparkSession, accepted: Sequence[Return]) -> Iterator[AcceptedRows]:
    """Gives the rows of accepted returns; XML and CSV are parsed once and kept until the context ends."""
    parts = [part for one in accepted for part in one.parts if part.file.file.form != "table"]
    records = None
    if parts:
        records = read_records(spark, [part.file for part in parts]).persist(StorageLevel.MEMORY_AND_DISK)
    modules = frozenset(module for part in parts for module, n_rows in part.rows_by_module.items() if n_rows)
    try:
        yield AcceptedRows(records, modules, _tables(spark, accepted))
    finally:
        if records is not None:
            records.unpersist()


def _tables(spark: SparkSession, accepted: Sequence[Return]) -> dict[str, DataFrame]:
    """The accepted LA-years of each module's table, with provenance."""
    returns = [one for one in accepted if one.parts[0].file.file.form == "table"]
    if not returns:
        return {}
    wanted = spark.createDataFrame(
        [(one.slice.collection, one.slice.la_code, one.slice.census_year) for one in returns],
        "collection STRING, la_code STRING, census_year INT",
    )
    files = {part.file.file.name: part.file for one in returns for part in one.parts}
    frames = {}
    for module, members in by_module(files.values()).items():
        slices = wanted.where(F.col("collection") == COLLECTION_OF[module]).select(*LA_YEAR)
        rows = read_table(spark, members).join(F.broadcast(slices), list(LA_YEAR), "left_semi")
        frames[module] = rows.join(F.broadcast(_file_ids(spark, members)), "file_uri")
    characteristics = frames.pop(CHARACTERISTICS, None)
    if characteristics is not None and "child_identifiers" in frames:
        frames["child_identifiers"] = with_characteristics(frames["child_identifiers"], characteristics)
    return frames


def _file_ids(spark: SparkSession, files: Sequence[Inspection]) -> DataFrame:
    return spark.createDataFrame([(seen.uri, seen.file_id) for seen in files], "file_uri STRING, file_id BIGINT")
