"""The records of CIN census XML that was found sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import pyarrow as pa

from sos_spark.bronze.arrive.cin_structure import (
    CHILD,
    CHILD_ID,
    Element,
)
from sos_spark.bronze.arrive.cin_walker import CinWalker
from sos_spark.bronze.fields import FIELDS
from sos_spark.bronze.record_batches import WHITE_SPACE, RecordBatches
from sos_spark.tables import CIN_MODULES

Values = list[str | None]
_BLANK: dict[str, Values] = {module: [None] * len(FIELDS[module]) for module in CIN_MODULES}


def parse_cin(chunks: Iterable[bytes], batches: RecordBatches) -> Iterator[pa.RecordBatch]:
    """Gives the records of a file that `inspect_cin` found sound; record_position is the child's, from 1."""
    reader = _Reader(batches)
    for chunk in chunks:
        reader.feed(chunk)
        if batches.is_full:
            yield from batches.take()
    reader.close()
    yield from batches.take()


class _Reader(CinWalker):
    """Builds the records of one Child at a time; fields may stand in any order inside their element."""

    def __init__(self, batches: RecordBatches) -> None:
        super().__init__()
        self._add: Callable[[str, int, Sequence[str | None], str | None], None] = batches.add
        self._n_children = 0
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
            return
        values = _BLANK[module].copy()
        if element.name == CHILD:
            self._is_in_child = True
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
            self._leave(element)

    def _leave(self, element: Element) -> None:
        if element.module is not None:
            _, values = self._open.pop()
            if self._open:
                self._values = self._open[-1][1]
            else:
                self._give(values)
        elif element.name == CHILD_ID and self._open:
            # Out of its place, in a record that is told by it alone.
            child = self._open[0][1]
            child[0] = child[0] or "".join(self._text).strip(WHITE_SPACE) or None

    def _give(self, child: Values) -> None:
        position, child_id = self._n_children, child[0]
        fault = self._faults[0][0] if self._faults else None
        self._add("child_identifiers", position, child, fault)
        for module, values, referral in self._below:
            values[0] = child_id
            if referral is not values:
                values[1] = None if referral is None else referral[1]
            self._add(module, position, values, fault)
        self._below.clear()
        self._faults.clear()
        self._is_in_child = False
