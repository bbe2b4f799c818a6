"""The text of a published table, read strictly: a file that was cut anywhere is refused, or every value is right."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sos_spark.bronze.columns import MAX_COLUMNS
from sos_spark.bronze.fault import MAX_FILE_BYTES, SourceError
from sos_spark.errors import shown_name

Row = Mapping[str, str]

_LINE_ENDS = ("\n", "\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class PublishedText:
    """A decoded file: the names of its header, and the whole text."""

    header: tuple[str, ...]
    text: str

    def rows(self, series: str, *, declared: Collection[str], read: Collection[str]) -> list[Row]:
        """Returns the rows below the header, without blank ones.

        Args:
            series: What the table is, for a message.
            declared: The columns a message may name.
            read: The columns whose values are used. Where the last one is, the last row needs its line end: without it
                473 may have been 4731.

        Raises:
            SourceError: There are no rows, one has another width than the header, or the file ends inside a value.
        """
        self._require_once(declared)
        lines = _lines(self.text)
        next(lines)
        rows: list[Row] = []
        for number, cells in lines:
            if len(cells) != len(self.header):
                raise SourceError(
                    "A row has another number of columns than the header, or the file is cut off",
                    expected=str(len(self.header)),
                    found=f"{len(cells)} at line {number}",
                )
            if any(cells):
                rows.append(dict(zip(self.header, cells, strict=True)))
        if not rows:
            raise SourceError(f"The table ({series}) has no rows, or the file is cut off")
        if self.header[-1] in read and not self.text.endswith((*_LINE_ENDS, '"')):
            raise SourceError(
                "The last row has no line end, so that its last count may be cut off", expected="a line end"
            )
        return rows

    def _require_once(self, declared: Collection[str]) -> None:
        seen: dict[str, int] = {}
        for position, name in enumerate(self.header, start=1):
            if name and name in seen:
                told = shown_name(name, position, declared)
                raise SourceError("The header has a column twice", found=f"columns {seen[name]} and {position}, {told}")
            seen[name] = position


def read_text(content: bytes) -> PublishedText:
    """Returns a file's text, UTF-8 or else Windows-1252, and its header.

    Raises:
        SourceError: It is empty or too large, in neither encoding, or ends inside its first line.
    """
    if len(content) > MAX_FILE_BYTES:
        raise SourceError("The file is too large", expected=f"at most {MAX_FILE_BYTES} bytes", found=str(len(content)))
    text = _decoded(content)
    if not text.strip():
        raise SourceError("The file is empty", expected="a header")
    if not any(end in text for end in _LINE_ENDS):
        raise SourceError("The file ends inside its header")
    header = tuple(name.strip() for name in next(_lines(text))[1])
    if len(header) > MAX_COLUMNS:
        raise SourceError("The file has too many columns", expected=f"at most {MAX_COLUMNS}", found=str(len(header)))
    return PublishedText(header, text)


def _decoded(content: bytes) -> str:
    encodings: Sequence[str] = ("utf-8-sig",) if content.startswith(_BYTE_ORDER_MARK) else ("utf-8", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise SourceError("The file's text cannot be decoded", expected="UTF-8 or Windows-1252")


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Gives each record, stripped, with the line it ends on; blank lines are none."""
    # The csv module's limit on a field is the process's and, as it comes, far below what a file may hold.
    csv.field_size_limit(MAX_FILE_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error:
        # The module's own message may quote the text.
        raise SourceError("A row is not valid CSV, or the file is cut off", found=f"line {reader.line_num}") from None
