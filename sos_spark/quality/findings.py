"""What a failed expectation found: its bound, how many rows are beyond it, and where these are. Counts, never values.

Great Expectations is asked for verdicts only, so a table with a failed expectation is counted here: one aggregation by
authority and year (or what the table has in their place) for all that failed on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sos_spark.quality.checks import Verdict
from sos_spark.quality.suites import Expectation, Severity, Suite

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

PLACE_COLUMNS = (("la_code", "census_year"), ("unit_id", "period_start"), ("unit_id", "period"))
"""What says where a row is: the first of these that a table has."""

PLACES_TOLD = 10


@dataclass(frozen=True)
class Place:
    """An authority and year (or a unit and period) with rows beyond a bound; names and texts of its columns."""

    at: tuple[tuple[str, str], ...]
    n_failed: int


@dataclass(frozen=True)
class Finding:
    """A failed expectation.

    n_failed of n_rows rows are beyond the bound; 0 where the whole table is (it lacks rows). `places` are those of the
    rows, the most rows first; empty where the table has no place columns.
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
            f"  - {self.suite}: {self.expectation} ({self.severity})",
            f"      expected: {self.bound}",
            f"      observed: {self.observed}",
        ]
        told += [
            f"      where: {', '.join(f'{name} {text}' for name, text in place.at)}: {_rows(place.n_failed)}"
            for place in self.places[:PLACES_TOLD]
        ]
        beyond = self.places[PLACES_TOLD:]
        if beyond:
            told.append(f"      where: {len(beyond)} other places: {_rows(sum(place.n_failed for place in beyond))}")
        if self.why:
            told.append(f"      why it matters: {self.why}")
        return told

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
            "where": [dict(place.at) | {"n_failed": place.n_failed} for place in self.places],
            "why": self.why,
        }


def find_failures(
    tables: Mapping[str, DataFrame], suites: Sequence[Suite], verdicts: Sequence[Verdict]
) -> tuple[Finding, ...]:
    """Returns a finding for each verdict that was not passed, in the verdicts' order.

    `tables`: the frames that were checked, with place columns where they can be given. Each with a failure is read once
    more (once for each uniqueness that failed, besides); what comes back is as small as the authorities and years.
    """
    failed = [verdict for verdict in verdicts if not verdict.passed]
    by_suite = {
        suite.table: [
            e for e in suite.expectations if (suite.table, e.name) in {(v.suite, v.expectation) for v in failed}
        ]
        for suite in suites
    }
    found = {
        (table, expectation.name): finding
        for table, expectations in by_suite.items()
        if expectations
        for expectation, finding in zip(expectations, _count(table, tables[table], expectations), strict=True)
    }
    return tuple(found[verdict.suite, verdict.expectation] for verdict in failed)


def _count(table: str, rows: DataFrame, expectations: Sequence[Expectation]) -> list[Finding]:
    from pyspark.sql import functions as F

    places = next((names for names in PLACE_COLUMNS if set(names) <= set(rows.columns)), ())
    beyond = [_beyond(expectation) for expectation in expectations]
    counted = (
        _among_repeated(rows, expectations)
        .groupBy(*places)
        .agg(F.count(F.lit(1)).alias("n"), *(F.count_if(failed).alias(f"n_{i}") for i, failed in enumerate(beyond)))
        .collect()
    )
    n_rows = sum(group["n"] for group in counted)
    return [
        Finding(
            table,
            expectation.name,
            expectation.severity,
            _bound(expectation),
            expectation.why,
            n_rows,
            sum(group[f"n_{i}"] for group in counted),
            tuple(
                sorted(
                    (
                        Place(tuple((name, _text(group[name])) for name in places), group[f"n_{i}"])
                        for group in counted
                        if places and group[f"n_{i}"]
                    ),
                    key=lambda place: (-place.n_failed, place.at),
                )
            ),
        )
        for i, expectation in enumerate(expectations)
    ]


