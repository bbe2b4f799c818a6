"""A walk through CIN census XML, element by element, that knows where each may stand.

Strict where a lenient reader loses children or takes values for what they are not. A file that is not well-formed to
its closing root is refused as a whole, and so is one with an element out of place outside its children's records, or
inside a record that cannot be told whose it is. Inside a record such an element makes that record faulty: all its rows
carry the fault, and silver takes none of them. What stands where is `cin_structure`'s.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any
from xml.parsers import expat

from sos_spark.bronze.arrive.cin_structure import (
    DOCUMENT,
    FILE_ELEMENTS,
    MISPLACED,
    MODULE_OF_LEAF,
    ROOT_NAME,
    UNKNOWN,
    UNREAD,
    Element,
    misspelt,
)
from sos_spark.bronze.fault import SourceError

OUT_OF_PLACE = "element_out_of_place"
REPEATED = "element_repeated"
MISSPELT = "element_misspelt"
FOREIGN = "element_of_another_namespace"
_SEPARATOR = " "
"""Between an element's namespace and its name; neither can hold one."""


class _Names(dict[str, str]):
    """Tags as they are declared: elements of the root's namespace by their local name, others as no element is."""

    namespace = ""

    def __missing__(self, tag: str) -> str:
        namespace, _, name = tag.rpartition(_SEPARATOR)
        self[tag] = known = name if namespace == self.namespace else _SEPARATOR + tag
        return known


class CinWalker(ABC):
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
        """Goes through the next piece of the file.

        Raises:
            SourceError: What was read so far cannot be a sound return's.
        """
        self._parse(chunk, False)

    def close(self) -> None:
        """Ends the file. Raises as `feed`."""
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

    @abstractmethod
    def _enter(self, element: Element) -> None:
        """Takes note that an element begins."""

    @abstractmethod
    def _add_row(self, module: str) -> None:
        """Counts a row of a module."""


def _refuse_doctype(*_: Any) -> None:
    raise SourceError("The file has a DOCTYPE, which no return has")
