"""SSDA903 CSV, read once and strictly: a file with a row of another number of columns than its header is broken."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sos_spark.bronze.columns import Columns, find_columns
from sos_spark.bronze.fault import MAX_FILE_BYTES, SourceError
from sos_spark.bronze.fields import FIELDS, required_of
from sos_spark.bronze.record_batches import WHITE_SPACE, RecordBatches

_EPISODES = "lac_episodes"
_DAY = re.compile(
    r"(?:\d{1,2}/(?P<month>\d{1,2})/(?P<year>\d{4})|(?P<iso_year>\d{4})-(?P<iso_month>\d{2})-\d{2})(?!\d)"
)


@dataclass(frozen=True)
class LacFile:
    """What a sound SSDA903 file says of itself: how many records, and columns the module does not know or lacks.

    Of episodes also the census years (to 31 March) in which any begins, and in which any ends.
    """

    n_rows: int
    unknown_columns: tuple[str, ...]
    absent_columns: tuple[str, ...]
    years_begun: tuple[int, ...] = ()
    years_ended: tuple[int, ...] = ()


def decode(content: bytes) -> str:
    """Returns a file's text: UTF-8 with or without its mark, else Windows-1252.

    Raises:
        SourceError: It is neither.
    """
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise SourceError("The file's text cannot be decoded", expected="UTF-8 or Windows-1252")


def read_lac(content: bytes, module: str, records: RecordBatches) -> LacFile:
    """Reads a file to its end. `records` gets its records; record_position is the line, the header's being 1.

    Raises:
        SourceError: It has no header, lacks columns, has a row of another length, an open quote, or no known encoding.
    """
    rows = lac_rows(content)
    columns = lac_columns(rows, module)
    n_rows = 0
    # Texts first: days repeat, so few of them need to be read.
    texts_begun, texts_ended = set[str | None](), set[str | None]()
    begun, ended = (FIELDS[module].index(name) for name in ("DECOM", "DEC")) if module == _EPISODES else (0, 0)
    for line, cells in rows:
        values = [None if at is None else cells[at].strip(WHITE_SPACE) or None for at in columns.positions]
        records.add(module, line, values)
        n_rows += 1
        if module == _EPISODES:
            texts_begun.add(values[begun])
            texts_ended.add(values[ended])
    return LacFile(n_rows, columns.unknown, columns.absent, _census_years(texts_begun), _census_years(texts_ended))


def _census_years(texts: Iterable[str | None]) -> tuple[int, ...]:
    return tuple(sorted({year for text in texts if text and (year := census_year_of_day(text)) is not None}))


def require_filed_in_its_year(years_begun: Sequence[int], years_ended: Sequence[int], census_year: int) -> None:
    """Checks that episodes may be of their folder's year: none ended before it, unless others begin or end in it.

    Raises:
        SourceError: They are an earlier year's.
    """
    if census_year not in {*years_begun, *years_ended} and any(year < census_year for year in years_ended):
        raise SourceError(
            "The episodes are those of another year than the folder's",
            expected=f"one that begins or ends from 1 April {census_year - 1} to 31 March {census_year}",
            found="none, and some that ended before",
        )


def census_year_of_day(text: str) -> int | None:
    """Returns the census year (to 31 March) of a date dd/mm/yyyy or yyyy-mm-dd; None of anything else."""
    day = _DAY.match(text.strip(WHITE_SPACE))
    if day is None:
        return None
    year, month = int(day["year"] or day["iso_year"]), int(day["month"] or day["iso_month"])
    return year + (month > 3)


def lac_columns(rows: Iterator[tuple[int, list[str]]], module: str) -> Columns:
    """Returns where the module's fields stand, from the first of `lac_rows`.

    Raises:
        SourceError: There is no header, or it lacks columns.
    """
    first = next(rows, None)
    if first is None:
        raise SourceError("The file is empty", expected="a header")
    return find_columns(first[1], FIELDS[module], required=required_of(module))


def lac_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Gives each record with the line it begins on, the header first; blank lines are no records.

    Raises:
        SourceError: A row has another length than the first, a quote is open, or the encoding is not known.
    """
    # The csv module's limit on a field is the process's and, as it comes, far below what a file may hold.
    csv.field_size_limit(MAX_FILE_BYTES)
    reader = csv.reader(io.StringIO(decode(content), newline=""), strict=True)
    width, line = 0, 1
    try:
        for cells in reader:
            if cells:
                width = width or len(cells)
                if len(cells) != width:
                    raise SourceError(
                        "A row has another number of columns than the header, or the file is cut off",
                        expected=str(width),
                        found=f"{len(cells)} at line {line}",
                    )
                yield line, cells
            line = reader.line_num + 1
    except csv.Error:
        # The module's own message may quote the text.
        raise SourceError("A row is not valid CSV, or the file is cut off", found=f"line {line}") from None
