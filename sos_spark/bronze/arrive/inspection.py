"""The look at every file: its hash, what it says it is, and whether it is whole. One task looks at many files.

XML and SSDA903 files are read once: where drafts are asked for, the records of each that is whole are written to them
on the way. Files are opened by path where they are read, not carried through Spark as binary columns: a batch of those
would hold thousands of small files or a few huge ones at once, and their hash needs one pass either way.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sos_spark.bronze.arrive.cin_file import read_cin
from sos_spark.bronze.arrive.inventory import SourceFile, table_constants
from sos_spark.bronze.arrive.lac_file import read_lac, require_filed_in_its_year
from sos_spark.bronze.arrive.plain_table import LaYearRows
from sos_spark.bronze.arrive.table_file import CHUNK_BYTES, UNREADABLE, inspect_table_file
from sos_spark.bronze.bronze_files import BronzeFile, BronzeFiles
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
from sos_spark.bronze.record_batches import RecordBatches, file_id_of
from sos_spark.config.reference import Authority
from sos_spark.errors import shown_name
from sos_spark.machine.workers import Workers
from sos_spark.places import Place, place_of

_BYTES_A_TASK = 128 << 20
_TASKS_A_CORE = 2
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


@dataclass(frozen=True)
class Looked:
    """What a look found: the files, and what was written of their records on the way."""

    files: list[Inspection]
    drafted: list[BronzeFile]


def inspect_files(
    workers: Workers,
    files: Sequence[SourceFile],
    authorities: Mapping[str, Authority],
    *,
    drafts: Place | None = None,
    undrafted: Collection[str] = (),
) -> Looked:
    """Looks at each file once; brings back one row per file, with no record's value.

    Args:
        workers: Who reads them.
        files: The files.
        authorities: The authorities there are.
        drafts: A folder for the records of sound XML and SSDA903 files, laid out as bronze is: a folder for each
            module, and in it one for each census year.
        undrafted: The names of files of which nothing is written there.
    """
    unread = [Inspection(file, reason=file.fault) for file in files if file.fault]
    to_read = [file for file in files if not file.fault]
    facts: dict[str, Mapping[str, Any]] = {}
    drafted: list[BronzeFile] = []
    n_bytes = sum(file.n_bytes for file in to_read)
    entries = _tasks(to_read, drafts, undrafted, at_once=workers.at_once(n_bytes))
    for result in workers.run(entries, _look, n_bytes=n_bytes):
        facts |= result["facts"]
        drafted += map(BronzeFile.of, result["written"])
    return Looked(unread + [_inspection(file, facts[file.name], authorities) for file in to_read], drafted)


def _tasks(
    files: Sequence[SourceFile], drafts: Place | None, undrafted: Collection[str], *, at_once: int
) -> list[dict[str, Any]]:
    """Shares files out among few tasks of about equal bytes, neighbours together.

    Those of a year are neighbours, so that a task's records are of few years.
    """
    ordered = sorted(files, key=lambda file: (file.layout_year or "", file.name))
    sizes = [file.n_bytes + _OVERHEAD_BYTES_A_FILE for file in ordered]
    n_tasks = min(len(files), max(_TASKS_A_CORE * at_once, -(-sum(sizes) // _BYTES_A_TASK)))
    members, done = defaultdict(list), 0
    for file, size in zip(ordered, sizes, strict=True):
        is_drafted = drafts is not None and file.form != "table" and file.name not in undrafted
        members[done * n_tasks // sum(sizes)].append({**asdict(file), "is_drafted": is_drafted})
        done += size
    return [{"files": some, "drafts": None if drafts is None else str(drafts)} for some in members.values()]


def _look(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The worker: what each file of a task says of itself, and the files written of their records."""
    with ExitStack() as stack:
        drafts = None
        if entry["drafts"] is not None:
            folder = place_of(entry["drafts"])
            drafts = stack.enter_context(BronzeFiles(lambda module: folder / module))
        facts = {}
        for file in entry["files"]:
            records = RecordBatches(keeps=file["is_drafted"])
            facts[file["name"]] = told = _look_at(file, records)
            if drafts is not None and file["is_drafted"] and "reason" not in told:
                _draft(file, told, records, drafts)
        yield {"facts": facts, "written": [] if drafts is None else drafts.finish()}


def _draft(file: Mapping[str, Any], facts: Mapping[str, Any], records: RecordBatches, drafts: BronzeFiles) -> None:
    """Writes a file's records, if it says credibly of which LA and year they are; without that it is refused."""
    try:
        if file["form"] == "xml":
            la_code, year = _la_year(facts["header"].get("LEA"), facts["header"].get("Year"))
        else:
            la_code, year = _la_year(file["layout_la"], file["layout_year"])
    except SourceError:
        return
    for module, rows in records.give(la_code=la_code, file_id=file_id_of(facts["sha256"])):
        drafts.add(module, str(year), rows, file["name"])
    drafts.end_of_source()


def _la_year(la_code: str | None, year: str | None) -> tuple[str, int]:
    """The LA and the census year that a header or a place names.

    Raises:
        SourceError: They cannot be ones.
    """
    return parse_la_code(la_code or ""), parse_census_year(year or "")


def _look_at(file: Mapping[str, Any], records: RecordBatches) -> dict[str, Any]:
    """A file's facts, its hash among them; `reason` where it cannot be taken."""
    digest = hashlib.sha256()
    try:
        facts = _facts(file, digest.update, records)
        return {**facts, "sha256": digest.hexdigest()}
    except SourceError as fault:
        # A fault ends the reading early; the hash is the whole file's.
        try:
            with place_of(file["path"]).open("rb") as handle:
                return {"reason": str(fault), "sha256": hashlib.file_digest(handle, "sha256").hexdigest()}
        except OSError as error:
            return _unread(error)
    except OSError as error:
        return _unread(error)


def _unread(error: OSError) -> dict[str, Any]:
    return {"reason": f"The file cannot be read: found {type(error).__name__}", "sha256": None}


def _facts(entry: Mapping[str, Any], update_hash: Callable[[bytes], None], records: RecordBatches) -> dict[str, Any]:
    path, module = entry["path"], entry["module"]
    if entry["form"] == "table":
        return asdict(inspect_table_file(path, update_hash, (*LA_YEAR, *fields_of(module))))
    if entry["n_bytes"] > MAX_FILE_BYTES:
        raise SourceError(
            "The file is too large", expected=f"at most {MAX_FILE_BYTES} bytes", found=str(entry["n_bytes"])
        )
    if entry["form"] == "xml":
        return asdict(read_cin(_chunks_of(path, update_hash), records))
    content = place_of(path).read_bytes()
    update_hash(content)
    lac = read_lac(content, module, records)
    return {"rows_by_module": {module: lac.n_rows}, **asdict(lac)}


def _chunks_of(path: str, update_hash: Callable[[bytes], None]) -> Iterator[bytes]:
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
        la_code, census_year = _la_year(file.layout_la, file.layout_year)
        return {"la_code": la_code, "census_year": census_year}
    except SourceError:
        return {}


def _judged_cin(seen: Inspection, facts: Mapping[str, Any], authorities: Mapping[str, Authority]) -> Inspection:
    header, file = facts["header"], seen.file
    if header.get("Collection", "").casefold() != "cin":
        raise SourceError("The Header names no collection that is known", expected="Collection CIN")
    la_code, census_year = _la_year(header.get("LEA"), header.get("Year"))
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
    la_code, census_year = _la_year(seen.file.layout_la, seen.file.layout_year)
    seen = replace(
        seen,
        la_code=la_code,
        census_year=census_year,
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
