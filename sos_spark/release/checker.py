"""What an output checker is given: for each output what stands behind it, by which rule it was judged and its hash.

`results.json` has the form of ACRO's record (AI-SDC/ACRO, acro/record.py), which SACRO's viewer opens: an entry for
each output with its files, the counts of each check, the cells that failed one, and the outcome by cell. What failed a
check is hidden in the files, so an output's status is 'pass', or 'review' where it comes close to a line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sos_spark.config.disclosure import Profile
from sos_spark.release.cleared import HIDDEN, Cleared, ClearedFigure, ClearedPage, ClearedTable
from sos_spark.release.pack import PackFiles, files_of
from sos_spark.report.blocks import DataTable, Section, Table, Text, section_of

RECORD_VERSION = "0.4.8"
"""Of ACRO, whose record this follows."""
_ACRO_CHECKS = {
    "threshold": ("threshold", "secondary", "difference"),
    "p-ratio": (),
    "nk-rule": ("dominance",),
    "all-values-are-same": ("all or none",),
}
"""Which of this project's rules stand under each of ACRO's checks."""


@dataclass(frozen=True)
class Entry:
    """An output as the checker sees it.

    Attributes:
        name: Of its files.
        title: What it shows.
        kind: Table, regression, figure or page.
        hashes: SHA-256 by file.
        n_hidden: How many numbers are hidden in it.
        rules: How many each rule hid.
        closeness: How close it comes to a line of the profile: 1 is on it, 0 far from it.
        why: What comes closest.
    """

    name: str
    title: str
    kind: str
    hashes: Mapping[str, str]
    n_hidden: int
    rules: Mapping[str, int]
    closeness: float
    why: str

    @property
    def risk(self) -> str:
        """The risk in a word."""
        return "high" if self.closeness >= 0.8 else "medium" if self.closeness >= 0.4 else "low"


def entries(items: Iterable[Cleared], files: PackFiles, profile: Profile) -> list[Entry]:
    """Returns an entry for each output, the riskiest first."""
    items = list(items)
    tables = [_table_entry(item, files, profile) for item in items if isinstance(item, ClearedTable)]
    by_name = {entry.name: entry for entry in tables}
    others = [
        _drawn_entry(item, files, [by_name[table.name] for table in item.made_from])
        for item in items
        if isinstance(item, ClearedFigure | ClearedPage)
    ]
    return sorted([*tables, *others], key=lambda entry: (-entry.closeness, -entry.n_hidden, entry.name))


def _drawn_entry(item: ClearedFigure | ClearedPage, files: PackFiles, sources: Sequence[Entry]) -> Entry:
    """A figure or page comes as close to a line as the closest table that it is made from."""
    closest = max(sources, key=lambda entry: entry.closeness)
    kind = "figure" if isinstance(item, ClearedFigure) else "page"
    words = f"made from {closest.name}: {closest.why}"
    return Entry(item.name, item.title, kind, files_of(item, files), 0, {}, closest.closeness, words)


def _table_entry(table: ClearedTable, files: PackFiles, profile: Profile) -> Entry:
    candidates = _closest_counts(table, profile) if table.kind == "table" else _closest_estimates(table, profile)
    closeness, why = max(candidates, default=(0.0, "nothing in it rests on children"))
    rules = {rule: len(places) for rule, places in table.flags.items()}
    return Entry(
        table.name, table.title, table.kind, files_of(table, files), table.n_hidden, rules, round(closeness, 3), why
    )


def _closest_counts(table: ClearedTable, profile: Profile) -> list[tuple[float, str]]:
    """The smallest count that is shown against the threshold; the narrowest that is hidden against the width."""
    found = []
    for name in ("n", "events"):
        if name not in table.checks:
            continue
        known = table.checks[table.checks[name].notna()]
        is_shown = known[f"{name}_shown"].astype(bool)
        shown = known.loc[is_shown & (known[name] > 0), name]
        if len(shown):
            least = int(shown.min())
            found.append(((profile.counts.hide_up_to + 1) / least, f"the smallest count shown is {least}"))
        hidden = known[~is_shown]
        spans = hidden[f"{name}_could_be_to"].astype(float) - hidden[f"{name}_could_be_from"].astype(float)
        if len(spans):
            span = float(spans.min())
            words = "without limit" if math.isinf(span) else f"{span:g}"
            found.append((profile.counts.width / span, f"the narrowest hidden count could span {words}"))
    return found


def _closest_estimates(table: ClearedTable, profile: Profile) -> list[tuple[float, str]]:
    """The fewest children and residual degrees of freedom behind an estimate that is shown."""
    shown = table.checks[table.checks["cleared"].astype(bool)]
    shown = shown[shown["n"] > 0]
    if shown.empty:
        return []
    n, df = float(shown["n"].min()), float(shown["residual_df"].min())
    return [
        ((profile.counts.hide_up_to + 1) / n, f"the fewest children behind an estimate are {n:g}"),
        (profile.estimates.residual_df / df if df > 0 else 0.0, f"the fewest residual degrees of freedom are {df:g}"),
    ]


def results_json(
    listed: Sequence[Entry], tables: Mapping[str, ClearedTable], profile: Profile, *, command: str, now: str
) -> str:
    """Returns the record of all outputs as JSON."""
    results = {
        f"output_{place}": _record(f"output_{place}", entry, tables.get(entry.name), profile, command, now)
        for place, entry in enumerate(listed)
    }
    summary = [
        {"id": key, "status": one["status"], "type": one["type"], "command": command, "summary": one["summary"]}
        for key, one in results.items()
    ]
    session = {"DO_NOT_RELEASE": True, "purpose": "Session summary for output checker use only", "data": summary}
    return json.dumps({"version": RECORD_VERSION, "results": results, "session_summary": session}, indent=1) + "\n"


def _record(
    uid: str, entry: Entry, table: ClearedTable | None, profile: Profile, command: str, now: str
) -> dict[str, object]:
    sdc = _sdc(table) if table is not None else {}
    kind = {"table": "table", "regression": "regression"}.get(entry.kind, "custom")
    properties: dict[str, object] = {"method": entry.kind, "profile": profile.name, "risk": entry.risk}
    if table is not None and table.kind == "regression":
        properties["dof"] = float(table.checks["residual_df"].min())
    hidden = f"{entry.n_hidden} numbers hidden" if entry.n_hidden else "nothing hidden"
    return {
        "uid": uid,
        "status": "pass" if entry.risk != "high" else "review",
        "type": kind,
        "properties": properties,
        "files": [{"name": path, "checksum": digest, "sdc": sdc} for path, digest in entry.hashes.items()],
        "outcome": _outcome(table) if table is not None else {},
        "command": command,
        "summary": f"{entry.title}: {hidden}; {entry.why}",
        "timestamp": now,
        "comments": [f"{n} by the rule {rule}" for rule, n in entry.rules.items()],
        "exception": "",
    }


def _sdc(table: ClearedTable) -> dict[str, object]:
    cells: dict[str, list[list[int]]] = {"negative": [], "missing": [], **{name: [] for name in _ACRO_CHECKS}}
    for name, rules in _ACRO_CHECKS.items():
        cells[name] = [list(place) for rule in rules for place in table.flags.get(rule, ())]
    summary = {"suppressed": table.n_hidden > 0, **{name: len(places) for name, places in cells.items()}}
    return {"summary": summary, "cells": cells}


def _outcome(table: ClearedTable) -> dict[str, dict[str, str]]:
    """The outcome of each number: 'ok', or the rule that hid it."""
    why = {place: rule for rule, places in table.flags.items() for place in places}
    columns = list(table.columns)
    return {
        name: {
            str(row): why.get((row, at), "hidden") if table.text.iat[row, at] == HIDDEN else "ok"
            for row in range(len(table.text))
        }
        for at, name in enumerate(columns)
        if table.columns[name] != "label"
    }


def checker_sections(
    listed: Sequence[Entry], profile: Profile, notes: Sequence[str], withheld: Sequence[str]
) -> list[Section]:
    """Returns the checker's page: what was asked, and each output with its risk, the riskiest first."""
    counts, estimates, magnitudes = profile.counts, profile.estimates, profile.magnitudes
    asked = [
        ("Counts hidden", f"1 to {counts.hide_up_to}" + (", and zero" if counts.hide_zero else "")),
        ("What a hidden count could be spans", f"at least {counts.width}"),
        ("Counts are multiples of", str(counts.round_to)),
        ("Groups in which everyone or no one had the event", "hidden" if counts.hide_all_or_none else "shown"),
        ("The two largest amounts make at most", f"{magnitudes.largest_two_share:.0%} of a sum"),
        ("The rest of a sum is at least", f"{magnitudes.p_percent:g} % of the largest amount"),
        ("Residual degrees of freedom", f"at least {estimates.residual_df}"),
    ]
    rows = tuple(
        (
            entry.risk, f"{entry.closeness:.2f}", entry.title, entry.kind, entry.why, str(entry.n_hidden),
            ", ".join(f"{rule} {n}" for rule, n in entry.rules.items()),
            ", ".join(f"{path.rpartition('.')[2]} {digest[:12]}" for path, digest in entry.hashes.items()),
        )
        for entry in listed
    )  # fmt: skip
    header = (
        "Risk",
        "Closeness to a line",
        "Output",
        "Kind",
        "What comes closest",
        "Hidden",
        "By rule",
        "Files, SHA-256",
    )
    return [
        one
        for one in (
            section_of(
                "asked", f"What the profile {profile.name} asks",
                [Text(profile.source), Table("The profile", DataTable(("What", "Rule"), tuple(asked), numeric=99))],
            ),
            section_of(
                "outputs", "Every output, the riskiest first",
                [
                    Text("1 is on a line of the profile; the counts behind each output are in counts/, by its name."),
                    *(Text(note) for note in notes),
                    Table("Outputs", DataTable(header, rows, numeric=99)),
                ],
            ),
            section_of("withheld", "Not released", [Text(words) for words in withheld], always=bool(withheld)),
        )
        if one is not None
    ]  # fmt: skip
