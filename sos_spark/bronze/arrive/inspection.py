"""The first look at every file: its hash, what it says it is, and whether it is whole. One task looks at many files.

Files are opened by path in the workers and read as streams, not carried through Spark as binary columns: a batch of
those would hold thousands of small files or a few huge ones at once, and their hash needs one pass either way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from sos_spark.bronze.arrive.cin_file import inspect_cin
from sos_spark.bronze.arrive.inventory import SourceFile, table_constants
from sos_spark.bronze.arrive.lac_file import inspect_lac, require_filed_in_its_year
from sos_spark.bronze.arrive.plain_table import LaYearRows
from sos_spark.bronze.arrive.table_file import CHUNK_BYTES, UNREADABLE, inspect_table_file
from sos_spark.bronze.columns import Columns, find_columns
from sos_spark.bronze.fault import (
    MAX_FILE_BYTES,
    SourceError,
    parse_census_year,
    parse_la_code,
    parse_returned_at,
    reference_date,
    require_authority,
    shown_date,
)
from sos_spark.bronze.fields import DECLARED, LA_YEAR, fields_of, required_of
from sos_spark.bronze.record_batches import file_id_of
from sos_spark.config.reference import Authority
from sos_spark.errors import shown_name
from sos_spark.machine.connect import tasks_at_once
from sos_spark.places import place_of

_BYTES_A_TASK = 128 << 20
_OVERHEAD_BYTES_A_FILE = 1 << 17


@dataclass(frozen=True)
class Inspection:
    """A file after the first look.

    `reason` says why it is refused, where it is. `la_code` and `census_year` are the return's, where the file holds
    one and says so; `returned_at` is the header's DateTime. `n_faulty_records` and `record_faults` are an XML file's
    (`CinFile`). `columns`, `kinds` and `encoding` are a table's. `la_years` counts the rows of a table that is plain,
    with all its columns in the file itself; those of another table, and `uri`, Spark's name of it, come later.
    """

    file: SourceFile
    sha256: str | None = None
    reason: str | None = None
    la_code: str | None = None
    census_year: int | None = None
    returned_at: str | None = None
    rows_by_module: Mapping[str, int] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    n_faulty_records: int = 0
    record_faults: Mapping[str, int] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    encoding: str = ""
    la_years: tuple[LaYearRows, ...] | None = None
    uri: str = ""

    @property
    def file_id(self) -> int:
        """The file's short id; only a file that was read has one."""
        if self.sha256 is None:
            raise ValueError("a file that was not read has no id")
        return file_id_of(self.sha256)


def inspect_files(
    spark: SparkSession, files: Sequence[SourceFile], authorities: Mapping[str, Authority]
) -> list[Inspection]:
    """Looks at each file once, spread over the cluster; brings back one row per file, with no record's value."""
    unread = [Inspection(file, reason=file.fault) for file in files if file.fault]
    to_read = [file for file in files if not file.fault]
    if not to_read:
        return unread
    looked = spread(spark, to_read, "name STRING, facts STRING", _look)
    facts = {row["name"]: json.loads(row["facts"]) for row in looked.collect()}
    return unread + [_inspection(file, facts[file.name], authorities) for file in to_read]


Worker = Callable[[Mapping[str, Any]], Iterator[pa.RecordBatch]]


