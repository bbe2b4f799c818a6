"""The rows of bronze.files: what the lake knows of the files it was given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sos_spark.bronze.arrive.inspection import Inspection
from sos_spark.bronze.arrive.inventory import SourceFile
from sos_spark.bronze.decide.decisions import Decisions, Held
from sos_spark.bronze.decide.returns import Part, RefusedReturn, Slice
from sos_spark.bronze.fields import COLLECTION_OF, PUBLISHED
from sos_spark.tables import FILES

FileRow = dict[str, Any]
FileKey = tuple[Any, ...]


@dataclass(frozen=True)
class Reading:
    """How an ingest reads: the hash of the code that reads, and the names of the source's files that are simulated."""

    code: str = ""
    simulated: frozenset[str] = frozenset()


def file_rows(records: Iterable[Mapping[str, Any]]) -> dict[FileKey, FileRow]:
    """Returns rows of bronze.files by key; counts as a mapping, however they were read."""
    rows = {}
    for record in records:
        row = {**record, "rows_by_module": dict(record["rows_by_module"] or {})}
        rows[tuple(row[name] for name in FILES.key)] = row
    return rows


def held_slices(rows: Mapping[FileKey, FileRow]) -> dict[Slice, Held]:
    """Returns what the lake holds, by slice: its accepted files."""
    by_slice: dict[Slice, list[FileRow]] = defaultdict(list)
    for row in rows.values():
        if row["status"] == "accepted":
            by_slice[_slice_of(row)].append(row)
    held = {}
    for where, members in by_slice.items():
        counts: dict[str, int] = defaultdict(int)
        for row in members:
            for module, n_rows in row["rows_by_module"].items():
                counts[module] += n_rows
        content = frozenset(row["file_sha256"] for row in members)
        read_by = frozenset(row["read_by"] for row in members)
        held[where] = Held(content, members[0]["returned_at"], dict(counts), read_by)
    return held


def read_before(rows: Mapping[FileKey, FileRow], files: Iterable[SourceFile], reading: Reading) -> frozenset[str]:
    """Returns the names of files that the lake seems to hold as the same code read them, by their names and sizes."""
    held = {
        (row["file_path"], row["n_bytes"])
        for row in rows.values()
        if row["status"] == "accepted" and row["read_by"] == reading.code
    }
    return frozenset(file.name for file in files if (file.name, file.n_bytes) in held)


def updated_rows(
    rows: Mapping[FileKey, FileRow],
    decisions: Decisions,
    refused: Sequence[RefusedReturn],
    reading: Reading = Reading(),
) -> dict[FileKey, FileRow]:
    """Returns the rows after an ingest. What was accepted earlier stands unless its slice is replaced or emptied."""
    changed = set(decisions.changed)
    updated = {
        key: {**row, "status": "replaced", "reason": "A later return of this LA and year replaced it"}
        if row["status"] == "accepted" and _slice_of(row) in changed
        else row
        for key, row in rows.items()
    }
    for one in [*refused, *decisions.refused]:
        _put(updated, reading, one.slice, one.parts, "refused", one.reason, None)
    for gone, reason in decisions.replaced:
        _put(updated, reading, gone.slice, gone.parts, "replaced", reason, gone.returned_at)
    for taken in decisions.accepted:
        _put(updated, reading, taken.slice, taken.parts, "accepted", None, taken.returned_at)
    return updated


def without_lost(
    rows: Mapping[FileKey, FileRow], lost: Mapping[tuple[str, int, str, int], int]
) -> dict[FileKey, FileRow]:
    """Returns the rows after records were taken out of bronze: how many, by module, file, LA and census year."""
    updated = {key: {**row, "rows_by_module": dict(row["rows_by_module"])} for key, row in rows.items()}
    for (module, *where), n_lost in lost.items():
        for row in updated.values():
            if [row["file_id"], row["la_code"], row["census_year"]] == where and module in row["rows_by_module"]:
                row["rows_by_module"][module] -= n_lost
    return updated


def with_published(rows: Mapping[FileKey, FileRow], files: Sequence[Inspection]) -> dict[FileKey, FileRow]:
    """Returns the rows with those of a source's published tables, which replace an earlier source's."""
    updated = dict(rows)
    nowhere = Slice(PUBLISHED, None, None)
    if any(seen.sha256 for seen in files):
        ids = {seen.file_id for seen in files if seen.sha256}
        for key, row in rows.items():
            if row["collection"] == PUBLISHED and row["status"] == "accepted" and row["file_id"] not in ids:
                updated[key] = {**row, "status": "replaced", "reason": "A later ingest read other published tables"}
    for seen in files:
        status = "accepted" if seen.reason is None else "refused"
        _put(updated, Reading(), nowhere, [Part(seen, seen.rows_by_module)], status, None, None)
    return updated


def holds_returns(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Returns whether any row of bronze.files is of a return, not of a published table."""
    return any(row["collection"] != PUBLISHED for row in rows)


def _put(
    rows: dict[FileKey, FileRow],
    reading: Reading,
    where: Slice,
    parts: Sequence[Part],
    status: str,
    reason: str | None,
    returned_at: str | None,
) -> None:
    merged: dict[FileKey, FileRow] = {}
    for part in parts:
        if part.file.sha256 is None:
            continue
        row: FileRow = {
            "file_id": part.file.file_id,
            "file_sha256": part.file.sha256,
            "file_path": part.file.file.name,
            "form": part.file.file.form,
            "collection": where.collection,
            "la_code": where.la_code,
            "census_year": where.census_year,
            "returned_at": returned_at,
            "status": status,
            "reason": part.file.reason or reason,
            "n_bytes": part.file.file.n_bytes,
            "rows_by_module": {} if status == "refused" else dict(part.rows_by_module),
            "is_simulated": part.file.file.name in reading.simulated,
            "read_by": reading.code,
        }
        key = tuple(row[name] for name in FILES.key)
        if key in merged:
            # Two files of a folder with the same content, as two modules without a record may have.
            row["rows_by_module"] |= merged[key]["rows_by_module"]
        merged[key] = row
    for key, row in merged.items():
        old = rows.get(key)
        if status == "accepted" or old is None or old["status"] != "accepted":
            rows[key] = row


def accepted_files(rows: Mapping[FileKey, FileRow], *, simulated: bool) -> list[str]:
    """Returns the names of accepted returns that are simulated, or of those that are not, each once and in order."""
    return sorted({row["file_path"] for row in _accepted_returns(rows) if row["is_simulated"] is simulated})


def read_by_other_code(rows: Mapping[FileKey, FileRow], reading: Reading) -> int:
    """Returns how many LA-years of a collection the lake holds as code other than today's read them."""
    return len({_slice_of(row) for row in _accepted_returns(rows) if row["read_by"] != reading.code})


def _accepted_returns(rows: Mapping[FileKey, FileRow]) -> Iterator[FileRow]:
    """Published tables are neither simulated nor read as returns are."""
    return (row for row in rows.values() if row["status"] == "accepted" and row["collection"] != PUBLISHED)


def modules_with_rows(rows_by_module: Mapping[str, int]) -> set[str]:
    """Returns the modules a return has records of."""
    return {module for module, n_rows in rows_by_module.items() if n_rows and module in COLLECTION_OF}


def _slice_of(row: Mapping[str, Any]) -> Slice:
    return Slice(row["collection"], row["la_code"], row["census_year"])
