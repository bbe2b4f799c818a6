"""What a row rule is, and the one pass that evaluates all rules of an entity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.silver.conform import first_day, reference_day
from sos_spark.tables import RECORD_FAULTS

Severity = Literal["error", "warning"]

EARLIEST_RECORD = date(1948, 7, 5)
"""The day the Children Act 1948 came into force: no authority has a child's record from before it."""

OLDEST_RECORD_YEARS = 26
"""A record should begin at most so many years before its return: a care leaver is 25, and a child may be unborn."""

VERY_OLD = "_very_old"
"""How the codes of the rules end that a date breaks which is older than that, a placeholder most often."""


@dataclass(frozen=True)
class RowRule:
    """A rule about one row of an entity.

    `code` is unique in its entity; `dfe` the number of DfE's validation rule it stands for, if there is one. An error
    sends the row to quarantine; a warning stays with it. `fails_when` null means that the rule does not apply: a
    missing value that matters is a rule of its own.
    """

    code: str
    dfe: str | None
    severity: Severity
    fails_when: Column
    text: str


def error(code: str, dfe: str | None, fails_when: Column, text: str) -> RowRule:
    """Returns a rule whose failure makes a row unusable."""
    return RowRule(code, dfe, "error", fails_when, text)


def warning(code: str, dfe: str | None, fails_when: Column, text: str) -> RowRule:
    """Returns a rule whose failure is told and leaves the row in use."""
    return RowRule(code, dfe, "warning", fails_when, text)


def add_findings(rows: DataFrame, rules: Sequence[RowRule]) -> DataFrame:
    """Adds errors and warnings: the codes of the rules a row breaks, in their order, parted by blanks; null for none.

    Grain: unchanged. One string and not an array: it is built without a function call a rule, and most rows have none.
    """
    return rows.withColumns(
        {
            "errors": _broken(rule for rule in rules if rule.severity == "error"),
            "warnings": _broken(rule for rule in rules if rule.severity == "warning"),
        }
    )


def codes(findings: str) -> Column:
    """Returns a column of findings as an array of codes, empty for none."""
    return F.when(F.col(findings).isNotNull(), F.split(F.col(findings), " ")).otherwise(F.array().cast("array<string>"))


def _broken(rules: Iterable[RowRule]) -> Column:
    found = F.concat_ws(" ", *(F.when(rule.fails_when, F.lit(rule.code)) for rule in rules))
    return F.nullif(found, F.lit(""))


# --- groups of rules that several entities share ----------------------------------------------------------------


def child_id_rules(dfe: str | None) -> tuple[RowRule, ...]:
    """The child's id must be there: without it a row is nobody's."""
    return (error("child_id_missing", dfe, F.col("child_id").isNull(), "The child's id is missing"),)


def record_fault_rules() -> tuple[RowRule, ...]:
    """A child's record whose elements are not where the collection has them: every row of it is unusable."""
    return tuple(error(code, None, F.col("record_fault") == code, text) for code, text in RECORD_FAULTS.items())


def key_day_rules(day: str, what: str, *, dfe: str | None, dfe_after: str | None = None) -> tuple[RowRule, ...]:
    """A date that identifies its row: there, readable, not after the return, not absurdly old.

    Decades-old is a warning: no study's window reaches there, and DfE only queries the age of such a child.
    """
    return (
        error(f"{day}_missing", dfe, F.col(day).isNull() & ~F.col(f"{day}_unreadable"), f"{what} is missing"),
        *event_day_rules(day, what, dfe=dfe, dfe_after=dfe_after),
        error(f"{day}_too_early", None, F.col(day) < F.lit(EARLIEST_RECORD), f"{what} is before {EARLIEST_RECORD}"),
        warning(
            f"{day}{VERY_OLD}",
            None,
            F.col(day) < F.add_months(reference_day(), -12 * OLDEST_RECORD_YEARS),
            f"{what} is more than {OLDEST_RECORD_YEARS} years before the return",
        ),
    )


def event_day_rules(day: str, what: str, *, dfe: str | None, dfe_after: str | None) -> tuple[RowRule, ...]:
    """A date that may be absent: if text is there it is a date, and not after the return. Else 'none' would be read."""
    return (
        error(f"{day}_unreadable", dfe, F.col(f"{day}_unreadable"), f"{what} is not a date"),
        error(f"{day}_after_return", dfe_after, F.col(day) > reference_day(), f"{what} is after the return's 31 March"),
    )


def before_year(day: str) -> Column:
    """Says whether a date is before the return's year."""
    return F.col(day) < first_day()
