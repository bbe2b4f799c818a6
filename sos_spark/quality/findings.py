"""What a failed expectation found: its bound, how many rows are beyond it, and where these are. Counts, never values.

Great Expectations is asked for verdicts only; what is beyond a bound, and where, is read from the facts it judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from sos_spark.config.reference import unit_name
from sos_spark.quality.checks import Verdict
from sos_spark.quality.counting import place_of
from sos_spark.quality.facts import COUNTS, N_ROWS, Fact
from sos_spark.quality.suites import Expectation, Severity, Suite

PLACES_TOLD = 10
NOT_KNOWN = "not known"
_PARTS = {
    "la_code": "authority",
    "unit_id": "authority",
    "census_year": "year",
    "outcome_id": "outcome",
    "period_start": "period from",
}
"""What a part of a place is, by its column."""


@dataclass(frozen=True)
class Place:
    """An authority and year (or what its table has in their stead) beyond a bound; names and texts of its columns.

    n_failed: its rows that are beyond, or all its rows where the bound is on a share or a ratio, which `fact` then is.
    """

    at: tuple[tuple[str, str], ...]
    n_failed: int
    fact: float | None = None

    @property
    def name(self) -> str:
        """Where it is, for a person to read: the authority by its name, with its code."""
        return ", ".join(_place_in_words(name, text) for name, text in self.at)

    @property
    def found(self) -> str:
        """What was found there, for a person to read."""
        return _rows(self.n_failed) if self.fact is None else f"{self.fact:.3g} ({_rows(self.n_failed)})"

    def as_json(self) -> dict[str, Any]:
        """Returns the place, its rows and, where the bound is on one, its fact."""
        return dict(self.at) | {"n_failed": self.n_failed} | ({} if self.fact is None else {"found": self.fact})


@dataclass(frozen=True)
class Finding:
    """A failed expectation.

    n_failed of n_rows rows are beyond the bound, or lie in a place that is; 0 where the whole table is (it lacks rows).
    `places` are those of the rows, the most rows first; empty where the table does not know any.
    """

    suite: str
    expectation: str
    severity: Severity
    bound: str
    why: str
    n_rows: int
    n_failed: int
    places: tuple[Place, ...]

    def lines(self) -> list[str]:
        """Returns the finding for a person to read, in lines."""
        told = [
            f"  - {self.severity} in {self.suite}, {self.expectation}" + (f": {self.why}" if self.why else ""),
            f"      expected: {self.bound}",
            f"      found: {self.observed}",
        ]
        told += [f"      in {place.name}: {place.found}" for place in self.places[:PLACES_TOLD]]
        beyond = self.places[PLACES_TOLD:]
        if beyond:
            told.append(f"      in {len(beyond)} other places: {_rows(sum(place.n_failed for place in beyond))}")
        return told

    @property
    def is_of_returns(self) -> bool:
        """Whether it is about what was received, and not about what was made of it."""
        return self.suite.partition(".")[0] not in ("outcome", "panel")

    @property
    def observed(self) -> str:
        """How many rows of how many."""
        return f"{self.n_failed:,} of {_rows(self.n_rows)}" if self.n_failed else _rows(self.n_rows)

    def as_json(self) -> dict[str, Any]:
        """Returns the finding with every place, as `--json` gives it."""
        return {
            "suite": self.suite,
            "expectation": self.expectation,
            "severity": self.severity,
            "expected": self.bound,
            "observed": {"n_rows": self.n_rows, "n_failed": self.n_failed},
            "where": [place.as_json() for place in self.places],
            "why": self.why,
        }


def find_failures(
    facts: Mapping[str, pd.DataFrame], suites: Sequence[Suite], verdicts: Sequence[Verdict]
) -> tuple[Finding, ...]:
    """Returns a finding for each verdict that was not passed, in the verdicts' order.

    `facts`: what the verdicts were made from, by table name.
    """
    expected = {(suite.table, each.name): (suite, each) for suite in suites for each in suite.expectations}
    failed = [verdict for verdict in verdicts if not verdict.passed]
    return tuple(_find(*expected[v.suite, v.expectation], facts[v.suite]) for v in failed)


def _find(suite: Suite, expectation: Expectation, facts: pd.DataFrame) -> Finding:
    fact = suite.facts.get(expectation.fact or "")
    beyond = facts[_is_beyond(expectation, facts)]
    counts_rows = isinstance(fact, COUNTS)
    n_failed = beyond[expectation.fact if counts_rows else N_ROWS].astype("int64")
    names = list(place_of(list(facts.columns)))
    places = [
        Place(
            tuple((name, _text(value)) for name, value in zip(names, at, strict=True)),
            n,
            None if counts_rows or expectation.fact == N_ROWS else float(value),
        )
        for *at, n, value in zip(
            *(beyond[name] for name in names), n_failed.tolist(), beyond[expectation.fact or N_ROWS], strict=True
        )
    ]
    return Finding(
        suite.table,
        expectation.name,
        expectation.severity,
        _bound(expectation, fact),
        expectation.why,
        int(facts[N_ROWS].sum()),
        int(n_failed.sum()),
        tuple(sorted(places, key=lambda place: (-place.n_failed, place.at))) if names else (),
    )


def _is_beyond(expectation: Expectation, facts: pd.DataFrame) -> pd.Series[bool]:
    """Whether a place's fact is known and beyond the bounds; nowhere, for an expectation that there be rows."""
    if expectation.fact is None:
        return pd.Series(False, index=facts.index)
    given, fact = expectation.kwargs, facts[expectation.fact]
    low, high = given.get("min_value"), given.get("max_value")
    below = fact < low if low is not None else pd.Series(False, index=facts.index)
    return below | (fact > high) if high is not None else below


def _bound(expectation: Expectation, fact: Fact | None) -> str:
    """Returns what was expected, as the suite has it."""
    words = fact.words if fact is not None else "rows"
    if isinstance(fact, COUNTS) and expectation.kwargs.get("max_value") == 0:
        return f"no {words}"
    return f"{words}: {_range(expectation.kwargs)}"


def _range(given: Mapping[str, Any]) -> str:
    low, high = given.get("min_value"), given.get("max_value")
    if low is not None and high is not None:
        return f"{low}" if low == high else f"between {low} and {high}"
    return f"at least {low}" if high is None else f"at most {high}"


def _text(value: str | float | date | None) -> str:
    """A part of a place as text; years are whole, though a column that lacks some of them holds floats."""
    if pd.isna(value):
        return NOT_KNOWN
    return str(int(value)) if isinstance(value, float) else str(value)


def _place_in_words(name: str, text: str) -> str:
    if text == NOT_KNOWN:
        return f"{_PARTS[name]} not known"
    if name in ("la_code", "unit_id") and (said := unit_name(text)) != text:
        return f"{said} ({text})"
    return f"{_PARTS[name]} {text}" if name in ("la_code", "unit_id", "period_start") else text


def _rows(n: int) -> str:
    return f"{n:,} row{'' if n == 1 else 's'}"
