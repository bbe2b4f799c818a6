"""The bronze tables of an ingest: the changed slices of every module that has, or had, rows of them. One commit each.

Most of a national extract is plain tables, and a module that gets nothing else is copied by Arrow. Spark writes the
others, and whatever replaces only a part of what a table holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from pyspark.sql import SparkSession

from sos_spark.bronze.decide.decisions import Decisions, Held
from sos_spark.bronze.decide.files import modules_with_rows
from sos_spark.bronze.decide.returns import Slice
from sos_spark.bronze.fields import CHARACTERISTICS, COLLECTION_OF
from sos_spark.bronze.fields import Collection as CollectionName
from sos_spark.bronze.read.accepted_rows import accepted_rows
from sos_spark.bronze.read.plain_copy import PlainPart, PlainTable, copy_plain
from sos_spark.lake.lake import Lake
from sos_spark.machine.faults import faults_told
from sos_spark.tables import BRONZE_MODULES

_TABLES_AT_ONCE = 2


def write_modules(
    spark: SparkSession, lake: Lake, decisions: Decisions, held: Mapping[Slice, Held], fingerprint: str
) -> None:
    """Replaces the changed slices in every module that has, or had, rows of them: one commit per table."""
    touched: set[str] = set()
    for taken in decisions.accepted:
        touched |= modules_with_rows(taken.rows_by_module)
    for where in decisions.changed:
        if where in held:
            touched |= modules_with_rows(held[where].rows_by_module)
    kept = {where.collection for where in held} - {where.collection for where in decisions.changed if where in held}
    plain = _plain_parts(decisions, held)
    _copy(spark, lake, plain, kept, fingerprint)
    if touched - set(plain):
        _write(spark, lake, decisions, touched - set(plain), fingerprint)


def _plain_parts(decisions: Decisions, held: Mapping[Slice, Held]) -> dict[str, list[PlainPart]]:
    """The accepted parts of each module that has plain ones only, and whose table loses all that it holds, or nothing.

    Characteristics that come in a table of their own are joined to their children, which Spark does.
    """
    changed, parts, others = set(decisions.changed), defaultdict(list), set()
    for one in decisions.accepted:
        for part in one.parts:
            for module in modules_with_rows(part.rows_by_module):
                if part.file.la_years is None:
                    others.add(module)
                parts[module].append((one.slice, part.file))
    if CHARACTERISTICS in parts:
        others |= {CHARACTERISTICS, "child_identifiers"}
    for collection in set(COLLECTION_OF.values()):
        of_it = {where for where in held if where.collection == collection}
        if changed & of_it and of_it - changed:
            others |= {module for module in parts if COLLECTION_OF[module] == collection}
    return {module: found for module, found in parts.items() if module not in others}


def _copy(
    spark: SparkSession,
    lake: Lake,
    plain: Mapping[str, list[PlainPart]],
    kept: Collection[CollectionName],
    fingerprint: str,
) -> None:
    """Copies plain tables in one job, and commits each: beside what it holds of a collection that is kept.

    A table that this ingest wrote before it was killed is left as it is.
    """
    tables = [
        PlainTable(module, lake.path(BRONZE_MODULES[module]), plain[module])
        for module in BRONZE_MODULES
        if module in plain and lake.fingerprint(BRONZE_MODULES[module]) != fingerprint
    ]
    with faults_told("the write of bronze tables"):
        written = copy_plain(spark, tables)
    for module, files in written.items():
        table = BRONZE_MODULES[module]
        beside = COLLECTION_OF[module] in kept and lake.exists(table)
        lake.take_files(files, table, fingerprint=fingerprint, beside=beside)


def _write(spark: SparkSession, lake: Lake, decisions: Decisions, modules: Collection[str], fingerprint: str) -> None:
    with accepted_rows(spark, decisions.accepted, modules) as rows:

        def write(module: str) -> None:
            table = BRONZE_MODULES[module]
            slices = [
                {"la_code": where.la_code, "census_year": where.census_year}
                for where in decisions.changed
                if where.collection == COLLECTION_OF[module]
            ]
            new = rows.of(module)
            if new is None:
                new = spark.createDataFrame([], table.schema())
            if lake.exists(table):
                lake.replace(new, table, slices=slices, fingerprint=fingerprint)
            else:
                lake.overwrite(new, table, fingerprint=fingerprint)

        with ThreadPoolExecutor(_TABLES_AT_ONCE) as pool:
            list(pool.map(write, [module for module in BRONZE_MODULES if module in modules]))
