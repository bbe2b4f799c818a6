"""The bronze tables of an ingest: the changed slices of every module that has, or had, rows of them. One commit each.

Most of a national extract is plain tables, and a module that gets nothing else is copied by Arrow. Spark writes the
others, and what replaces rows that lie in large files with others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
from sos_spark.tables import BRONZE_MODULES, Table

_TABLES_AT_ONCE = 2

Gone = Sequence[Mapping[str, object]] | None
"""The slices that a table loses: all that it holds if None."""


def write_modules(
    spark: SparkSession, lake: Lake, decisions: Decisions, held: Mapping[Slice, Held], fingerprint: str
) -> None:
    """Replaces the changed slices in every module that has, or had, rows of them: one commit per table.

    A table that this ingest wrote before it was killed is left as it is.
    """
    touched: set[str] = set()
    for taken in decisions.accepted:
        touched |= modules_with_rows(taken.rows_by_module)
    for where in decisions.changed:
        if where in held:
            touched |= modules_with_rows(held[where].rows_by_module)
    gone = {
        module: _gone(lake, table, decisions, held, COLLECTION_OF[module])
        for module, table in BRONZE_MODULES.items()
        if module in touched and lake.fingerprint(table) != fingerprint
    }
    plain = {
        module: parts
        for module, parts in _plain_parts(decisions, gone).items()
        if (slices := gone[module]) is None or lake.replaces_without_spark(BRONZE_MODULES[module], slices)
    }
    _copy(spark, lake, plain, gone, fingerprint)
    if others := [module for module in gone if module not in plain]:
        _write(spark, lake, decisions, others, gone, fingerprint)


def _gone(
    lake: Lake, table: Table, decisions: Decisions, held: Mapping[Slice, Held], collection: CollectionName
) -> Gone:
    """The slices that a table of the collection loses: also those that it gets, of which it may hold nothing."""
    changed = [where for where in decisions.changed if where.collection == collection]
    if set(changed).issuperset(where for where in held if where.collection == collection) or not lake.exists(table):
        return None
    return [{"la_code": where.la_code, "census_year": where.census_year} for where in changed]


def _plain_parts(decisions: Decisions, modules: Iterable[str]) -> dict[str, list[PlainPart]]:
    """The accepted parts of each of the modules that has plain ones only, or none.

    Characteristics that come in a table of their own are joined to their children, which Spark does.
    """
    parts, others = defaultdict(list), set()
    for one in decisions.accepted:
        for part in one.parts:
            for module in modules_with_rows(part.rows_by_module):
                if part.file.la_years is None:
                    others.add(module)
                parts[module].append((one.slice, part.file))
    if CHARACTERISTICS in parts:
        others.add("child_identifiers")
    return {module: parts[module] for module in modules if module not in others}


def _copy(
    spark: SparkSession,
    lake: Lake,
    plain: Mapping[str, list[PlainPart]],
    gone: Mapping[str, Gone],
    fingerprint: str,
) -> None:
    """Copies plain tables in one job, and commits each."""
    tables = [PlainTable(module, lake.path(BRONZE_MODULES[module]), parts) for module, parts in plain.items()]
    with faults_told("the write of bronze tables"):
        written = copy_plain(spark, tables)
    for module, files in written.items():
        lake.take_files(files, BRONZE_MODULES[module], fingerprint=fingerprint, slices=gone[module])


def _write(
    spark: SparkSession,
    lake: Lake,
    decisions: Decisions,
    modules: Sequence[str],
    gone: Mapping[str, Gone],
    fingerprint: str,
) -> None:
    with accepted_rows(spark, decisions.accepted, modules) as rows:

        def write(module: str) -> None:
            table, slices = BRONZE_MODULES[module], gone[module]
            new = rows.of(module)
            if new is None:
                new = spark.createDataFrame([], table.schema())
            if slices is None:
                lake.overwrite(new, table, fingerprint=fingerprint)
            else:
                lake.replace(new, table, slices=slices, fingerprint=fingerprint)

        with ThreadPoolExecutor(_TABLES_AT_ONCE) as pool:
            list(pool.map(write, modules))