_REPEATED = "_times_"


def _among_repeated(rows: DataFrame, expectations: Sequence[Expectation]) -> DataFrame:
    """Adds, for each uniqueness among the expectations, how often a row's key occurs."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    keys = {_repeated(e): e.kwargs["column_list"] for e in expectations if e.type in _KEYED}
    return rows.withColumns({name: F.count(F.lit(1)).over(Window.partitionBy(*key)) for name, key in keys.items()})


def _repeated(expectation: Expectation) -> str:
    return _REPEATED + "_".join(expectation.kwargs["column_list"])


def _beyond(expectation: Expectation) -> Column:
    """Returns whether a row is beyond the expectation's bound; false for all rows of one about the table."""
    from pyspark.sql import functions as F

    return F.coalesce(_FAILS[expectation.type](expectation), F.lit(False))


def _row_fails(expectation: Expectation) -> Column:
    from pyspark.sql import functions as F

    condition = expectation.kwargs.get("row_condition")
    return F.expr(condition) if condition and not expectation.kwargs.get("max_value") else F.lit(False)


def _is_null(expectation: Expectation) -> Column:
    from pyspark.sql import functions as F

    return F.col(expectation.kwargs["column"]).isNull()


def _is_not_in_set(expectation: Expectation) -> Column:
    from pyspark.sql import functions as F

    return ~F.col(expectation.kwargs["column"]).isin(*expectation.kwargs["value_set"])


def _is_out_of_range(expectation: Expectation) -> Column:
    from pyspark.sql import functions as F

    column, given = F.col(expectation.kwargs["column"]), expectation.kwargs
    low, high = given.get("min_value"), given.get("max_value")
    below = column < F.lit(low) if low is not None else F.lit(False)
    return below | (column > F.lit(high) if high is not None else F.lit(False))


def _does_not_match(expectation: Expectation) -> Column:
    from pyspark.sql import functions as F

    return ~F.col(expectation.kwargs["column"]).rlike(expectation.kwargs["regex"])


def _is_repeated(expectation: Expectation) -> Column:
    from pyspark.sql import functions as F

    return F.col(_repeated(expectation)) > 1


_KEYED = "expect_compound_columns_to_be_unique"
_FAILS: dict[str, Callable[[Expectation], Column]] = {
    "expect_table_row_count_to_be_between": _row_fails,
    "expect_column_values_to_not_be_null": _is_null,
    "expect_column_values_to_be_in_set": _is_not_in_set,
    "expect_column_values_to_be_between": _is_out_of_range,
    "expect_column_values_to_match_regex": _does_not_match,
    _KEYED: _is_repeated,
}
TYPES = frozenset(_FAILS)
"""The types of expectation whose failures can be counted; suites have no others."""


def _bound(expectation: Expectation) -> str:
    """Returns what was expected, as the suite has it."""
    given, columns = expectation.kwargs, ", ".join(expectation.columns)
    if given.get("row_condition"):
        return f"no row where {given['row_condition']}"
    told = {
        "expect_column_values_to_not_be_null": "known",
        "expect_column_values_to_be_in_set": f"one of {', '.join(map(str, given.get('value_set', ())))}",
        "expect_column_values_to_match_regex": f"like {given.get('regex')}",
        _KEYED: "no two rows alike",
    }.get(expectation.type) or _range(given)
    mostly = f", in at least {given['mostly']:.0%} of the rows" if "mostly" in given else ""
    return f"{columns or 'rows'}: {told}{mostly}"


def _range(given: Mapping[str, Any]) -> str:
    low, high = given.get("min_value"), given.get("max_value")
    return " and ".join(
        text for text, bound in ((f"at least {low}", low), (f"at most {high}", high)) if bound is not None
    )


def _text(value: object) -> str:
    return "not known" if value is None else str(value)


def _rows(n: int) -> str:
    return f"{n:,} row{'' if n == 1 else 's'}"
