"""CIN census XML, read as a stream: first its header and whether it is whole, then its records.

Strict where a lenient reader loses children: a file that is not well-formed to its closing root, or whose records
stand where the census does not put them, is refused as a whole. Tags are known by their local names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

import pyarrow as pa

from sos_spark.bronze.fault import SourceError
from sos_spark.bronze.modules import FIELDS
from sos_spark.bronze.records import WHITE_SPACE, RecordBatches

_PARENTS = {
    "Header": "Message",
    "CollectionDetails": "Header",
    "Source": "Header",
    "Children": "Message",
    "Child": "Children",
    "ChildIdentifiers": "Child",
    "ChildCharacteristics": "Child",
    "CINdetails": "Child",
    "Assessments": "CINdetails",
    "CINPlanDates": "CINdetails",
    "Section47": "CINdetails",
    "ChildProtectionPlans": "CINdetails",
}
_MODULES = {
    "Child": "child_identifiers",
    "CINdetails": "cin_details",
    "Assessments": "assessments",
    "CINPlanDates": "cin_plan_dates",
    "Section47": "section47",
    "ChildProtectionPlans": "cp_plans",
}
_LEAF_OF = {"Disabilities": "Disability", "CPPreviewDates": "CPPreviewDate"}
_CONTAINERS = {"Message", "FactorsIdentifiedAtAssessment", "Reviews", *_LEAF_OF}
_HEADER_FIELDS = {("CollectionDetails", "Collection"), ("CollectionDetails", "Year"),
                  ("CollectionDetails", "ReferenceDate"), ("Source", "LEA"), ("Source", "DateTime")}  # fmt: skip
_COLUMN_BELOW = {
    element: {leaf: field for field in FIELDS[module] for leaf in (field, _LEAF_OF.get(field, field))}
    for element, module in _MODULES.items()
}
_UNREAD = {"SourceLevel", "SoftwareCode", "Release", "SerialNo", "Content", "CBDSLevels", "CBDSLevel"}
_HEADER_NAMES = {name for _, name in _HEADER_FIELDS}
_KNOWN = frozenset().union(_UNREAD, _HEADER_NAMES, _PARENTS, _CONTAINERS, *_COLUMN_BELOW.values())


@dataclass(frozen=True)
class CinFile:
    """What a sound CIN file says of itself: its header's texts, records by module, elements no census has."""

    header: dict[str, str]
    rows_by_module: dict[str, int]
    unknown_elements: tuple[str, ...]


def inspect_cin(chunks: Iterable[bytes]) -> CinFile:
    """Reads a file to its end, without its records.

    Raises:
        SourceError: It has a DOCTYPE, is not well-formed or cut off, has no Header, or elements out of place.
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


class _Stream:
    """An expat parser that knows local names and refuses a DOCTYPE."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._names = _LocalNames()

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


class _LocalNames(dict[str, str]):
    """Tags without their prefixes; each is worked out once."""

    def __missing__(self, tag: str) -> str:
        self[tag] = name = tag.rpartition(":")[2]
        return name


def _refuse_doctype(*_: Any) -> None:
    raise SourceError("The file has a DOCTYPE, which no return has")


class _Inspector(_Stream):
    """Counts elements and checks their places; keeps text only inside the header."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, int] = defaultdict(int)
        self._path: list[str] = []
        self._header: dict[str, list[str]] = defaultdict(list)
        self._text: list[str] = []
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def _start(self, tag: str, _: dict[str, str]) -> None:
        name, path = self._names[tag], self._path
        if name in _PARENTS:
            if not path or path[-1] != _PARENTS[name]:
                raise SourceError(f"An element {name} is out of place", expected=f"inside {_PARENTS[name]}")
            if name == "Header":
                self._parser.CharacterDataHandler = self._text.append
            self._text.clear()
        elif not path and name != "Message":
            raise SourceError("The file is no CIN census", expected="the root element Message")
        elif name in _HEADER_NAMES:
            self._text.clear()
        self._counts[name] += 1
        path.append(name)

    def _end(self, _: str) -> None:
        name = self._path.pop()
        if name in _HEADER_NAMES:
            if (self._path[-1], name) in _HEADER_FIELDS:
                self._header[name].append("".join(self._text).strip())
        elif name == "Header":
            self._parser.CharacterDataHandler = None

    def finish(self) -> CinFile:
        self.close()
        counts = self._counts
        if not counts["Header"]:
            raise SourceError("The file has no Header")
        if counts["Header"] > 1 or any(len(texts) > 1 for texts in self._header.values()):
            raise SourceError("The file has more than one Header, or one that says something twice")
        return CinFile(
            header={name: texts[0] for name, texts in self._header.items()},
            rows_by_module={module: counts[element] for element, module in _MODULES.items()},
            unknown_elements=tuple(sorted(set(counts) - _KNOWN)),
        )


Fields = dict[str, str]


class _Reader(_Stream):
    """Builds the records of one Child at a time; fields may stand in any order inside their element."""

    def __init__(self, batches: RecordBatches) -> None:
        super().__init__()
        self._add: Callable[[str, int, Sequence[str | None]], None] = batches.add
        self._text: list[str] = []
        self._n_children = 0
        # The elements that hold fields, innermost last: (the element's name, its fields).
        self._open: list[tuple[str, Fields]] = []
        # The records of the current child: (element, its fields, those of its CINdetails).
        self._records: list[tuple[str, Fields, Fields]] = []
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text.append

    def _start(self, tag: str, _: dict[str, str]) -> None:
        name = self._names[tag]
        if name in _MODULES:
            fields: Fields = {}
            if name == "Child":
                self._n_children += 1
            else:
                referral = fields if name == "CINdetails" else self._open[-1][1]
                self._records.append((name, fields, referral))
            self._open.append((name, fields))
        self._text.clear()

    def _end(self, tag: str) -> None:
        name = self._names[tag]
        if self._open:
            element, fields = self._open[-1]
            column = _COLUMN_BELOW[element].get(name)
            if column is not None:
                text = "".join(self._text).strip(WHITE_SPACE)
                if text:
                    fields[column] = f"{fields[column]};{text}" if column in fields else text
            elif name == element:
                self._open.pop()
                if name == "Child":
                    self._give(fields)
        self._text.clear()

    def _give(self, child: Fields) -> None:
        position, child_id = self._n_children, child.get("LAchildID")
        self._add("child_identifiers", position, [child.get(field) for field in FIELDS["child_identifiers"]])
        for element, fields, referral in self._records:
            module = _MODULES[element]
            values = [fields.get(field) for field in FIELDS[module]]
            values[0], values[1] = child_id, referral.get("CINreferralDate")
            self._add(module, position, values)
        self._records.clear()
