"""The bronze tables of an ingest: the changed slices of every module that has, or had, rows of them. One commit each.

Records of XML and SSDA903 files lie in drafts already, and plain tables are copied by Arrow. Spark writes modules that
get other tables, and what replaces rows that lie in large files with others.
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
from sos_spark.bronze.read.drafted import DraftedRecords
from sos_spark.bronze.read.plain_copy import PlainPart, PlainTable, copy_plain
from sos_spark.lake.lake import Lake
from sos_spark.machine.faults import faults_told
from sos_spark.machine.workers import Workers
from sos_spark.tables import BRONZE_MODULES, Table

_TABLES_AT_ONCE = 2

Gone = Sequence[Mapping[str, object]] | None
"""The slices that a table loses: all that it holds if None."""


def write_modules(
    workers: Workers,
    lake: Lake,
    decisions: Decisions,
    held: Mapping[Slice, Held],
    drafted: DraftedRecords,
    fingerprint: str,
) -> None:
    """Replaces the changed slices in every module that has, or had, rows of them: one commit per table.

    `drafted` has the records of the accepted XML and SSDA903 files. A table that this ingest wrote before it was killed
    is left as it is.
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
    _take(workers, lake, plain, drafted, gone, fingerprint)
    if others := [module for module in gone if module not in plain]:
        _write(workers.session(), lake, decisions, drafted, others, gone, fingerprint)


def _gone(
    lake: Lake, table: Table, decisions: Decisions, held: Mapping[Slice, Held], collection: CollectionName
) -> Gone:
    """The slices that a table of the collection loses: also those that it gets, of which it may hold nothing."""
    changed = [where for where in decisions.changed if where.collection == collection]
    if set(changed).issuperset(where for where in held if where.collection == collection) or not lake.exists(table):
        return None
    return [{"la_code": where.la_code, "census_year": where.census_year} for where in changed]


def _plain_parts(decisions: Decisions, modules: Iterable[str]) -> dict[str, list[PlainPart]]:
    """The accepted parts of tables of each of the modules that has plain ones only, or none.

    Characteristics that come in a table of their own are joined to their children, which Spark does.
    """
    parts, others = defaultdict(list), set()
    for one in decisions.accepted:
        for part in one.parts:
            if part.file.file.form == "table":
                for module in modules_with_rows(part.rows_by_module):
                    if part.file.la_years is None:
                        others.add(module)
                    parts[module].append((one.slice, part.file))
    if CHARACTERISTICS in parts:
        others.add("child_identifiers")
    return {module: parts[module] for module in modules if module not in others}


def _take(
    workers: Workers,
    lake: Lake,
    plain: Mapping[str, list[PlainPart]],
    drafted: DraftedRecords,
    gone: Mapping[str, Gone],
    fingerprint: str,
) -> None:
    """Copies plain tables, at once, moves what was drafted to them, and commits each."""
    tables = [PlainTable(module, lake.path(BRONZE_MODULES[module]), parts) for module, parts in plain.items()]
    with faults_told("the write of bronze tables"):
        copied = copy_plain(workers, tables)
    for module in plain:
        table, folder = BRONZE_MODULES[module], drafted.folder / module
        of_records = [one.written for one in drafted.of(module)]
        lake.move_in(of_records, table, folder=folder)
        files = [*(one.written for one in copied if one.module == module), *of_records]
        lake.take_files(files, table, fingerprint=fingerprint, slices=gone[module])


def _write(
    spark: SparkSession,
    lake: Lake,
    decisions: Decisions,
    drafted: DraftedRecords,
    modules: Sequence[str],
    gone: Mapping[str, Gone],
    fingerprint: str,
) -> None:
    rows = accepted_rows(spark, decisions.accepted, drafted, modules)

    def write(module: str) -> None:
        table, slices = BRONZE_MODULES[module], gone[module]
        new = rows.get(module)
        if new is None:
            new = spark.createDataFrame([], table.schema())
        if slices is None:
            lake.overwrite(new, table, fingerprint=fingerprint)
        else:
            lake.replace(new, table, slices=slices, fingerprint=fingerprint)

    with ThreadPoolExecutor(_TABLES_AT_ONCE) as pool:
        list(pool.map(write, modules))
