"""CIN census XML, read once: what the file says of itself, whether it is whole, and its records."""

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
from sos_spark.bronze.fields import FIELDS
from sos_spark.bronze.record_batches import WHITE_SPACE, RecordBatches
from sos_spark.tables import CIN_MODULES

Values = list[str | None]
_BLANK: dict[str, Values] = {module: [None] * len(FIELDS[module]) for module in CIN_MODULES}


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


def read_cin(chunks: Iterable[bytes], records: RecordBatches) -> CinFile:
    """Reads a file to its end. `records` gets its records; record_position is the child's, from 1.

    Raises:
        SourceError: It has a DOCTYPE, is not well-formed or cut off, has no Header, an element out of place outside
            its children's records, or a faulty record that cannot be told whose it is.
    """
    reader = _Reader(records)
    for chunk in chunks:
        reader.feed(chunk)
    return reader.finish()


class _Reader(CinWalker):
    """Builds the records of one Child at a time; fields may stand in any order inside their element."""

    def __init__(self, records: RecordBatches) -> None:
        super().__init__()
        self._records = records
        self._header: dict[str, str] = {}
        self._has_header = False
        self._n_children, self._n_faulty = 0, 0
        self._counts: Counter[str] = Counter()
        # Of the open Child: the line it begins on, and the ids that stand in it beside the one of its row.
        self._child_line, self._other_ids = "", set[str]()
        # The open rows, innermost last, and the values of the innermost.
        self._open: list[tuple[str, Values]] = []
        self._values: Values = []
        # The rows of the open Child below it: (module, its values, those of its CINdetails).
        self._below: list[tuple[str, Values, Values | None]] = []
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text.append

    def _enter(self, element: Element) -> None:
        module = element.module
        if module is None:
            self._has_header = self._has_header or element.name == HEADER
            return
        values = _BLANK[module].copy()
        if element.name == CHILD:
            self._is_in_child, self._child_line = True, self._line()
            self._n_children += 1
        else:
            self._below.append((module, values, values if module == "cin_details" else self._referral()))
        self._open.append((module, values))
        self._values = values

    def _add_row(self, module: str) -> None:
        self._below.append((module, _BLANK[module].copy(), self._referral()))

    def _referral(self) -> Values | None:
        """The values of the innermost open CINdetails, if there is one."""
        return next((values for module, values in reversed(self._open) if module == "cin_details"), None)

    def _end(self, _: str) -> None:
        element = self._element
        self._element, self._seen = self._around.pop()
        at = element.at
        if at >= 0:
            if text := "".join(self._text).strip(WHITE_SPACE):
                before = self._values[at]
                if before is None:
                    self._values[at] = text
                elif element.joins:
                    self._values[at] = f"{before};{text}"
                elif element.is_told:
                    self._other_ids.add(text)
        elif element.is_told:
            self._leave(element)

    def _leave(self, element: Element) -> None:
        if element.module is not None:
            _, values = self._open.pop()
            if self._open:
                self._values = self._open[-1][1]
            else:
                self._give(values)
        elif element.name == CHILD_ID:
            # Out of its place, in a record that is told by it alone.
            if text := "".join(self._text).strip(WHITE_SPACE):
                child = self._open[0][1]
                child[0] = child[0] or text
                self._other_ids.add(text)
        elif element.name != HEADER:
            self._header[element.name] = "".join(self._text).strip(WHITE_SPACE)

    def _give(self, child: Values) -> None:
        position, child_id = self._n_children, child[0]
        fault = self._faults[0][0] if self._faults else None
        if fault is not None:
            self._count_faults(child_id)
        add = self._records.add
        add("child_identifiers", position, child, fault)
        for module, values, referral in self._below:
            values[0] = child_id
            if referral is not values:
                values[1] = None if referral is None else referral[1]
            add(module, position, values, fault)
        self._below.clear()
        self._faults.clear()
        self._other_ids.clear()
        self._is_in_child = False

    def _count_faults(self, child_id: str | None) -> None:
        n_ids = len(self._other_ids | {child_id} - {None})
        if n_ids != 1:
            fault, name = self._faults[0]
            raise SourceError(
                f"A child's record cannot be told whose it is ({fault}: {name})",
                expected=f"one {CHILD_ID}",
                found=f"{n_ids} in the {CHILD} that begins at {self._child_line}",
            )
        self._n_faulty += 1
        self._counts.update({f"{fault} {name}" for fault, name in self._faults})

    def finish(self) -> CinFile:
        self.close()
        if not self._has_header:
            raise SourceError("The file has no Header")
        return CinFile(
            header=self._header,
            rows_by_module={module: self._records.count_of(module) for module in CIN_MODULES},
            unknown_elements=tuple(sorted(self._unknown)),
            n_faulty_records=self._n_faulty,
            record_faults=dict(sorted(self._counts.items())),
        )
