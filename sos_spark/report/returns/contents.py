"""The sections of quality.html, in the order in which they are read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from sos_spark.quality.authority_years import CHECKS, SHARES
from sos_spark.report.blocks import (
    Block,
    Bullets,
    Code,
    DataTable,
    Lead,
    Section,
    Table,
    Text,
    Words,
    section_of,
)
from sos_spark.report.results import rows_of
from sos_spark.report.returns.heat import authorities_by_year, checks_by_year, rules_by_year
from sos_spark.report.returns.mend import to_mend
from sos_spark.report.returns.tables import COLLECTIONS, ReturnTables, name_of
from sos_spark.report.words.numbers import count, percent
from sos_spark.tables.dq import MEASURES
from sos_spark.tables.results import TO_MEND

MOST_SHOWN = 300
"""Rows of a table that the page shows; how many there are is always said, and the files hold all."""


def sections_of_returns(tables: ReturnTables) -> list[Section]:
    """Returns the page's sections; those that have nothing to show are left out."""
    made: tuple[tuple[str, str, Callable[[ReturnTables], Iterator[Block]]], ...] = (
        ("short", "In short", _short),
        ("heat", "Authorities by year", _authorities),
        ("doubts", "To be looked at", _doubts),
        ("trends", "Each check over the years", _trends),
        ("quarantine", "Quarantine by reason and file", _quarantine),
        ("mend", "What goes back to which authority", _mend),
        ("links", "Links between the two returns", _links),
        ("tables", "Checks of whole tables", _expectations),
        ("rules", "DfE's rules and the years of their specification", _rules),
    )
    found = (section_of(anchor, title, list(blocks(tables))) for anchor, title, blocks in made)
    return [section for section in found if section is not None]


def _short(tables: ReturnTables) -> Iterator[Block]:
    files, ledger = tables.files, tables.ledger
    status = files.drop_duplicates(["file_id", "status"])["status"].value_counts()
    received, used, lost = (int(ledger[f"n_{what}"].sum()) for what in ("received", "silver", "quarantined"))
    yield Lead(
        f"{count(received)} records in {count(int(status.get('accepted', 0)))} accepted files:"
        f" {count(used)} are in use, {count(lost)} ({percent(lost, max(received, 1))}) in"
        f" quarantine, the others superseded by a later return or a duplicate of one that is kept."
    )
    doubts = tables.doubts["check"].value_counts()
    items: list[Words] = [
        f"Files refused: {count(int(status.get('refused', 0)))}; replaced by a later return:"
        f" {count(int(status.get('replaced', 0)))}."
    ]
    items += [
        f"{check.title}: {count(int(doubts.get(code, 0)))}." for code, check in CHECKS.items() if doubts.get(code, 0)
    ]
    if tables.published.empty:
        items.append("DfE's published tables were not given, so that totals were not held against them: put the CSV"
                     " files as downloaded into the folder published of the source.")  # fmt: skip
    yield Bullets(items)


def _authorities(tables: ReturnTables) -> Iterator[Block]:
    heat, clear = authorities_by_year(tables)
    if heat is not None:
        yield heat
    if clear:
        others = "one other authority" if len(clear) == 1 else f"the other {len(clear)} authorities"
        told = f"No rule that costs a record failed, and nothing is in doubt, in {others}"
        yield Bullets(clear, quiet=True, look="columns", folded=told)


def _doubts(tables: ReturnTables) -> Iterator[Block]:
    doubts = tables.doubts
    yield Text("Each is a question to the authority, not a verdict; none stops a run.")
    for code, check in CHECKS.items():
        own = doubts[doubts["check"] == code]
        if own.empty:
            continue
        rows = tuple(
            (
                name_of(row.la_code),
                "" if pd.isna(row.census_year) else str(row.census_year),
                subject_in_words(code, row.subject),
                _value(row.found, code),
                _value(row.expected, code),
            )
            for row in rows_of(own.head(MOST_SHOWN))
        )
        more = f", the first {MOST_SHOWN} of {count(len(own))}" if len(own) > MOST_SHOWN else ""
        header = ("Authority", "Year", "What", "Found", "Expected")
        yield Table(f"{check.title} ({check.bound}){more}", DataTable(header, rows, 3).trimmed(), folded=len(rows) > 15)


def subject_in_words(check: str, subject: str) -> str:
    """Returns what a doubt is about."""
    if check == "return_missing":
        return COLLECTIONS.get(subject, subject)
    if check == "recording":
        return SHARES[subject][1]
    if check == "published":
        return MEASURES[subject].removeprefix("of these, ")
    return subject.replace("_", " ")


def _value(value: float, check: str) -> str:
    if pd.isna(value):
        return ""
    return count(value) if check in ("volume", "published") else percent(value, 1.0)


def _trends(tables: ReturnTables) -> Iterator[Block]:
    for heat in (rules_by_year(tables), checks_by_year(tables)):
        if heat is not None:
            yield heat


