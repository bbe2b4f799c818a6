"""The CIN census's elements, declared once: which stands inside which, which may repeat, and what is read of them.

What a return may hold is decided here and nowhere else. Elements that are not declared (a later census's additions) are
nobody's fault as long as nothing that is declared stands inside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sos_spark.bronze.fields import FIELDS

ROOT_NAME = "Message"
HEADER, CHILD, CHILD_ID = "Header", "Child", "LAchildID"

# Element: what stands inside it, in any order; with a star any number of times, else once at most.
_INSIDE = {
    ROOT_NAME: "Header Children",
    HEADER: "CollectionDetails Source Content*",
    "CollectionDetails": "Collection Year ReferenceDate",
    "Source": "SourceLevel* LEA SoftwareCode* Release* SerialNo* DateTime",
    "Content": "CBDSLevels*",
    "CBDSLevels": "CBDSLevel*",
    "Children": "Child*",
    CHILD: "ChildIdentifiers ChildCharacteristics CINdetails*",
    "ChildIdentifiers": "LAchildID UPN FormerUPN UPNunknown PersonBirthDate ExpectedPersonBirthDate GenderCurrent Sex"
    " PersonDeathDate",
    "ChildCharacteristics": "Ethnicity Disabilities",
    "Disabilities": "Disability*",
    "CINdetails": "CINreferralDate ReferralSource PrimaryNeedCode CINclosureDate ReasonForClosure DateOfInitialCPC"
    " ReferralNFA Assessments* CINPlanDates* Section47* ChildProtectionPlans*",
    "Assessments": "AssessmentActualStartDate AssessmentInternalReviewDate AssessmentAuthorisationDate"
    " FactorsIdentifiedAtAssessment",
    "FactorsIdentifiedAtAssessment": "AssessmentFactors*",
    "CINPlanDates": "CINPlanStartDate CINPlanEndDate",
    "Section47": "S47ActualStartDate InitialCPCtarget DateOfInitialCPC ICPCnotRequired",
    "ChildProtectionPlans": "CPPstartDate CPPendDate InitialCategoryOfAbuse LatestCategoryOfAbuse NumberOfPreviousCPP"
    " Reviews",
    "Reviews": "CPPreviewDate*",
}
# Elements whose appearance is a row of a module. A Child is one row, however its identifiers come.
_MODULES = {
    CHILD: "child_identifiers",
    "CINdetails": "cin_details",
    "Assessments": "assessments",
    "CINPlanDates": "cin_plan_dates",
    "Section47": "section47",
    "ChildProtectionPlans": "cp_plans",
}
_FIELD_OF = {"Disability": "Disabilities", "CPPreviewDate": "CPPreviewDates"}
_HEADER_READ = ("Collection", "Year", "ReferenceDate", "LEA", "DateTime")
UNREAD = frozenset(
    ["SourceLevel", "SoftwareCode", "Release", "SerialNo", "Content", "CBDSLevels", "CBDSLevel", "SeenSocialWorker"]
)  # fmt: skip
"""Elements of the census that nothing is read from: known, and wherever they stand no fault."""

_SHORTEST_TO_MISSPELL = 5


@dataclass(frozen=True, eq=False)
class Element:
    """An element in its place.

    `bit` is its own among its siblings', 0 where it may repeat. `module`: of which it is a row. `at`: the position of
    its text in the row it belongs to, -1 where it is not read; `joins`: repeated texts are joined there. `is_told`: a
    reader is told when it ends.
    """

    name: str
    below: Mapping[str, Element] = field(default_factory=dict)
    bit: int = 0
    module: str | None = None
    at: int = -1
    joins: bool = False
    is_told: bool = False

    @property
    def is_leaf(self) -> bool:
        """Whether it is declared to hold text and no elements."""
        return self.name not in _INSIDE and self is not UNKNOWN


UNKNOWN = Element("")
"""Stands for every element that is not declared: nothing is declared inside it."""


def _declared(name: str, *, bit: int, module: str) -> Element:
    """Returns an element with all that stands inside it. `module`: of the row it stands in, empty for none."""
    if name not in _INSIDE:
        column = _FIELD_OF.get(name, name)
        at = FIELDS[module].index(column) if module else -1
        return Element(
            name, bit=bit, at=at, joins=name in _FIELD_OF or name == "AssessmentFactors",
            is_told=name == CHILD_ID or name in _HEADER_READ,
        )  # fmt: skip
    row = _MODULES.get(name)
    below = {
        inner.rstrip("*"): _declared(
            inner.rstrip("*"), bit=0 if inner.endswith("*") else 1 << index, module=row or module
        )
        for index, inner in enumerate(_INSIDE[name].split())
    }
    return Element(name, below, bit, row, is_told=row is not None or name == HEADER)


MESSAGE = _declared(ROOT_NAME, bit=0, module="")
DOCUMENT = Element("", {ROOT_NAME: MESSAGE})
"""What stands around the root."""


def _misplaced(element: Element) -> Element:
    """Returns an element as it is taken where it is not allowed: its rows count, no other text of it is read."""
    if element.module:
        return replace(element, bit=0)
    return replace(element, below={name: _misplaced(inner) for name, inner in element.below.items()}, bit=0, at=-1)


def _all_below(element: Element) -> dict[str, Element]:
    found: dict[str, Element] = {}
    for name, inner in element.below.items():
        found |= {name: inner} | _all_below(inner)
    return found


_CHILD = MESSAGE.below["Children"].below[CHILD]
MISPLACED = {name: _misplaced(element) for name, element in _all_below(_CHILD).items()}
"""The elements of a child's record by name, as they are taken where they are not allowed."""

FILE_ELEMENTS = frozenset(_all_below(MESSAGE)) - frozenset(MISPLACED) - UNREAD | {ROOT_NAME}
"""The elements that are read and part of no child's record."""


def leaves_of(row: Element) -> list[str]:
    """Returns the names of the leaves that belong to an element's own row."""
    found = []
    for name, inner in row.below.items():
        if inner.is_leaf:
            found.append(name)
        elif inner.module is None:
            found += leaves_of(inner)
    return found


_OWNERS = [(name, row.module) for row in MISPLACED.values() if row.module for name in leaves_of(row)]
MODULE_OF_LEAF = {name: module for name, module in _OWNERS if [owned for owned, _ in _OWNERS].count(name) == 1}
"""The module below Child that alone has a leaf of this name. It tells what a misnamed element is a row of."""


def misspelt(name: str, parent: Element) -> str | None:
    """Returns the declared element that a name inside its parent is meant for: one letter off, or in another case."""
    wanted = name.casefold()
    for declared in parent.below:
        if declared not in UNREAD and _is_one_slip(wanted, declared.casefold()):
            return declared
    return None


def _is_one_slip(one: str, other: str) -> bool:
    """Returns whether texts are equal, or one letter was left out, added or changed."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    if len(short) < _SHORTEST_TO_MISSPELL or len(long) - len(short) > 1:
        return False
    at = next((index for index, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[at + (len(short) == len(long)) :] == long[at + 1 :]