def spread(
    spark: SparkSession,
    files: Sequence[SourceFile],
    schema: str,
    worker: Worker,
    *,
    notes: Mapping[str, Mapping[str, Any]] | None = None,
) -> DataFrame:
    """Returns what a worker function gives for each file, in few tasks of about equal bytes.

    Files keep their order, so that a task's files are neighbours. `notes` are further entries for the worker, by the
    file's name. The worker gets the file's fields and its notes as a mapping.
    """
    sizes = [file.n_bytes + _OVERHEAD_BYTES_A_FILE for file in files]
    n_tasks = min(len(files), max(2 * tasks_at_once(spark), -(-sum(sizes) // _BYTES_A_TASK)))
    rows, done = [], 0
    for file, size in zip(files, sizes, strict=True):
        entry = {**asdict(file), **(notes or {}).get(file.name, {})}
        rows.append((min(done * n_tasks // sum(sizes), n_tasks - 1), json.dumps(entry)))
        done += size
    return run_tasks(spark, rows, n_tasks, schema, worker)


def run_tasks(
    spark: SparkSession, entries: Sequence[tuple[int, str]], n_tasks: int, schema: str, worker: Worker
) -> DataFrame:
    """Returns what a worker function gives for each entry, which is JSON, in the task of the number beside it."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for text in batch.column("entry").to_pylist():
                yield from worker(json.loads(text))

    tasks = spark.createDataFrame(list(entries), "task INT, entry STRING")
    return tasks.repartitionById(n_tasks, "task").mapInArrow(run, schema)


def _look(entry: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
    """The worker of the first look: facts as JSON."""
    digest = hashlib.sha256()
    sha256: str | None = None
    try:
        facts = _facts(entry, digest.update)
        sha256 = digest.hexdigest()
    except SourceError as fault:
        facts = {"reason": str(fault)}
        # A fault ends the reading early; the hash is the whole file's.
        with place_of(entry["path"]).open("rb") as handle:
            sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        facts = {"reason": f"The file cannot be read: found {type(error).__name__}"}
    facts["sha256"] = sha256
    yield pa.RecordBatch.from_pydict({"name": [entry["name"]], "facts": [json.dumps(facts)]})


def _facts(entry: Mapping[str, Any], update_hash: Callable[[bytes], None]) -> dict[str, Any]:
    path, module = entry["path"], entry["module"]
    if entry["form"] == "table":
        return asdict(inspect_table_file(path, update_hash, (*LA_YEAR, *fields_of(module))))
    if entry["n_bytes"] > MAX_FILE_BYTES:
        raise SourceError(
            "The file is too large", expected=f"at most {MAX_FILE_BYTES} bytes", found=str(entry["n_bytes"])
        )
    if entry["form"] == "xml":
        return asdict(inspect_cin(chunks_of(path, update_hash)))
    content = place_of(path).read_bytes()
    update_hash(content)
    lac = inspect_lac(content, module)
    return {"rows_by_module": {module: lac.n_rows}, **asdict(lac)}


def chunks_of(path: str, update_hash: Callable[[bytes], None]) -> Iterator[bytes]:
    """Gives a file in pieces, each of which has gone into the hash."""
    with place_of(path).open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            update_hash(chunk)
            yield chunk


def _inspection(file: SourceFile, facts: Mapping[str, Any], authorities: Mapping[str, Authority]) -> Inspection:
    """Judges the facts of a file."""
    seen = Inspection(file, sha256=facts["sha256"], reason=facts.get("reason"))
    seen = replace(seen, **_place_says(file))
    if seen.reason is not None:
        return seen
    try:
        if file.form == "xml":
            return _judged_cin(seen, facts, authorities)
        if file.form == "csv":
            return _judged_lac(seen, facts, authorities)
        return _judged_table(seen, facts)
    except SourceError as fault:
        # What contradicts itself says nothing of its LA and year.
        return replace(seen, reason=str(fault), la_code=None, census_year=None)


def _place_says(file: SourceFile) -> dict[str, Any]:
    """The LA and year of the file's place, where they can be ones: all that is known of an unreadable file."""
    try:
        return {
            "la_code": parse_la_code(file.layout_la or ""),
            "census_year": parse_census_year(file.layout_year or ""),
        }
    except SourceError:
        return {}


def _judged_cin(seen: Inspection, facts: Mapping[str, Any], authorities: Mapping[str, Authority]) -> Inspection:
    header, file = facts["header"], seen.file
    if header.get("Collection", "").casefold() != "cin":
        raise SourceError("The Header names no collection that is known", expected="Collection CIN")
    la_code, census_year = parse_la_code(header.get("LEA", "")), parse_census_year(header.get("Year", ""))
    expected = reference_date(census_year).isoformat()
    if header.get("ReferenceDate", "") != expected:
        raise SourceError(
            f"The Header's Year {census_year} and its ReferenceDate disagree",
            expected=expected,
            found=shown_date(header.get("ReferenceDate", "")),
        )
    if file.layout_year not in (None, str(census_year)):
        raise SourceError("The Header's Year and the file's folder disagree",
                          expected=file.layout_year or "", found=str(census_year))  # fmt: skip
    if file.layout_la not in (None, la_code):
        raise SourceError("The Header's LEA and the file's name disagree", expected=file.layout_la or "", found=la_code)
    seen = replace(
        seen,
        la_code=la_code,
        census_year=census_year,
        returned_at=parse_returned_at(header.get("DateTime", "")),
        rows_by_module=facts["rows_by_module"],
        unknown=_shown_elements(facts["unknown_elements"]),
        n_faulty_records=facts["n_faulty_records"],
        record_faults=facts["record_faults"],
    )
    return _of_known_authority(seen, authorities)


def _shown_elements(names: Sequence[str]) -> tuple[str, ...]:
    """What may be said of elements no census has: how many there are, and which declared names they are like."""
    told = [shown_name(name, 0, DECLARED, kind="element") for name in names]
    like = tuple(text.replace("element 0", "an element") for text in told if text != "element 0")
    others = len(told) - len(like)
    return (*like, *([f"{others} element{'s' * (others > 1)} of other names"] if others else []))


def _judged_lac(seen: Inspection, facts: Mapping[str, Any], authorities: Mapping[str, Authority]) -> Inspection:
    seen = replace(
        seen,
        la_code=parse_la_code(seen.file.layout_la or ""),
        census_year=parse_census_year(seen.file.layout_year or ""),
        rows_by_module=facts["rows_by_module"],
        unknown=tuple(facts["unknown_columns"]),
        absent=tuple(facts["absent_columns"]),
    )
    try:
        require_filed_in_its_year(facts["years_begun"], facts["years_ended"], int(seen.census_year or 0))
    except SourceError as fault:
        return replace(seen, reason=str(fault))
    return _of_known_authority(seen, authorities)


def _of_known_authority(seen: Inspection, authorities: Mapping[str, Authority]) -> Inspection:
    try:
        require_authority(str(seen.la_code), int(seen.census_year or 0), authorities)
    except SourceError as fault:
        return replace(seen, reason=str(fault))
    return seen


def _judged_table(seen: Inspection, facts: Mapping[str, Any]) -> Inspection:
    module = seen.file.module or ""
    in_folders = table_constants(seen.file)
    names = [*facts["columns"], *in_folders]
    columns = find_columns(
        names,
        (*LA_YEAR, *fields_of(module)),
        required=(*LA_YEAR, *required_of(module)),
    )
    _require_values(columns, (*LA_YEAR, *fields_of(module)), facts["kinds"])
    return replace(
        seen,
        columns=tuple(facts["columns"]),
        kinds=tuple(facts["kinds"]),
        encoding=facts["encoding"],
        la_years=None if in_folders or facts["la_years"] is None else tuple(map(tuple, facts["la_years"])),
        unknown=columns.unknown,
        absent=columns.absent,
    )


def _require_values(columns: Columns, fields: Sequence[str], kinds: Sequence[str]) -> None:
    """Refuses a file whose wanted columns hold what is no value of a return: records, times of day."""
    faulty = [
        name
        for name, at in zip(fields, columns.positions, strict=True)
        if at is not None and at < len(kinds) and kinds[at] == UNREADABLE
    ]
    if faulty:
        raise SourceError(
            "Columns hold what is no value of a return", expected="text, numbers or dates", found=", ".join(faulty)
        )
