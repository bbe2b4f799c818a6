"""ingest: returns into bronze as received. Looks at every file, decides, then makes each table once.

Needs Spark for tables that are not plain, and on a cluster for all but small sources.

A return that the lake holds as it is given is not read again, unless the code that reads has changed since: what is in
bronze depends on that code as much as on the file.

bronze.files is written last and makes the ingest known. What a run that was killed left before that is finished by the
same command, or undone by another (see `ingest_unfinished`).
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from pyspark.sql import SparkSession

from sos_spark.bronze.arrive.inspection import Inspection, inspect_files
from sos_spark.bronze.arrive.inventory import Inventory, take_inventory
from sos_spark.bronze.decide.decisions import Decisions, decide
from sos_spark.bronze.decide.files import (
    FileKey,
    FileRow,
    Reading,
    accepted_files,
    held_slices,
    modules_with_rows,
    read_before,
    read_by_other_code,
    updated_rows,
    with_published,
)
from sos_spark.bronze.decide.returns import (
    Gathered,
    RefusedReturn,
    TableCount,
    gather_cin_files,
    gather_lac_folders,
    gather_tables,
    off_midnight,
)
from sos_spark.bronze.fields import CHARACTERISTICS
from sos_spark.bronze.read.drafted import DraftedRecords, only_of
from sos_spark.bronze.read.flat_tables import NANOS_AS_LONG, by_module, count_table_rows, file_of_uri, read_table
from sos_spark.config.reference import authorities
from sos_spark.config.simulated import is_simulated
from sos_spark.errors import InputError, shown_list, source_fault
from sos_spark.lake.drafts import drafts
from sos_spark.lake.lake import Lake
from sos_spark.lake.locks import locked
from sos_spark.machine.workers import Session, Workers
from sos_spark.places import Place, make_folder
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.ingest_tables import write_modules
from sos_spark.steps.ingest_unfinished import FINGERPRINT_PREFIX, undo_unfinished
from sos_spark.steps.known_files import canonical, read_files, write_files
from sos_spark.steps.provenance import code_sha256
from sos_spark.steps.published import PublishedSource, inspect_published, require_published, write_published
from sos_spark.steps.simulated import keep_truth
from sos_spark.tables import BRONZE_MODULES, FILES

_SHOWN_FILES = 3
_READS_NOTHING = frozenset(
    f"sos_spark.{name}" for name in ("steps.published", "steps.context", "steps.simulated", "tables")
)
"""What the step imports and its rows do not depend on; its own tables are hashed as they are declared."""
LAYER_LOCK = replace(FILES, name="bronze")
"""Names the lock of the layer: one ingest per lake at a time."""


def ingest(run: Run) -> StepReport:
    """Takes the source's returns into bronze.

    A refused file leaves no row; everything else is committed, and the report names each refusal, with exit code 4
    unless refusals are allowed. The same source a second time writes nothing, unless the code that reads has changed.

    Raises:
        InputError: There is no source folder, or nothing in it that could be a return; or the lake would hold
            simulated returns beside real ones.
        ConflictError: Another ingest is at work on the lake.
    """
    inventory = take_inventory(run.source)
    published = inspect_published(run.source)
    _require_something(run, inventory, published)
    run.begin_session()
    lake = run.lake
    make_folder(lake.root)
    with (
        locked(lake.root, LAYER_LOCK, java_process=None),
        drafts(lake.root) as folder,
        _session_for_tables(run) as session,
    ):
        workers = Workers(session, run.processes if run.is_local else None)
        rows, reading = read_files(lake), _reading(run.source, inventory)
        looked = inspect_files(
            workers,
            inventory.files,
            authorities(),
            drafts=folder.folder,
            undrafted=read_before(rows, inventory.files, reading),
        )
        inspections = looked.files
        gathered = gather_returns(session, inspections)
        held = held_slices(rows)
        decisions = decide(gathered.returns, held, reading_code=reading.code)
        new_rows = with_published(updated_rows(rows, decisions, gathered.refused, reading), published.files)
        _refuse_mixture(new_rows)
        fingerprint = _fingerprint(lake, new_rows)
        undo_unfinished(session, lake, continuing=fingerprint)
        if new_rows != rows:
            lake.take_as_simulated(bool(accepted_files(new_rows, simulated=True)))
            drafted = _records_of(workers, decisions, DraftedRecords(folder.folder, looked.drafted))
            write_modules(workers, lake, decisions, held, drafted, fingerprint)
        values = write_published(run, published)
        if new_rows != rows:
            write_files(lake, new_rows, fingerprint=fingerprint)
    require_published(run, published)
    report = _report(run, inventory, [*inspections, *published.files], gathered, decisions, published)
    report.rows |= values
    report.facts["is_simulated"] = bool(accepted_files(new_rows, simulated=True))
    if report.facts["is_simulated"]:
        keep_truth(run)
    if left := read_by_other_code(new_rows, reading):
        report.warnings.append(
            f"{left} LA-years of a collection in the lake were read by other code than today's and are not in this "
            "source; ingest them again to have them read anew"
        )
    return report


def _require_something(run: Run, inventory: Inventory, published: PublishedSource) -> None:
    if inventory.files or inventory.refused or published.files or published.unknown:
        return
    raise InputError(
        "The source folder holds no returns",
        where=str(run.source),
        expected="cin/, ssda903/ or tables/ with returns below them",
        remedy="Give the folder that holds these",
    )


def _reading(source: Place, inventory: Inventory) -> Reading:
    """How the files are read now: by which code into which tables, and which of them are simulated."""
    tables = "\n".join(table.form for table in (FILES, *BRONZE_MODULES.values()))
    code = hashlib.sha256((code_sha256(__name__, without=_READS_NOTHING) + tables).encode()).hexdigest()
    names = (file.name for file in inventory.files)
    return Reading(code, frozenset(name for name in names if is_simulated(source, name)))


def _refuse_mixture(rows: Mapping[FileKey, FileRow]) -> None:
    """No result is half simulated: a lake holds simulated returns or real ones."""
    simulated, real = (accepted_files(rows, simulated=which) for which in (True, False))
    if simulated and real:
        raise InputError(
            "The lake would hold simulated returns beside real ones, and nothing was written",
            where="bronze.files",
            expected="only real returns, or only simulated ones",
            found=f"simulated: {_some(simulated)}; real: {_some(real)}",
            remedy="Give each a lake of its own; truth.json and the file .simulated mark a folder as simulated",
        )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN_FILES} more" if len(names) > _SHOWN_FILES else ""
    return ", ".join(names[:_SHOWN_FILES]) + more


@contextmanager
def _session_for_tables(run: Run) -> Iterator[Session]:
    """Gives the session, once it is asked for, in which Spark reads timestamps that count nanoseconds.

    The reader of tables turns them into days.
    """
    before: list[str] = []

    def session() -> SparkSession:
        if not before:
            before.append(run.spark.conf.get(NANOS_AS_LONG) or "false")
            run.spark.conf.set(NANOS_AS_LONG, "true")
        return run.spark

    try:
        yield session
    finally:
        for value in before:
            run.spark.conf.set(NANOS_AS_LONG, value)


def _records_of(workers: Workers, decisions: Decisions, drafted: DraftedRecords) -> DraftedRecords:
    """Returns the drafted records of the files that are accepted, and of no others.

    Files that looked like what the lake holds, and are not, are read once more.

    Raises:
        InputError: One of these has changed since.
    """
    files = {
        part.file.file.name: part.file
        for one in decisions.accepted
        for part in one.parts
        if part.file.file.form != "table" and modules_with_rows(part.rows_by_module)
    }
    if left := [seen for name, seen in files.items() if name not in drafted.sources]:
        again = inspect_files(workers, [seen.file for seen in left], authorities(), drafts=drafted.folder)
        for seen, now in zip(left, again.files, strict=True):
            if seen.sha256 != now.sha256:
                raise source_fault(seen.file.name, "another content than at the first look")
        drafted = replace(drafted, files=[*drafted.files, *again.drafted])
    return only_of(workers, drafted, files)


def gather_returns(session: Session, inspections: Sequence[Inspection]) -> Gathered:
    """Returns the returns that inspected files make, and what of them is refused; counts the rows of tables."""
    by_form: dict[str, list[Inspection]] = defaultdict(list)
    for seen in inspections:
        by_form[seen.file.form].append(seen)
    counts = _table_counts(session, by_form["table"])
    gathered = [
        gather_cin_files(by_form["xml"]),
        gather_lac_folders(by_form["csv"]),
        gather_tables(by_form["table"], counts, authorities()),
    ]
    return Gathered(
        returns=[one for part in gathered for one in part.returns],
        refused=[one for part in gathered for one in part.refused],
        warnings=list(off_midnight(counts)),
    )


def _table_counts(session: Session, tables: Sequence[Inspection]) -> list[TableCount]:
    """Counts the rows of sound table files by LA-year: all that is brought back of them. Of plain ones it is known."""
    sound = [seen for seen in tables if seen.reason is None]
    known = [TableCount(seen, la_code, year, n, 0) for seen in sound for la_code, year, n in seen.la_years or ()]
    to_count = by_module(seen for seen in sound if seen.la_years is None)
    if not to_count:
        return known
    spark, by_path = session(), {seen.file.path: seen for seen in tables}
    counted = count_table_rows(
        (module, read_table(spark, files, check_rows=True)) for module, files in to_count.items()
    )
    return known + [
        TableCount(
            replace(by_path[file_of_uri(row.file_uri)], uri=row.file_uri),
            row.la_code, row.census_year, row.n_rows, row.n_broken, row.n_off_midnight,
        )
        for row in counted.collect()
    ]  # fmt: skip


def _fingerprint(lake: Lake, rows: Mapping[FileKey, FileRow]) -> str:
    """Returns what the ingest makes of which state of the lake; the same after a kill."""
    content = json.dumps([lake.fingerprint(FILES), sorted(map(canonical, rows.values()))])
    return FINGERPRINT_PREFIX + hashlib.sha256(content.encode()).hexdigest()


def _report(
    run: Run,
    inventory: Inventory,
    inspections: Sequence[Inspection],
    gathered: Gathered,
    decisions: Decisions,
    published: PublishedSource,
) -> StepReport:
    refused = [
        *(f"{one.name}: {one.reason}" for one in inventory.refused),
        *(f"{one.name}: {one.reason}" for one in _in_order([*gathered.refused, *decisions.refused])),
        *published.refused,
    ]
    rows: dict[str, int] = defaultdict(int)
    for taken in decisions.accepted:
        for module, n_rows in taken.rows_by_module.items():
            rows[f"bronze.{module}"] += n_rows
    rows.pop(f"bronze.{CHARACTERISTICS}", None)
    report = StepReport(
        "ingest",
        rows=dict(rows),
        warnings=[
            *_warnings(inventory, inspections),
            *gathered.warnings,
            *decisions.warnings,
            *published.warnings,
            *_reread(decisions),
        ],
        facts={
            "files_read": len(inspections),
            "bytes_read": sum(seen.file.n_bytes for seen in inspections),
            "returns_accepted": len(decisions.accepted),
            "returns_known": len(decisions.known),
            "returns_reread": len(decisions.reread),
            "returns_replaced": len(decisions.replaced),
            "returns_refused": len(refused),
            "source_sha256": _source_hash(inspections),
        },
        refused=refused,
    )
    if refused and run.environment.allow_refused:
        report.warnings.append(f"{len(refused)} refused; the run goes on without them (--allow-refused)")
    elif refused:
        report.exit_code = InputError.exit_code
    return report


def _reread(decisions: Decisions) -> Iterator[str]:
    if decisions.reread:
        yield f"{len(decisions.reread)} returns that the lake held were read anew: the code that reads them has changed"


def _in_order(refused: Sequence[RefusedReturn]) -> list[RefusedReturn]:
    return sorted(refused, key=lambda one: one.name)


def _source_hash(inspections: Sequence[Inspection]) -> str:
    """One hash over the names and contents of all files."""
    listed = sorted(f"{seen.file.name} {seen.sha256}" for seen in inspections)
    return hashlib.sha256("\n".join(listed).encode()).hexdigest()


def _warnings(inventory: Inventory, inspections: Sequence[Inspection]) -> Iterator[str]:
    if inventory.unrecognised:
        yield f"not recognised, and not read: {', '.join(inventory.unrecognised)}"
    for seen in inspections:
        if seen.reason is None and seen.n_faulty_records:
            faults = ", ".join(f"{fault} in {n}" for fault, n in seen.record_faults.items())
            yield (
                f"{seen.file.name}: validate will quarantine {seen.n_faulty_records} of"
                f" {seen.rows_by_module['child_identifiers']} children's records as a whole, because elements stand"
                f" where the collection does not allow them: {faults}"
            )
    alike: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for seen in inspections:
        if seen.reason is None:
            module = seen.file.module or ""
            alike[("what is not known and not read", module, seen.unknown)].append(seen.file.name)
            alike[("not all columns; null are", module, seen.absent)].append(seen.file.name)
    for (kind, _, names), files in sorted(alike.items()):
        if names:
            more = f" and {len(files) - 1} more like it have" if len(files) > 1 else " has"
            yield f"{files[0]}{more} {kind}: {shown_list(names)}"
