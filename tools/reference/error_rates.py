"""The table of how often each p-value and interval is wrong, made from the simulations that were kept.

A row is a kind of test or interval, a column a design. What comes from `monte_carlo_printed.csv` went through the code
that a run fits with; other kinds have a table of their own, in `tests/oracle` too.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLES = Path(__file__).resolve().parents[2] / "tests" / "oracle"

DESIGNS: dict[str, str] = {
    "9 of 60": "9 of 60",
    "4 of 60": "4 of 60",
    "2 of 60": "2 of 60",
    "9 of 60, one with 35 % of the pilots' rows": "9, one with 35 % of the pilots' rows",
    "9 of 60, one with 35 % of all rows": "9, one with 35 % of all rows",
    "9 of 60, treated shocks doubled": "9, shocks doubled",
    "4 of 60, treated shocks doubled": "4, shocks doubled",
    "2 of 60, treated shocks doubled": "2, shocks doubled",
}
"""Designs by the name that `tools.monte_carlo.printed` gives them, and how the page heads them."""
NOT_MEASURED, NOT_PRINTED = "?", "-"
ALL_PRINTED = 0.995

_HEAD = """# How often each interval is wrong

Made by `python -m tools.reference` from the simulations kept in `tests/oracle`; [Measured](../measured.md) says how
they were made. Each cell: the share of studies without an effect in which one is found, per cent (5 is meant), and
in brackets the share of the 95 % intervals that are printed and hold the truth. *of 22* says that a rule lets it be
printed in 22 % of such studies only; the share before it is that of all studies that print it and are wrong. `-` is
not printed, `?` not measured. A share of 5 % has a standard error of 1.1 points from 420 studies, 0.5 from 2,000 and
1.3 from 300.

"""

_RULES = """
What is not printed, and by which rule (lines stand in `sos_spark/fit/thresholds.py`):

- With 4 pilots or fewer: the bootstrap, bands, the joint test before go-live, CR3 and WCR-33, which permuted go-lives
  replace, and bounds of drift.
- With 2 to 4 pilots that scatter more than 1.5 times as much as comparators: whatever rests on permuted go-lives.
- With one of many pilots that has 60 % of the pilots' weight: permuted go-lives. Over 70 %: every test of all pilots.
- With pilots, few or many, that scatter more than 1.2 times as much: p of synthetic comparators, and of means under one
  variance.
- With 3 pilots or fewer: Welch's p of means without a model.
- With one pilot: whatever rests on CR2; its own scatter is the test (2.9 to 5.7 % of true nulls).

