"""The second look at XML and SSDA903 files that were accepted: their records, all modules in one pass."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.bronze.arrive.inspection import Inspection, chunks_of, spread
from sos_spark.bronze.fault import SourceError
from sos_spark.bronze.fields import FIELDS
from sos_spark.bronze.read.cin_xml import parse_cin
from sos_spark.bronze.read.lac_csv import parse_lac
from sos_spark.bronze.record_batches import RECORD_DDL, RecordBatches, file_id_of
from sos_spark.errors import SourceFaultError
from sos_spark.places import place_of
from sos_spark.tables import PROVENANCE


def read_records(spark: SparkSession, files: Sequence[Inspection]) -> DataFrame:
    """Returns the records of sound files.

    Grain: one row per record of a module (see `record_batches`). Files of one census year are neighbours, so that a
    task's records fall into few partitions of a table. Read it through `module_records` for each module; persist it
    where there are several.
    """
    ordered = sorted(files, key=lambda seen: (seen.census_year or 0, seen.la_code or "", seen.file.name))
    notes = {
        seen.file.name: {"la_code": seen.la_code, "census_year": seen.census_year, "sha256": seen.sha256}
        for seen in ordered
    }
    return spread(spark, [seen.file for seen in ordered], RECORD_DDL, _parse, notes=notes)


def module_records(records: DataFrame, module: str) -> DataFrame:
    """Returns the records of one module.

    Grain: one row per record. Needs the columns of `read_records`. Returns the columns of the module's bronze table.
    """
    fields = [F.get("values", F.lit(index)).alias(name) for index, name in enumerate(FIELDS[module])]
    return records.where(F.col("module") == module).select(*(column.name for column in PROVENANCE), *fields)


def _parse(entry: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
    """The worker: a file's records. The file is named if it is no longer the one that was looked at.

    Raises:
        SourceFaultError: It cannot be read to its end, or was changed.
    """
    try:
        yield from _records(entry)
    except (OSError, SourceError) as fault:
        raise SourceFaultError(entry["name"], type(fault).__name__) from None


def _records(entry: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
    digest = hashlib.sha256()
    batches = RecordBatches(
        la_code=entry["la_code"], census_year=entry["census_year"], file_id=file_id_of(entry["sha256"])
    )
    if entry["form"] == "xml":
        yield from parse_cin(chunks_of(entry["path"], digest.update), batches)
    else:
        content = place_of(entry["path"]).read_bytes()
        digest.update(content)
        yield from parse_lac(content, entry["module"], batches)
    if digest.hexdigest() != entry["sha256"]:
        raise SourceFaultError(entry["name"], "another content than at the first look")
