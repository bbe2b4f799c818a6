"""What each module of a return is read from: its fields, which of them must be there, and which collection it is of."""

from __future__ import annotations

from typing import Literal

from sos_spark.tables import BRONZE_MODULES, CIN_MODULES, LAC_MODULES, PROVENANCE

Collection = Literal["cin", "ssda903", "published"]

CIN: Collection = "cin"
SSDA903: Collection = "ssda903"
PUBLISHED: Collection = "published"
"""DfE's and ONS's tables: no returns, but files like any other."""

FIELDS: dict[str, tuple[str, ...]] = {
    name: tuple(table.column_names[len(PROVENANCE) :]) for name, table in BRONZE_MODULES.items()
}
"""The DfE fields of each module, in the order of its table."""

CHARACTERISTICS = "child_characteristics"
"""A table that may come apart from child_identifiers; its fields are then joined to it."""
CHARACTERISTICS_FIELDS = ("LAchildID", "Ethnicity", "Disabilities")

COLLECTION_OF: dict[str, Collection] = {
    **dict.fromkeys(CIN_MODULES, CIN),
    CHARACTERISTICS: CIN,
    **dict.fromkeys(LAC_MODULES, SSDA903),
}

CORE_MODULES: dict[Collection, tuple[str, str]] = {
    CIN: ("child_identifiers", "cin_details"),
    SSDA903: ("lac_header", "lac_episodes"),
}
"""The modules without which an LA-year is no return of its collection."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "child_identifiers": ("LAchildID",),
    CHARACTERISTICS: ("LAchildID",),
    "cin_details": ("LAchildID", "CINreferralDate", "ReferralNFA"),
    "assessments": ("LAchildID", "CINreferralDate", "AssessmentActualStartDate"),
    "cin_plan_dates": ("LAchildID", "CINreferralDate", "CINPlanStartDate"),
    "section47": ("LAchildID", "CINreferralDate", "S47ActualStartDate"),
    "cp_plans": ("LAchildID", "CINreferralDate", "CPPstartDate"),
    "lac_header": ("CHILD", "SEX", "DOB"),
    "lac_episodes": ("CHILD", "DECOM", "RNE", "LS", "PLACE", "DEC", "REC"),
}
"""The columns a module cannot do without: its key, and what the census always asks for and an outcome reads.

Any other column may be absent and is null then. A module that is not named needs CHILD only.
"""

NEVER_STORED = frozenset({"home_post", "pl_post"})
"""Columns dropped while reading, in lower case: postcodes."""


def fields_of(module: str) -> tuple[str, ...]:
    """Returns the fields a module is read with."""
    return CHARACTERISTICS_FIELDS if module == CHARACTERISTICS else FIELDS[module]


def required_of(module: str) -> tuple[str, ...]:
    """Returns the columns a file of the module must have."""
    return REQUIRED.get(module, ("CHILD",))


LA_YEAR = ("la_code", "census_year")
"""The columns of a flat table that say whose return a row is of."""

DECLARED = tuple(
    dict.fromkeys(
        [
            *LA_YEAR,
            *(field for fields in FIELDS.values() for field in fields),
            *CHARACTERISTICS_FIELDS,
            *(name.upper() for name in sorted(NEVER_STORED)),
        ]
    )
)
"""Every column name of a return: of the names a file gives, a message says these only."""
