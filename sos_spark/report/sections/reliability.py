"""How reliable this very design is: what its methods make of invented studies in which the truth is known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from sos_spark.report.blocks import Block, Bullets, DataTable, Section, Table, Text, section_of
from sos_spark.report.results import Results, of_outcome, rows_of
from sos_spark.report.words.numbers import Scale, count, number, percent

_METHODS = {
    "headline": "the rule of this report",
    "wcr": "bootstrap",
    "cr2": "CR2",
    "ri": "permuted pilots",
}
_MEASURES = {
    "size": "a change reported where there is none",
    "power": "a change found that is there",
    "coverage": "the 95% interval holds the truth",
    "moderate": "evidence rated moderate or strong",
    "strong": "evidence rated strong",
}


def section(results: Results) -> Section | None:
    """Returns the section; None where the run left no calibration."""
    if results.calibration.empty:
        return None
    said = [f"{results.labels[key]}: {words}" for key in results.labels if (words := in_words(results, key))]
    blocks: list[Block | None] = [
        Text(
            "Invented studies with these authorities, their sizes, periods and pilots, scattering from period to period"
            " as these authorities do, were worked like this one. In them the truth is known, so they tell how far the"
            " methods can be relied on here. How much authorities scatter is itself uncertain, and that is part of it."
        ),
        Bullets(said),
        Table("What the methods came to in invented studies", _every_row(results), folded=True),
        Bullets(_notes(results), quiet=True),
    ]
    return section_of("reliability", "How far this design can be relied on", blocks)


def in_words(results: Results, outcome_id: str) -> str:
    """Returns what the headline rule came to, in a few sentences; blank where nothing was simulated."""
    own = of_outcome(results.calibration, outcome_id)
    own = own[(own["method"] == "headline") & own["share"].notna()] if len(own) else own
    if own.empty:
        return ""
    scale, said = results.scales[outcome_id], []
    for row in rows_of(own):
        share = percent(row.share, 1.0)
        if row.measure == "size":
            said.append(
                f"where the programme did nothing, a change was reported in {share} of {count(row.replications)}"
                f" studies (meant to be 5% at most){_held(row)}."
            )
        elif row.measure == "power":
            said.append(f"A change of {scale.change(row.effect)} {scale.long_unit} was found in {share}.")
        elif row.measure == "coverage" and row.effect == 0:
            said.append(f"The 95% interval held the truth in {share}{_held(row)}.")
    return " ".join([*said, *_strength(own, scale)])


def _strength(own: pd.DataFrame, scale: Scale) -> Iterator[str]:
    """Says how often the evidence was rated strong, without a change and with one."""
    strong = own[own["measure"] == "strong"]
    if strong.empty:
        return
    rates = [
        f"{percent(row.share, 1.0)} where "
        + ("there was none" if row.effect == 0 else f"it was {scale.change(row.effect)} {scale.long_unit}")
        for row in rows_of(strong)
    ]
    yield f"Evidence of a change was called strong in {' and in '.join(rates)}."


def _held(row: Any) -> str:
    """Says where a rate is not what it ought to be, chance allowed for; `holds` is read as text."""
    if str(row.holds) != "False":
        return ""
    if (row.measure == "size" and row.share < 0.05) or (row.measure == "coverage" and row.share > 0.95):
        return ", more cautious than it needs to be"
    return ", so that it is less to be relied on than it says"


def _every_row(results: Results) -> DataTable:
    rows = []
    for key, label in results.labels.items():
        scale = results.scales[key]
        for row in rows_of(of_outcome(results.calibration, key)):
            if math.isnan(row.share):
                continue
            rows.append(
                (
                    label,
                    _MEASURES[row.measure],
                    _METHODS[row.method],
                    f"{scale.change(row.effect)} {scale.change_unit}",
                    percent(row.share, 1.0),
                    number(100 * row.mc_se, 1),
                )
            )
    header = ("Outcome", "What", "How chance is judged", "True change", "Share of studies", "Its error, points")
    return DataTable(header, tuple(rows), numeric=3)


def _notes(results: Results) -> list[str]:
    found = []
    for key, label in results.labels.items():
        own = of_outcome(results.calibration, key)
        for row in rows_of(own.iloc[:1]):
            if not math.isnan(row.treated_weight_max):
                found.append(
                    f"{label}: {count(row.n_treated_clusters)} pilots among {count(row.n_clusters)} authorities; the"
                    f" largest pilot has {percent(row.treated_weight_max, 1.0)} of the pilots' weight, and the estimate"
                    f" rests on as much as {number(row.effective_clusters, 1)} equal authorities."
                )
            if isinstance(row.note, str) and row.note:
                found.append(f"{label}: {row.note}.")
    return found
