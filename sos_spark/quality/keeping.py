"""Counts by authority as rows of dq.facts, and back: what is kept of a count, so that not all is counted again.

What is counted of an authority's rows changes with that authority's rows alone, where a suite's facts stay within an
authority: a key that holds la_code is never shared by rows of two. Other suites are counted whole, always.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from sos_spark.quality.counting import counts_of, place_of
from sos_spark.quality.facts import Fact, RowsRepeating, RowsWithout
from sos_spark.quality.suites import Suite
from sos_spark.tables import DQ_FACTS, TABLES

AUTHORITY = "la_code"
_SUITE, _FACT, _N = "suite", "fact", "n"


def is_by_authority(suite: Suite) -> bool:
    """Returns whether each row of a suite's table says its place, and its facts stay within an authority."""
    required = {column.name for column in TABLES[suite.table].columns if not column.nullable}
    place = place_of(TABLES[suite.table].column_names)
    return (
        AUTHORITY in place
        and required.issuperset(place)
        and all(_stays_within(fact, AUTHORITY) for fact in suite.facts.values())
    )


def _stays_within(fact: Fact, column: str) -> bool:
    """Whether a fact of rows that hold one value of a column depends on no row that holds another."""
    match fact:
        case RowsRepeating():
            return column in fact.key
        case RowsWithout():
            return fact.on.get(column) == column
    return True


def to_rows(counted: Mapping[str, pd.DataFrame], suites: Sequence[Suite]) -> pd.DataFrame:
    """Returns rows of dq.facts, in the order of its key, out of what `count` gives of suites by authority."""
    rows = [
        counted[suite.table]
        .melt(list(place_of(list(counted[suite.table].columns))), list(counts_of(suite)), _FACT, _N)
        .query(f"{_N} != 0")
        .assign(**{_SUITE: suite.table})
        for suite in suites
    ]
    whole = pd.concat(rows) if rows else pd.DataFrame()
    return in_order(whole.reindex(columns=DQ_FACTS.column_names))


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns rows of dq.facts in the order of its key; years are whole or null."""
    return rows.astype({"census_year": "Int32", _N: "int64"}).sort_values(list(DQ_FACTS.key), ignore_index=True)


def from_rows(rows: pd.DataFrame, suites: Sequence[Suite]) -> dict[str, pd.DataFrame]:
    """Returns what `count` gave of suites by authority, by table name, out of rows of dq.facts. Reverses `to_rows`."""
    return {suite.table: _counted(rows[rows[_SUITE] == suite.table], suite) for suite in suites}


def _counted(rows: pd.DataFrame, suite: Suite) -> pd.DataFrame:
    place = list(place_of(TABLES[suite.table].column_names))
    wide = rows.pivot(index=place, columns=_FACT, values=_N).reindex(columns=list(counts_of(suite)))
    counted = wide.fillna(0).astype("int64").reset_index().rename_axis(columns=None)
    return counted.astype({"census_year": "int64"} if "census_year" in place else {})
