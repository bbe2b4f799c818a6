"""A child taken out of a lake: out of every table and every version, with a proof that no file holds it any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import functions as F

from sos_spark.bronze.decide.files import without_lost
from sos_spark.lake.maintenance import maintain, tables_of
from sos_spark.lake.versions import table_path
from sos_spark.places import Place, readable
from sos_spark.silver.pseudonyms import key_frame, with_pseudonyms
from sos_spark.steps.known_files import read_files, write_files
from sos_spark.tables import FILES, SILVER_CHILD_LINKS, TABLES, Table
from sos_spark.tables.silver import PSEUDONYMS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from sos_spark.lake.lake import Lake

RAW_IDS = ("LAchildID", "CHILD")
_SLICES = ("la_code", "study_id")
"""Columns by which a table is written anew in part: the first that it has."""
ERASED = "erased:"
"""What the fingerprint of an erased table begins with; each has its own, since one like the last is not written."""


@dataclass(frozen=True)
class Erasure:
    """What became of it: rows removed by table, files removed by table, and data files that still hold the child."""

    rows: dict[str, int]
    files: dict[str, int]
    n_files_searched: int
    n_files_holding: int

    @property
    def is_proved(self) -> bool:
        """Whether no data file of the lake holds the child."""
        return self.n_files_holding == 0


def erase(lake: Lake, spark: SparkSession, *, key: bytes, la_code: str, child_id: str) -> Erasure:
    """Removes a child from every table and version of a lake, and looks for it in every data file that is left.

    The child is known by the authority's own id, as in LAchildID or CHILD; a pseudonym that was linked to it by person
    goes with it. Earlier versions of the tables go: a run made from them can be reproduced no more. Returns that still
    hold the child bring it back when they are ingested again.

    Args:
        lake: The lake.
        spark: The session.
        key: The pseudonym key of the lake.
        la_code: The authority's code.
        child_id: The authority's id of the child.
    """
    keys = key_frame(spark, key)
    named = spark.createDataFrame([(la_code, child_id)], "la_code STRING, LAchildID STRING")
    pseudonyms = [str(row["child_id"]) for row in with_pseudonyms(named, keys).collect() if row["child_id"]]
    pseudonyms += _linked(lake, spark, pseudonyms)
    fingerprint = ERASED + uuid4().hex
    raw_ids: set[str] = set()
    rows: dict[str, int] = {}
    lost: dict[tuple[str, int, str, int], int] = {}
    for table in tables_of(lake.root):
        if not _ids_of(table):
            continue
        whole = lake.read(spark, table)
        of_child, others = _parted(whole, table, keys, pseudonyms, la_code)
        slice_by = next(name for name in (*_SLICES, *table.partition_by) if name in table.column_names)
        held = {row[slice_by]: row["count"] for row in of_child.groupBy(slice_by).count().collect()}
        if not held:
            continue
        rows[table.name] = sum(held.values())
        if table.layer == "bronze":
            of_files = of_child.groupBy("file_id", "la_code", "census_year").count().collect()
            lost |= {(table.short_name, *where): n_lost for *where, n_lost in map(tuple, of_files)}
        raw_ids |= {row[0] for name in RAW_IDS if name in whole.columns for row in of_child.select(name).collect()}
        kept = others.where(F.col(slice_by).isin(list(held))).select(*table.column_names)
        lake.replace(kept, table, slices=[{slice_by: value} for value in held], fingerprint=fingerprint)
    if lost and lake.exists(FILES):
        # The ledger holds what was received against bronze.files, which now received that much less.
        write_files(lake, without_lost(read_files(lake), lost), fingerprint=fingerprint)
    files = maintain(lake.root, keep={}, older_than_days=0, dry_run=False)
    searched = [_holds(path, la_code, raw_ids, set(pseudonyms)) for path in _data_files(lake.root)]
    return Erasure(rows, files, len(searched), sum(searched))


def _ids_of(table: Table) -> list[str]:
    return [name for name in table.column_names if name in (*RAW_IDS, *PSEUDONYMS)]


def _linked(lake: Lake, spark: SparkSession, pseudonyms: list[str]) -> list[str]:
    """The pseudonyms that the lake holds for the same child in the other collection."""
    links = lake.read_or_empty(spark, SILVER_CHILD_LINKS)
    pair = ("lac_child_id", "cin_child_id")
    wanted = F.broadcast(spark.createDataFrame([(one,) for one in pseudonyms], "_wanted STRING"))
    match = reduce(lambda a, b: a | b, [F.col(name) == F.col("_wanted") for name in pair])
    found = links.join(wanted, match, "left_semi").select(*pair)
    return sorted({value for row in found.collect() for value in row if value is not None} - set(pseudonyms))


def _parted(
    whole: DataFrame, table: Table, keys: DataFrame, pseudonyms: list[str], la_code: str
) -> tuple[DataFrame, DataFrame]:
    """The rows of the child and those of all others. What names the child is joined in: literals show in plans."""
    spark = whole.sparkSession
    wanted = spark.createDataFrame([(one,) for one in pseudonyms], "_wanted STRING")
    if table.layer != "bronze":
        match = reduce(lambda a, b: a | b, [F.col(name) == F.col("_wanted") for name in _ids_of(table)])
    else:
        # Ids are text as received there, so they are read as the pseudonyms read them.
        (id_field,) = (name for name in RAW_IDS if name in table.column_names)
        own = F.col("la_code") == la_code
        ids = whole.where(own).select("la_code", id_field, F.col(id_field).alias("_raw")).distinct()
        named = with_pseudonyms(ids, keys).join(F.broadcast(wanted), F.col("child_id") == F.col("_wanted"))
        wanted = named.select(F.col("_raw").alias("_wanted")).distinct()
        match = own & (F.col(id_field) == F.col("_wanted"))
    return whole.join(F.broadcast(wanted), match, "left_semi"), whole.join(F.broadcast(wanted), match, "left_anti")


def _data_files(root: Place) -> Iterator[Place]:
    for table in TABLES.values():
        if _ids_of(table):
            yield from table_path(root, table).rglob("*.parquet")


def _holds(path: Place, la_code: str, raw_ids: set[str], pseudonyms: set[str]) -> bool:
    """Whether a data file, of whichever version, holds the child."""
    if "_delta_log" in path.parts:
        return False
    with pq.ParquetFile(readable(path)) as file:
        names = [name for name in file.schema_arrow.names if name in (*RAW_IDS, *PSEUDONYMS)]
        content = file.read(columns=[*names, *({"la_code"} & set(file.schema_arrow.names))])
    for name in names:
        wanted = raw_ids if name in RAW_IDS else pseudonyms
        found = pc.is_in(content.column(name), value_set=pa.array(sorted(wanted), pa.string()))
        if name in RAW_IDS:
            found = pc.and_(found, pc.equal(content.column("la_code"), la_code))
        if pc.any(found).as_py():
            return True
    return False
