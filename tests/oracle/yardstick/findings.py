"""Row rules as SQL, the fate of each row, and the record of both."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from tests.oracle.yardstick import reference

YEAR_ENDS = "make_date(census_year, 3, 31)"


@dataclass(frozen=True)
class Rule:
    """An error where `unknown` is blank, else a fault that makes that column, held in the columns `nulls`, unknown."""

    code: str
    fails: str
    unknown: str = ""
    nulls: tuple[str, ...] = ()


NO_CHILD = Rule("child_id_missing", "child IS NULL")


def key_day(day: str) -> list[Rule]:
    """Rules of a date that says which record a row is."""
    return [
        Rule(f"{day}_missing", f"{day} IS NULL AND NOT {day}_unreadable"),
        Rule(f"{day}_unreadable", f"{day}_unreadable"),
        Rule(f"{day}_after_return", f"{day} > {YEAR_ENDS}"),
        Rule(f"{day}_too_early", f"{day} < DATE '1948-07-05'"),
    ]


def event_day(day: str) -> list[Rule]:
    """Rules of a date that may be absent."""
    return [
        Rule(f"{day}_unreadable", f"{day}_unreadable", day, (day,)),
        Rule(f"{day}_after_return", f"{day} > {YEAR_ENDS}", day, (day,)),
    ]


def not_before(code: str, day: str, start: str) -> Rule:
    """An end before its start."""
    return Rule(code, f"{day} < {start}", day, (day,))


def no_code_of_year(column: str, collection: str, field: str) -> Rule:
    """A code that decides an outcome and is none of its field's in the row's year."""
    spans = reference.code_set(collection, field)
    first, last = min(start for start, _ in spans.values()), max(end for _, end in spans.values())
    year = f"least(greatest(census_year, {first}), {last})"
    always = ", ".join(f"'{code}'" for code, span in spans.items() if span == (first, last))
    at_times = "".join(
        f" OR ({column} = '{code}' AND {year} BETWEEN {start} AND {end})"
        for code, (start, end) in spans.items()
        if (start, end) != (first, last)
    )
    fails = f"census_year >= {reference.CODE_SETS_BEGIN} AND NOT ({column} IN ({always}){at_times})"
    return Rule(f"{column}_unknown", fails, column, (column,))


def code_of_no_year(column: str, collection: str, field: str) -> Rule:
    """A code that was none of its field's in any year."""
    codes = ", ".join(f"'{code}'" for code in reference.code_set(collection, field))
    fails = f"census_year >= {reference.CODE_SETS_BEGIN} AND {column} NOT IN ({codes})"
    return Rule(f"{column}_of_no_year", fails, column, (column,))


@dataclass(frozen=True)
class Entity:
    """A table of silver: the typed rows it is made from, its rules, its key beside the child, and what it holds.

    `typed` is a query; `best_first` orders rows of one key and return; `columns` maps silver's columns, in order, to
    SQL over the judged row `j` and what `joins` adds.
    """

    name: str
    typed: str
    rules: list[Rule]
    key: tuple[str, ...]
    best_first: str
    columns: dict[str, str]
    joins: str = ""


def judge(db: duckdb.DuckDBPyConnection, entity: Entity) -> None:
    """Makes the table `judged`: every received row with errors, unknown_fields, and is_bad, rank and latest.

    Of the good rows of a child and key the first of the latest return is silver's.
    """
    errors = [rule for rule in entity.rules if not rule.unknown]
    unknown = [name for name in entity.columns if any(rule.unknown == name for rule in entity.rules)]
    nulls: dict[str, list[str]] = {}
    for rule in entity.rules:
        for name in rule.nulls:
            nulls.setdefault(name, []).append(rule.fails)
    faulty = {name: _any([rule.fails for rule in entity.rules if rule.unknown == name]) for name in unknown}
    any_fault = _any(list(faulty.values())) if faulty else "FALSE"
    replaced = "".join(
        f"CASE WHEN {_any(fails)} THEN NULL ELSE {name} END AS {name}, " for name, fails in nulls.items()
    )
    words = ", ".join(f"CASE WHEN {fails} THEN '{name}' END" for name, fails in faulty.items())
    is_bad = _any([rule.fails for rule in errors])
    key = ", ".join(["child", *entity.key])
    db.execute(f"""
        CREATE OR REPLACE TABLE judged AS
        WITH typed AS ({entity.typed}), found AS (
            SELECT * REPLACE ({replaced}census_year AS census_year),
                {is_bad} AS is_bad,
                CASE WHEN {is_bad} THEN {_codes(errors)} END AS errors,
                CASE WHEN {any_fault} THEN {_codes([r for r in entity.rules if r.unknown])} END AS faults,
                CASE WHEN {any_fault} THEN concat_ws(' ', {words or "''"}) END AS unknown_fields
            FROM typed
        )
        SELECT *, row_number() OVER by_key AS rank, first_value(census_year) OVER by_key AS latest
        FROM found
        WINDOW by_key AS (PARTITION BY {key}, is_bad ORDER BY census_year DESC, {entity.best_first}, record_position)
    """)


def is_unknown(column: str) -> str:
    """Whether a column of a judged or silver row is among those that could not be used."""
    return f"coalesce(list_contains(string_split(unknown_fields, ' '), '{column}'), FALSE)"


def open_is_latest(day: str) -> str:
    """Orders by an end date: open first, then the latest, last what has an end that could not be used."""
    return f"{is_unknown(day)}, {day} DESC NULLS FIRST"


def keep_record(db: duckdb.DuckDBPyConnection, entity: Entity) -> None:
    """Adds what became of the judged rows to `ledger`, and which rules they broke to `rule_counts`."""
    db.execute(f"""
        INSERT INTO ledger
        SELECT '{entity.name}', la_code, census_year, count(*), count(*) FILTER (NOT is_bad AND rank = 1),
            count(*) FILTER (is_bad), count(*) FILTER (NOT is_bad AND rank > 1 AND census_year < latest),
            count(*) FILTER (NOT is_bad AND rank > 1 AND census_year = latest)
        FROM judged GROUP BY ALL
    """)
    db.execute(f"""
        INSERT INTO rule_counts
        SELECT '{entity.name}', rule_code, la_code, census_year, count(*)
        FROM (
            SELECT unnest(list_concat(errors, faults)) AS rule_code, la_code, census_year
            FROM judged WHERE is_bad OR faults IS NOT NULL
        ) GROUP BY ALL
    """)


def _any(conditions: list[str]) -> str:
    return f"coalesce({' OR '.join(f'({condition})' for condition in conditions)}, FALSE)"


def _codes(rules: list[Rule]) -> str:
    if not rules:
        return "NULL::VARCHAR[]"
    broken = ", ".join(f"CASE WHEN {rule.fails} THEN '{rule.code}' END" for rule in rules)
    return f"list_filter([{broken}], lambda code: code IS NOT NULL)"
