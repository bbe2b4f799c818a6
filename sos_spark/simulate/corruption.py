"""A few corrupt rows of each kind, counted in the truth file.

They are rows of children who exist nowhere else, so that no true row is lost or changed with them. A row without a
usable key ends in quarantine; one with another bad value stays, that value unknown, one of very many. No CIN date
is spelled wrong, because the tables form holds dates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa

from sos_spark.simulate.draws import Draws
from sos_spark.simulate.records import schema_of

CORRUPT_SHARE = 0.02
"""Chance of a row of each kind in each return."""

CORRUPT_MODULES = {"cin": "cin_details", "ssda903": "lac_episodes"}
"""The module of each collection of which rows are corrupt."""

FEWEST_ROWS = 40
"""A return with fewer rows of the module stays clean: the two rows of it that may end in quarantine would be so large a
share that nothing of its year was observed, and a small England would lose its smallest pilots to two rows."""

_KINDS = ("end_before_start", "missing_key", "impossible_date", "unknown_code")
Row = dict[str, object]


def _cin_rows(kind: str, child_id: str, year: int) -> Iterator[tuple[str, Row]]:
    """Yields the rows of a child with one corrupt referral. A child without an id lacks it in both modules."""
    key = None if kind == "missing_key" else child_id
    referred = date(year, 1, 14) if kind != "impossible_date" else date(year + 3, 1, 14)
    yield (
        "child_identifiers",
        {
            "LAchildID": key,
            "UPNunknown": "UN1",
            "PersonBirthDate": date(year - 8, 5, 5),
            "GenderCurrent": "1" if year < 2025 else None,
            "Sex": None if year < 2025 else "M",
            "Ethnicity": "WBRI",
            "Disabilities": "NONE",
        },
    )
    yield (
        "cin_details",
        {
            "LAchildID": key,
            "CINreferralDate": referred,
            "ReferralSource": "6",
            "PrimaryNeedCode": "N99" if kind == "unknown_code" else "N1",
            "CINclosureDate": date(year, 1, 4) if kind == "end_before_start" else None,
            "ReasonForClosure": "RC7" if kind == "end_before_start" else None,
            "ReferralNFA": "0",
        },
    )


def _lac_rows(kind: str, child_id: str, year: int) -> Iterator[tuple[str, Row]]:
    """Yields the rows of a child with one corrupt episode."""
    birth = f"05/05/{year - 8}"
    yield (
        "lac_header",
        {"CHILD": child_id, "SEX": "1" if year < 2025 else "M", "DOB": birth, "ETHNIC": "WBRI", "UPN": "UN1"},
    )
    yield (
        "lac_episodes",
        {
            "CHILD": None if kind == "missing_key" else child_id,
            "DECOM": f"31/02/{year}" if kind == "impossible_date" else f"14/01/{year}",
            "RNE": "S",
            "LS": "V2",
            "CIN": "N1",
            "PLACE": "XX" if kind == "unknown_code" else ("U4" if year > 2015 else "Q2"),
            "PLACE_PROVIDER": "PR1",
            "DEC": f"04/01/{year}" if kind == "end_before_start" else None,
            "REC": "E4A" if kind == "end_before_start" else None,
        },
    )


def corrupt_tables(
    draws: Draws, code: str, years: np.ndarray, present: dict[str, np.ndarray]
) -> tuple[dict[str, pa.Table], Counter[str]]:
    """Returns corrupt rows of an authority's returns by module, and how many there are of each kind.

    `present` says by collection in which of the years a return bears any. Kinds are `<module>.<kind>`: the
    module whose row is corrupt.
    """
    rows: dict[str, list[Row]] = {}
    counts: Counter[str] = Counter()
    recipes = (
        *(("cin", CORRUPT_MODULES["cin"], kind, _cin_rows) for kind in _KINDS),
        *(("ssda903", CORRUPT_MODULES["ssda903"], kind, _lac_rows) for kind in _KINDS),
    )
    for number, (collection, corrupt_module, kind, make) in enumerate(recipes):
        drawn = draws.below(f"corrupt/{corrupt_module}/{kind}", years, CORRUPT_SHARE) & present[collection]
        for year in years[drawn].tolist():
            for module, row in make(kind, f"9{year}{number:03d}", year):
                rows.setdefault(module, []).append({"la_code": code, "census_year": year, **row})
            counts[f"{corrupt_module}.{kind}"] += 1
            if collection == "cin" and kind == "missing_key":
                counts[f"child_identifiers.{kind}"] += 1
    return {module: pa.Table.from_pylist(found, schema=schema_of(module)) for module, found in rows.items()}, counts