Few pilots with several go-lives are measured before the rule on unsteady pilots. Other comparators, go-live dates
and switches, casemix, estimates without exposed comparators or by dose, bounds over what is unknown and authorities
left out are the headline, CR2 or permuted go-lives on other rows, and were not simulated by themselves; nor were
regions as clusters.
"""


@dataclass(frozen=True)
class Cell:
    """A share of true nulls rejected and of intervals that hold, NaN where there is none, and the share printed."""

    rejected: float
    covered: float
    printed: float = 1.0

    @property
    def in_words(self) -> str:
        """The cell as the page has it."""
        if self.printed == 0:
            return NOT_PRINTED
        shares = [] if self.rejected != self.rejected else [f"{100 * self.rejected:.1f}"]
        shares += [] if self.covered != self.covered else [f"({100 * self.covered:.0f})"]
        if self.printed < ALL_PRINTED:
            shares.append(f"of {max(round(100 * self.printed), 1)}")
        return " ".join(shares)


@dataclass(frozen=True)
class Kind:
    """A row: what is printed, by design; designs that are missing were not measured."""

    name: str
    cells: Mapping[str, Cell]
    source: str


def kinds() -> Iterator[Kind]:
    """Yields the rows in the order in which a report prints them."""
    rows: dict[str, dict[str, Cell]] = {}
    for row in _read("monte_carlo_printed.csv"):
        cell = Cell(_number(row["rejected"]), _number(row["covered"]), float(row["printed"]))
        rows.setdefault(row["kind"], {})[row["design"]] = cell
    for name, cells in rows.items():
        yield Kind(name, cells, "monte_carlo_printed.csv")
    yield _family()
    for name, of in (("imputation", "imputation"), ("Callaway-Sant'Anna", "cs_simple"), ("extended two-way", "etwfe")):
        yield _staggered(f"several go-lives, {name}", of)
    yield _subgroups()
    for method, measure, name in (
        ("distribution", "any", "lengths, any day"),
        ("distribution", "within_limit", "lengths, within 45 days"),
        ("distribution", "restricted_mean", "lengths, restricted mean"),
        ("distribution", "median", "lengths, median"),
        ("changes_in_changes", "within_limit", "lengths, within 45 days, changes-in-changes"),
        ("changes_in_changes", "restricted_mean", "lengths, restricted mean, changes-in-changes"),
        ("hazard", "before_limit", "lengths, chance on days 41 to 45"),
    ):
        yield _lengths(name, method, measure)
    yield _honest()


def page() -> str:
    """Returns the page as Markdown."""
    header = f"| p-value or interval | {' | '.join(DESIGNS.values())} | table |\n"
    body = "".join(
        f"| {kind.name} | "
        + " | ".join(kind.cells[name].in_words if name in kind.cells else NOT_MEASURED for name in DESIGNS)
        + f" | `{kind.source}` |\n"
        for kind in kinds()
    )
    return f"{_HEAD}{header}|{'---|' * (len(DESIGNS) + 2)}\n{body}{_RULES}"


def _family() -> Kind:
    adjusted = _one("monte_carlo_size.csv", scenario="9 of 60, five outcomes", method="romano_wolf")
    return Kind(
        "adjusted for a family of five: any outcome",
        {"9 of 60": Cell(float(adjusted["share"]), _NAN)},
        "monte_carlo_size.csv",
    )


def _staggered(name: str, estimator: str) -> Kind:
    """The rule of the report with 9 pilots; permuted go-lives with fewer, which go live one at a time there."""
    cells = {}
    for design, scenario in (("9 of 60", "9 of 60"), ("9 of 60, treated shocks doubled", "9 of 60, treated shocks 2x")):
        sized = _one(_DESIGNS, scenario=scenario, estimator=estimator, measure="size", method="wcr_and_cr2")
        covered = _some(_DESIGNS, scenario=f"{scenario}, growing effects", estimator=estimator, method="wcr")
        cells[design] = Cell(float(sized["value"]), float(covered[0]["value"]) if covered else _NAN)
    for n in (4, 2):
        for design, suffix in ((f"{n} of 60", ""), (f"{n} of 60, treated shocks doubled", ", shocks x 2")):
            scenario = f"{n} of 60, one at a time{suffix}"
            of = {"scenario": scenario, "estimator": estimator, "measure": "size", "method": "ri_t"}
            for row in _some("monte_carlo_few.csv", **of):
                cells[design] = Cell(float(row["value"]), _NAN)
    return Kind(name, cells, f"{_DESIGNS}`, `monte_carlo_few.csv")


def _subgroups() -> Kind:
    of = {"scenario": "5 and 4 of 60, comparators labelled", "term": "difference"}
    size, covered = (
        _one(_SUBGROUPS, measure=measure, method=method, **of)
        for measure, method in (("size", "ri_t"), ("coverage", "cr2_satterthwaite"))
    )
    return Kind(
        "a difference between subgroups of pilots",
        {"9 of 60": Cell(float(size["share"]), float(covered["share"]))},
        _SUBGROUPS,
    )


def _lengths(name: str, method: str, measure: str) -> Kind:
    cells = {"9 of 60, one with 35 % of all rows": Cell(_NAN, _NAN, printed=0.0)}
    for design in DESIGNS:
        scenario = design.replace("doubled", "x 2")
        for row in _some(_DURATIONS, scenario=scenario, method=method, measure=measure):
            cells[design] = Cell(_number(row["rejected"]), _number(row["covered"]))
    return Kind(name, cells, _DURATIONS)


def _honest() -> Kind:
    """Bounds hold at least as often as they say: the least often of all drifts that they allow for."""
    least = min(float(row["value"]) for row in _read("monte_carlo_honest.csv"))
    cells = {design: Cell(_NAN, _NAN, printed=0.0) for design in DESIGNS if design.startswith(("4", "2"))}
    cells |= {"9 of 60": Cell(_NAN, least), "9 of 60, one with 35 % of all rows": Cell(_NAN, _NAN, printed=0.0)}
    return Kind("bounds of drift, at worst", cells, "monte_carlo_honest.csv")


_DESIGNS, _SUBGROUPS, _DURATIONS = "monte_carlo_designs.csv", "monte_carlo_subgroups.csv", "monte_carlo_durations.csv"
_NAN = float("nan")


def _number(text: str) -> float:
    return float(text) if text else _NAN


@cache
def _read(file: str) -> tuple[dict[str, str], ...]:
    with (TABLES / file).open(encoding="utf-8", newline="") as handle:
        return tuple(csv.DictReader(handle))


def _some(file: str, **given: str) -> list[dict[str, str]]:
    return [row for row in _read(file) if all(row[name] == value for name, value in given.items())]


def _one(file: str, **given: str) -> dict[str, str]:
    (row,) = _some(file, **given)
    return row
