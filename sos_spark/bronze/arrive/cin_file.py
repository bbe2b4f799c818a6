"""The first look at CIN census XML: its header, how many rows of which module, and whether it is whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sos_spark.bronze.arrive.cin_structure import (
    CHILD,
    CHILD_ID,
    HEADER,
    Element,
)
from sos_spark.bronze.arrive.cin_walker import CinWalker
from sos_spark.bronze.fault import SourceError
from sos_spark.bronze.record_batches import WHITE_SPACE
from sos_spark.tables import CIN_MODULES


@dataclass(frozen=True)
class CinFile:
    """What a sound CIN file says of itself: its header's texts, rows by module, elements no census has.

    `n_faulty_records`: Child elements with an element that may not stand where it does. `record_faults`: by fault and
    the declared element it is about, parted by a blank, in how many of them.
    """

    header: dict[str, str]
    rows_by_module: dict[str, int]
    unknown_elements: tuple[str, ...]
    n_faulty_records: int
    record_faults: dict[str, int]


def inspect_cin(chunks: Iterable[bytes]) -> CinFile:
    """Reads a file to its end, without its records.

    Raises:
        SourceError: It has a DOCTYPE, is not well-formed or cut off, has no Header, an element out of place outside
            its children's records, or a faulty record that cannot be told whose it is.
    """
    inspector = _Inspector()
    for chunk in chunks:
        inspector.feed(chunk)
    return inspector.finish()


class _Inspector(CinWalker):
    """Counts rows and faults; keeps text only of the header and of children's ids."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = dict.fromkeys(CIN_MODULES, 0)
        self._header: dict[str, str] = {}
        self._has_header = False
        self._child_line, self._child_ids = "", set[str]()
        self._n_faulty = 0
        self._counts: Counter[str] = Counter()
        self._parser.EndElementHandler = self._end

    def _enter(self, element: Element) -> None:
        if element.module is not None:
            self._rows[element.module] += 1
            if element.name == CHILD:
                self._is_in_child, self._child_line = True, self._line()
        else:
            self._has_header = self._has_header or element.name == HEADER
            self._parser.CharacterDataHandler = self._text.append

    def _add_row(self, module: str) -> None:
        self._rows[module] += 1

    def _end(self, _: str) -> None:
        element = self._element
        self._element, self._seen = self._around.pop()
        if element.is_told:
            if element.module is None:
                self._leave_text(element)
            elif element.name == CHILD:
                self._leave_child()

    def _leave_text(self, element: Element) -> None:
        text = "".join(self._text).strip(WHITE_SPACE)
        if element.name == CHILD_ID:
            self._child_ids |= {text} - {""}
        elif element.name != HEADER:
            self._header[element.name] = text
            return
        self._parser.CharacterDataHandler = None

    def _leave_child(self) -> None:
        if self._faults:
            if len(self._child_ids) != 1:
                fault, name = self._faults[0]
                raise SourceError(
                    f"A child's record cannot be told whose it is ({fault}: {name})",
                    expected=f"one {CHILD_ID}",
                    found=f"{len(self._child_ids)} in the {CHILD} that begins at {self._child_line}",
                )
            self._n_faulty += 1
            self._counts.update({f"{fault} {name}" for fault, name in self._faults})
            self._faults.clear()
        self._child_ids.clear()
        self._is_in_child = False

    def finish(self) -> CinFile:
        self.close()
        if not self._has_header:
            raise SourceError("The file has no Header")
        return CinFile(
            header=self._header,
            rows_by_module=self._rows,
            unknown_elements=tuple(sorted(self._unknown)),
            n_faulty_records=self._n_faulty,
            record_faults=dict(sorted(self._counts.items())),
        )
