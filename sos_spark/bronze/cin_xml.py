"""CIN census XML, read as a stream: first its header and whether it is whole, then its records.

Strict where a lenient reader loses children or takes values for what they are not. A file that is not well-formed to
its closing root is refused as a whole, and so is one with an element out of place outside its children's records, or
inside a record that cannot be told whose it is. Inside a record such an element makes that record faulty: all its rows
carry the fault, and silver takes none of them. What stands where is `cin_structure`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

import pyarrow as pa

from sos_spark.bronze.cin_structure import (
    CHILD,
    CHILD_ID,
    DOCUMENT,
    FILE_ELEMENTS,
    HEADER,
    MISPLACED,
    MODULE_OF_LEAF,
    ROOT_NAME,
    UNKNOWN,
    UNREAD,
    Element,
    misspelt,
)
from sos_spark.bronze.fault import SourceError
from sos_spark.bronze.modules import FIELDS
from sos_spark.bronze.records import WHITE_SPACE, RecordBatches
from sos_spark.tables import CIN_MODULES

OUT_OF_PLACE = "element_out_of_place"
REPEATED = "element_repeated"
MISSPELT = "element_misspelt"
FOREIGN = "element_of_another_namespace"
_SEPARATOR = " "
"""Between an element's namespace and its name; neither can hold one."""


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


def parse_cin(chunks: Iterable[bytes], batches: RecordBatches) -> Iterator[pa.RecordBatch]:
    """Gives the records of a file that `inspect_cin` found sound; record_position is the child's, from 1."""
    reader = _Reader(batches)
    for chunk in chunks:
        reader.feed(chunk)
        if batches.is_full:
            yield from batches.take()
    reader.close()
    yield from batches.take()


class _Names(dict[str, str]):
    """Tags as they are declared: elements of the root's namespace by their local name, others as no element is."""

    namespace = ""

    def __missing__(self, tag: str) -> str:
        namespace, _, name = tag.rpartition(_SEPARATOR)
        self[tag] = known = name if namespace == self.namespace else _SEPARATOR + tag
        return known


class _Walker:
    """Goes through a file element by element and knows where each may stand.

    A reader is told when an element that matters to it begins (`_enter`) and, where it says so, ends.
    """

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(None, _SEPARATOR)
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._start_root
        self._names = _Names()
        # The innermost open element, and which of those that may stand in it once have been seen (of an unknown
        # element: whether it was taken for a row); around it the same of the elements it is in.
        self._element, self._seen = DOCUMENT, 0
        self._around: list[tuple[Element, int]] = []
        self._text: list[str] = []
        self._is_in_child = False
        self._unknown: set[str] = set()
        # Of the open Child: (fault, declared element), in the order of the file.
        self._faults: list[tuple[str, str]] = []

    def feed(self, chunk: bytes) -> None:
        self._parse(chunk, False)

    def close(self) -> None:
        self._parse(b"", True)

    def _parse(self, chunk: bytes, is_last: bool) -> None:
        try:
            self._parser.Parse(chunk, is_last)
        except expat.ExpatError as error:
            raise SourceError(
                "The file is not well-formed XML, or cut off",
                found=f"{expat.ErrorString(error.code)} at line {error.lineno}",
            ) from None
        except (LookupError, ValueError):
            raise SourceError("The file's encoding cannot be read") from None

    def _start_root(self, tag: str, attributes: dict[str, str]) -> None:
        self._names.namespace, _, name = tag.rpartition(_SEPARATOR)
        if name != ROOT_NAME:
            raise SourceError("The file is no CIN census", expected=f"the root element {ROOT_NAME}")
        self._parser.StartElementHandler = self._start
        self._start(tag, attributes)

    def _start(self, tag: str, _: dict[str, str]) -> None:
        element = self._element.below.get(self._names[tag])
        if element is None:
            element = self._undeclared(tag)
        elif element.bit & self._seen:
            self._repeated(element)
        self._around.append((self._element, self._seen | element.bit))
        self._element, self._seen = element, 0
        self._text.clear()
        if element.is_told:
            self._enter(element)

    def _repeated(self, element: Element) -> None:
        if self._is_in_child:
            self._faults.append((REPEATED, element.name))
        elif element.is_leaf:
            raise SourceError(f"The Header says {element.name} more than once", found=self._line())
        else:
            raise SourceError(f"The file has more than one {element.name}", found=self._line())

    def _undeclared(self, tag: str) -> Element:
        """Returns what an element is taken for that is not declared where it stands."""
        name = tag.rpartition(_SEPARATOR)[2]
        is_ours = self._names[tag] == name
        if name in FILE_ELEMENTS or (name in MISPLACED and not self._is_in_child):
            where = "out of place" if is_ours else "of another namespace than the root"
            raise SourceError(f"An element {name} is {where}", found=self._line())
        if name in MISPLACED:
            self._faults.append((OUT_OF_PLACE if is_ours else FOREIGN, name))
            self._take_for_row(name)
            return MISPLACED[name] if is_ours or MISPLACED[name].module else UNKNOWN
        if self._element.is_leaf:
            return self._blame(OUT_OF_PLACE, self._element.name)
        meant = misspelt(name, self._element) if is_ours else None
        if meant is not None:
            return self._blame(MISSPELT, meant)
        if name not in UNREAD:
            self._unknown.add(name)
        return UNKNOWN

    def _blame(self, fault: str, name: str) -> Element:
        if not self._is_in_child:
            what = "holds another element" if fault == OUT_OF_PLACE else "is misspelt"
            raise SourceError(f"An element {name} {what}", found=self._line())
        self._faults.append((fault, name))
        return UNKNOWN

    def _take_for_row(self, name: str) -> None:
        """Takes an unknown element for a row of the module that alone has a leaf found in it."""
        module = MODULE_OF_LEAF.get(name)
        is_inside = any(element.module == module for element, _ in self._around)
        if module is not None and self._element is UNKNOWN and not self._seen and not is_inside:
            self._seen = 1
            self._add_row(module)

    def _line(self) -> str:
        return f"line {self._parser.CurrentLineNumber}"

    def _enter(self, element: Element) -> None:
        raise NotImplementedError

    def _add_row(self, module: str) -> None:
        raise NotImplementedError


def _refuse_doctype(*_: Any) -> None:
    raise SourceError("The file has a DOCTYPE, which no return has")


class _Inspector(_Walker):
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


Values = list[str | None]
_BLANK: dict[str, Values] = {module: [None] * len(FIELDS[module]) for module in CIN_MODULES}


class _Reader(_Walker):
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