def _quarantine(tables: ReturnTables) -> Iterator[Block]:
    rows = tables.quarantined
    if rows.empty:
        return
    yield Text(
        "A record is in quarantine where it cannot be told which record it is; one with two reasons stands in two rows."
    )
    n_rows: dict[tuple[str, str], int] = defaultdict(int)
    n_files: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows_of(rows):
        n_rows[row.entity, row.rule_code] += row.n_rows
        n_files[row.entity, row.rule_code] += 1
    by_reason = sorted(n_rows, key=lambda reason: (-n_rows[reason], reason))
    shown = tuple(
        (reason[0].replace("_", " "), tables.meaning_of(*reason), count(n_rows[reason]), count(n_files[reason]))
        for reason in by_reason
    )
    yield Table("By reason", DataTable(("Records", "Reason", "Rows", "Files"), shown, 2))
    yield _by_file(tables)


def _by_file(tables: ReturnTables) -> Block:
    path_of = dict(zip(tables.files["file_id"], tables.files["file_path"], strict=True))
    of_file: dict[tuple[int, str, int], list[Any]] = defaultdict(list)
    for row in rows_of(tables.quarantined):
        of_file[row.file_id, row.la_code, row.census_year].append(row)
    total = {place: sum(row.n_rows for row in own) for place, own in of_file.items()}
    places = sorted(of_file, key=lambda place: (-total[place], place[1:]))
    shown = tuple(
        (
            str(path_of.get(place[0], "not known")),
            name_of(place[1]),
            str(place[2]),
            count(total[place]),
            "; ".join(
                f"{tables.meaning_of(row.entity, row.rule_code)}: {count(row.n_rows)}"
                for row in sorted(of_file[place], key=lambda row: (-row.n_rows, row.rule_code))
            ),
        )
        for place in places[:MOST_SHOWN]
    )
    more = f", the {MOST_SHOWN} with most of {count(len(places))}" if len(places) > MOST_SHOWN else ""
    header = ("File", "Authority", "Year", "Rows", "Reasons")
    return Table(f"By file{more}", DataTable(header, shown, 3, 1), folded=len(shown) > 15)


def _mend(tables: ReturnTables) -> Iterator[Block]:
    requests = to_mend(tables)
    if requests.empty:
        return
    yield Text(
        (
            "Each authority's rows of ",
            Code(TO_MEND.file_name),
            ", beside this page, name the file, the rule and how many records; no value of a record is in it.",
        )
    )
    kinds = requests.groupby(["la_code", "kind"]).size().unstack("kind", fill_value=0)
    records = requests[requests["kind"] == "rule"].groupby("la_code")["n_failed"].sum()
    rows = tuple(
        (
            name_of(code),
            *(count(int(kinds[kind].get(code, 0))) if kind in kinds else "0" for kind in ("file", "rule", "check")),
            count(int(records.get(code, 0))),
        )
        for code in kinds.index
    )
    header = ("Authority", "Files to send again", "Rules broken, by year", "Questions", "Records that break a rule")
    yield Table("Requests by authority", DataTable(header, rows), folded=len(rows) > 15)


def _links(tables: ReturnTables) -> Iterator[Block]:
    links = tables.link_rates
    if links.empty:
        return
    linked = links["n_linked_by_child_id"] + links["n_linked_by_person"]
    ordered = links.assign(share=linked / links["n_lac_children"].clip(lower=1)).sort_values(["share", "la_code"])
    rows = tuple(
        (
            name_of(row.la_code),
            count(row.n_lac_children),
            percent(row.n_linked_by_child_id, row.n_lac_children),
            percent(row.n_linked_by_person, row.n_lac_children),
            percent(row.n_unlinked, row.n_lac_children),
        )
        for row in rows_of(ordered)
    )
    whole = links.sum(numeric_only=True)
    yield Lead(
        f"{percent(linked.sum(), whole['n_lac_children'])} of {count(whole['n_lac_children'])} looked-after children"
        " were found in the census of children in need."
    )
    header = ("Authority", "Looked-after children", "By id", "By person", "Not found")
    yield Table("Link rates, the lowest first", DataTable(header, rows), folded=len(rows) > 15)


def _expectations(tables: ReturnTables) -> Iterator[Block]:
    verdicts = tables.expectations
    if verdicts.empty:
        return
    failed = verdicts[~verdicts["passed"].astype(bool)].fillna({"column": ""})
    yield Lead(f"{count(len(verdicts) - len(failed))} of {count(len(verdicts))} expectations held.")
    if len(failed):
        columns = ["suite", "expectation", "column", "severity"]
        rows = tuple(tuple(map(str, row)) for row in failed[columns].sort_values(columns).itertuples(index=False))
        yield Table(
            "Expectations that did not hold", DataTable(("Suite", "Expectation", "Column", "Severity"), rows, 99)
        )


def _rules(tables: ReturnTables) -> Iterator[Block]:
    rules = tables.rules
    of_dfe = rules[rules["dfe_code"].notna()] if len(rules) else rules
    if of_dfe.empty:
        return
    yield Text(
        "Specifications were read of the census years that the table names; returns of other years are held to the same"
        " rules, which is a decision of this project."
    )
    rows = tuple(
        (
            str(row.dfe_code),
            row.entity.replace("_", " "),
            row.meaning,
            row.severity,
            f"{int(row.first_specification)} to {int(row.last_specification)}",
        )
        for row in rows_of(of_dfe.sort_values(["dfe_code", "entity", "rule_code"]))
    )
    header = ("DfE", "Records", "A record that breaks it", "Severity", "Census years")
    yield Table("DfE's rules", DataTable(header, rows, 99), folded=True)
