"""Who is in the synthetic control, and who could not be: which comparators an alternative estimate hangs on."""

from __future__ import annotations

import math

import pandas as pd

from sos_spark.report.blocks import DataTable, Section, Table, Text, section_of
from sos_spark.report.results import Results, of_outcome, rows_of
from sos_spark.report.words.numbers import count, listed, number, p_value, percent

_CHECKS = {"annual": "whole years since go-live", "augmented": "weights and a ridge regression"}
_NAMED = 3
_SHOWN = 0.005
"""A weight that is not 0 once it is rounded."""


def section(results: Results) -> Section | None:
    """Returns the section; None where no outcome has a synthetic control."""
    table, checks = made_of(results), checks_table(results)
    if not table.rows:
        return None
    return section_of(
        "synthetic",
        "What the synthetic control is made of",
        [
            Text(
                "One of the alternative estimates weighs the comparators so that together they run parallel to the"
                " pilots before go-live. It needs authorities that are observed in every period. Where few comparators"
                " carry most of the weight it hangs on them, and where pilots are missing it is about the others only."
            ),
            Table("Pilots and comparators in it", table),
            Table("The same made in other ways", checks) if checks.rows else None,
        ],
    )


def made_of(results: Results) -> DataTable:
    """Returns a row per outcome: pilots and comparators used, those with most weight, pilots that are missing."""
    rows = []
    for key, label in results.labels.items():
        own = of_outcome(results.synthetic, key)
        if own.empty:
            continue
        used = own[own["note"].fillna("") == ""]
        pilots, comparators = (used[used["arm"] == arm] for arm in ("pilot", "comparator"))
        lost = own[(own["arm"] == "pilot") & ~own["unit_id"].isin(list(pilots["unit_id"]))]
        rows.append(
            (
                label,
                _of(pilots, own, "pilot"),
                _of(comparators, own, "comparator"),
                number(_equal(comparators), 1),
                _heaviest(results, comparators),
                listed([results.name_of(unit) for unit in lost["unit_id"]]) if len(lost) else "",
            )
        )
    header = ("Outcome", "Pilots", "Comparators", "As many equal ones", "Most weight", "Pilots it lacks")
    return DataTable(header, tuple(rows), words=2).trimmed()


def checks_table(results: Results) -> DataTable:
    """Returns a row per outcome and other way of making a synthetic control."""
    rows = []
    for key, label in results.labels.items():
        scale = results.scales[key]
        rows += [
            (
                label,
                _CHECKS[row.method],
                "" if math.isnan(row.att) else f"{scale.change(row.att)} {scale.change_unit}",
                "" if math.isnan(row.se_placebo) else scale.change(row.se_placebo),
                p_value(row.p),
                "" if math.isnan(row.n_before) else count(row.n_before),
                str(row.note or ""),
            )
            for row in rows_of(of_outcome(results.synthetic_checks, key))
        ]
    header = ("Outcome", "Made of", "Change", "Standard error", "p", "Periods before", "Note")
    return DataTable(header, tuple(rows), 2, 1).trimmed()


def _of(used: pd.DataFrame, own: pd.DataFrame, arm: str) -> str:
    return f"{count(len(used))} of {count(int((own['arm'] == arm).sum()))}"


def _equal(comparators: pd.DataFrame) -> float:
    """How many comparators of equal weight would be as many."""
    squares = float((comparators["weight"] ** 2).sum())
    return 1 / squares if squares > 0 else math.nan


def _heaviest(results: Results, comparators: pd.DataFrame) -> str:
    first = comparators[comparators["weight"] >= _SHOWN].sort_values(
        ["weight", "unit_id"], ascending=[False, True], kind="stable"
    )[:_NAMED]
    return ", ".join(f"{results.name_of(row.unit_id)} {percent(row.weight, 1.0)}" for row in rows_of(first))
