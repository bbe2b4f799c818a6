"""What a row rule is, and the one pass that evaluates all rules of an entity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.silver.conform import first_day, reference_day
from sos_spark.tables import RECORD_FAULTS, Table

Severity = Literal["error", "field", "warning"]

EARLIEST_RECORD = date(1948, 7, 5)
"""The day the Children Act 1948 came into force: no authority has a child's record from before it."""

OLDEST_RECORD_YEARS = 26
"""A record should begin at most this many years before its return: a care leaver is 25, and a child may be unborn."""

VERY_OLD = "_very_old"
"""How the codes of the rules end that a date breaks which is older than that, a placeholder most often."""

CONTRADICTION = "contradicts_its_return"
INVISIBLE_IN_ID = "child_id_invisible_characters"
"""Codes of two rules that every entity has, and that a run tells of by authority and year."""

CODE_SETS_BEGIN = 2017
"""Census year of the earliest code sets; earlier years are held to these."""


@dataclass(frozen=True)
class RowRule:
    """A rule about one row of an entity.

    `code` is unique in its entity; `dfe` the number of DfE's validation rule it stands for, if there is one. An error
    is about what says which record a row is, and sends the row to quarantine; a field fault is about one other value,
    which becomes null and unknown while the row stays; a warning stays with the row. `fails_when` null means that the
    rule does not apply: a missing value that matters is a rule of its own.

    `unknown` is the silver column that a field fault makes unknown, and `nulls` are the columns, as the rules see them,
    that hold its value; both are empty for the other severities.
    """

    code: str
    dfe: str | None
    severity: Severity
    fails_when: Column
    text: str
    unknown: str = ""
    nulls: tuple[str, ...] = ()


def error(code: str, dfe: str | None, fails_when: Column, text: str) -> RowRule:
    """Returns a rule whose failure makes a row unusable."""
    return RowRule(code, dfe, "error", fails_when, text)


def field(
    code: str, dfe: str | None, fails_when: Column, text: str, *, unknown: str, nulls: tuple[str, ...] = ()
) -> RowRule:
    """Returns a rule whose failure makes one silver column unknown and leaves the row in use.

    `nulls`: the columns that hold the value where rules are evaluated, if not `unknown` itself.
    """
    return RowRule(code, dfe, "field", fails_when, text, unknown, nulls or (unknown,))


def warning(code: str, dfe: str | None, fails_when: Column, text: str) -> RowRule:
    """Returns a rule whose failure is told and leaves the row in use."""
    return RowRule(code, dfe, "warning", fails_when, text)


def add_findings(rows: DataFrame, rules: Sequence[RowRule], table: Table) -> DataFrame:
    """Adds what the rules find in each row, and makes null what a field fault made unknown.

    Grain: unchanged. Adds errors, and warnings (of severity field and warning): the codes of the rules a row breaks, in
    their order; and unknown_fields: columns of the silver `table`, in its order. All are parted by blanks, null for
    none: one string and not an array is built without a function call a rule, and most rows have none.
    """
    faults = [rule for rule in rules if rule.severity == "field"]
    unknown = [name for name in table.column_names if any(rule.unknown == name for rule in faults)]
    nulled = dict.fromkeys(name for rule in faults for name in rule.nulls)
    return rows.withColumns(
        {
            "errors": _codes_of(rule for rule in rules if rule.severity == "error"),
            "warnings": _codes_of(rule for rule in rules if rule.severity != "error"),
            "unknown_fields": _joined(
                F.when(_any_of(rule for rule in faults if rule.unknown == name), F.lit(name)) for name in unknown
            ),
            **{
                name: F.when(_any_of(rule for rule in faults if name in rule.nulls), F.lit(None)).otherwise(F.col(name))
                for name in nulled
            },
        }
    )


def with_finding(findings: str, rule: RowRule) -> Column:
    """Returns a column of findings with the code of one rule more, where it fails."""
    return _joined((F.col(findings), F.when(rule.fails_when, F.lit(rule.code))))


def field_is_unknown(column: str) -> Column:
    """Returns whether a row's received value of a silver column could not be used. Needs unknown_fields."""
    return F.coalesce(F.array_contains(F.split("unknown_fields", " "), column), F.lit(False))


def codes(findings: Column) -> Column:
    """Returns a column of findings as an array of codes, empty for none."""
    return F.when(findings.isNotNull(), F.split(findings, " ")).otherwise(F.array().cast("array<string>"))


