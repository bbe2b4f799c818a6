"""Simulated returns with faults that DfE's rules are about: at most one a child (CIN) or one a row (SSDA903)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date, timedelta
from random import Random

_LEAF = re.compile(r"<(\w+)>([^<]+)</\1>")
_MODULE = re.compile(r"<(CINdetails|Assessments|Section47|ChildProtectionPlans)>.*?</\1>", re.DOTALL)
REPEATED = 0.15
"""The share of faults that are a module twice, or a row twice; as many rows are left out."""
_DAYS = (-800, -400, -30, -1, 1, 30, 400)
_NOT_TOUCHED = {"LAchildID", "UPN", "CHILD"}
_DATES = {"DOB", "DECOM", "DEC"}


def faulty_cin(xml: str, *, share: float, random: Random) -> str:
    """The file with one leaf of a share of the children changed, left out, or a module repeated."""
    head, *children = re.split(r"(?=<Child>)", xml)
    return head + "".join(_faulty_child(child, random) if random.random() < share else child for child in children)


def _faulty_child(child: str, random: Random) -> str:
    modules = list(_MODULE.finditer(child))
    if modules and random.random() < REPEATED:
        module = random.choice(modules)
        return child[: module.end()] + module[0] + child[module.end() :]
    leaves = [leaf for leaf in _LEAF.finditer(child) if leaf[1] not in _NOT_TOUCHED]
    kinds = sorted({leaf[1] for leaf in leaves})
    kind = random.choice(kinds)
    leaf = random.choice([leaf for leaf in leaves if leaf[1] == kind])
    value = _changed(leaf[2], "-" in leaf[2], _iso, date.fromisoformat, random)
    new = "" if value is None else f"<{kind}>{value}</{kind}>"
    return child[: leaf.start()] + new + child[leaf.end() :]


def faulty_csv(text: str, *, share: float, random: Random) -> str:
    """The file with a share of its rows left out, repeated, or with one cell changed or blank."""
    header, *rows = csv.reader(io.StringIO(text))
    kept: list[list[str]] = []
    for row in rows:
        kind = random.random() / share
        if REPEATED <= kind < 2 * REPEATED:
            kept.append(list(row))
        elif 2 * REPEATED <= kind < 1:
            at = random.choice([at for at, name in enumerate(header) if name not in _NOT_TOUCHED])
            row[at] = _changed(row[at], header[at] in _DATES, _british, _from_british, random) or ""
        if kind >= REPEATED:
            kept.append(row)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *kept])
    return out.getvalue()


def _changed(
    value: str, is_date: bool, write: Callable[[date], str], read: Callable[[str], date], random: Random
) -> str | None:
    if not is_date:
        return random.choice((None, "X9"))
    if not value:
        return write(date(2020, 1, 1))
    what = random.random()
    if what < 0.15:
        return None
    return "not a day" if what < 0.25 else write(read(value) + timedelta(days=random.choice(_DAYS)))


def _iso(day: date) -> str:
    return day.isoformat()


def _british(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _from_british(text: str) -> date:
    day, month, year = map(int, text.split("/"))
    return date(year, month, day)