def _codes_of(rules: Iterable[RowRule]) -> Column:
    return _joined(F.when(rule.fails_when, F.lit(rule.code)) for rule in rules)


def _joined(words: Iterable[Column]) -> Column:
    return F.nullif(F.concat_ws(" ", *words), F.lit(""))


def _any_of(rules: Iterable[RowRule]) -> Column:
    """Returns whether one of the rules, of which there is one at least, fails; true or null."""
    return reduce(Column.__or__, (rule.fails_when for rule in rules))


def contradiction_rule() -> RowRule:
    """Returns the rule about rows of one key and one return, which `add_fate` evaluates among the usable ones."""
    return warning(
        CONTRADICTION,
        None,
        F.col("contradicts"),
        "Another usable row of the same return has the same key and other contents",
    )


# --- groups of rules that several entities share ----------------------------------------------------------------


def child_id_rules(dfe: str | None) -> tuple[RowRule, ...]:
    """The child's id must be there: without it a row is nobody's. What cannot be seen is no part of it."""
    return (
        error("child_id_missing", dfe, F.col("child_id").isNull(), "The child's id is missing"),
        warning(
            INVISIBLE_IN_ID,
            None,
            F.col("id_has_invisible") & F.col("child_id").isNotNull(),
            "The child's id held characters that cannot be seen: they are left out",
        ),
    )


def record_fault_rules() -> tuple[RowRule, ...]:
    """A child's record whose elements are not where the collection has them: every row of it is unusable."""
    return tuple(error(code, None, F.col("record_fault") == code, text) for code, text in RECORD_FAULTS.items())


def key_day_rules(day: str, what: str, *, dfe: str | None, dfe_after: str | None = None) -> tuple[RowRule, ...]:
    """A date that identifies its row: there, readable, not after the return, not absurdly old.

    Decades-old is a warning: no study's window reaches there, and DfE only queries the age of such a child.
    """
    return (
        error(f"{day}_missing", dfe, F.col(day).isNull() & ~F.col(f"{day}_unreadable"), f"{what} is missing"),
        error(f"{day}_unreadable", dfe, F.col(f"{day}_unreadable"), f"{what} is not a date"),
        error(f"{day}_after_return", dfe_after, F.col(day) > reference_day(), f"{what} is after the return's 31 March"),
        error(f"{day}_too_early", None, F.col(day) < F.lit(EARLIEST_RECORD), f"{what} is before {EARLIEST_RECORD}"),
        warning(
            f"{day}{VERY_OLD}",
            None,
            F.col(day) < F.add_months(reference_day(), -12 * OLDEST_RECORD_YEARS),
            f"{what} is more than {OLDEST_RECORD_YEARS} years before the return",
        ),
    )


def event_day_rules(day: str, what: str, *, dfe: str | None, dfe_after: str | None) -> tuple[RowRule, ...]:
    """A date that may be absent: text that is no date, or a day after the return, is unknown and not 'none'."""
    return (
        field(f"{day}_unreadable", dfe, F.col(f"{day}_unreadable"), f"{what} is not a date", unknown=day),
        field(
            f"{day}_after_return",
            dfe_after,
            F.col(day) > reference_day(),
            f"{what} is after the return's 31 March",
            unknown=day,
        ),
    )


def deciding_code_rules(column: str, dfe: str | None, is_no_code: Column) -> tuple[RowRule, ...]:
    """A code that outcomes are decided by: one that is none of its year is unknown, from the earliest code sets on.

    Earlier years are held to those sets, and what they do not have stays with a warning.
    """
    covered = _code_sets_have_begun()
    return (
        field(f"{column}_unknown", dfe, covered & is_no_code, f"{column} is no code of that year", unknown=column),
        warning(f"{column}_perhaps_unknown", dfe, ~covered & is_no_code, f"{column} is no code of {CODE_SETS_BEGIN}"),
    )


def no_code_rule(column: str, of_no_year: Column) -> RowRule:
    """A code of another year than the row's can still be read, with a warning; one of no year cannot."""
    return field(
        f"{column}_of_no_year",
        None,
        _code_sets_have_begun() & of_no_year,
        f"{column} is no code of any year",
        unknown=column,
    )


def _code_sets_have_begun() -> Column:
    return F.col("census_year") >= CODE_SETS_BEGIN


def before_year(day: str) -> Column:
    """Returns whether a date is before the return's year."""
    return F.col(day) < first_day()
