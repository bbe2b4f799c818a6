"""How reliable this very design is: what its methods make of invented studies in which the truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from sos_spark.report.blocks import Block, Bullets, Code, DataTable, Link, Section, Table, Text, section_of
from sos_spark.report.results import Results, of_outcome, rows_of
from sos_spark.report.words.numbers import Scale, count, number, percent
from sos_spark.report.words.possible import possible_of
from sos_spark.report.words.specifications import spoken
from sos_spark.report.words.verdicts import known

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


_TITLE = "How far this design can be relied on"
_INVENTED = (
    "Invented studies with these authorities, their sizes, periods and pilots, scattering from period to period as"
    " these authorities do, were worked like this one. In them the truth is known, so they tell how far the methods can"
    " be relied on here. How much authorities scatter is itself uncertain, and that is part of it."
)


def section(results: Results) -> Section | None:
    """Returns the section; None where the run has neither estimates nor simulated studies."""
    blocks: list[Block | None] = [*(_whole(results) + _by_way(results) or _not_simulated(results))]
    if not blocks:
        return None
    blocks += [*_found_by_way(results), Bullets(_notes(results), quiet=True)]
    return section_of("reliability", _TITLE, blocks, always=True)


def _whole(results: Results) -> list[Block]:
    """What all methods came to on the study's own plan."""
    if results.calibration.empty:
        return []
    said = [f"{results.labels[key]}: {words}" for key in results.labels if (words := in_words(results, key))]
    return [
        Text(_INVENTED),
        Bullets(said),
        Table("What the methods came to in invented studies", _every_row(results), folded=True),
    ]


def _by_way(results: Results) -> list[Block]:
    """What the rule of the report came to, for each way of doing the sums."""
    if results.calibration_switches.empty:
        return []
    said = [words for key in results.labels if (words := by_way_in_words(results, key))]
    return [
        Text(
            f"{_INVENTED if results.calibration.empty else ''} What follows asks what a study of this design would have"
            " reported, by each way of doing the sums, had the change been of a given size, and had there been none."
            " Where there is none, 5% are meant to be reported at most, but for what so many invented studies leave to"
            " chance. All this says what the design can see, and nothing about what happened.".strip()
        ),
        Bullets(said),
        Table("What each way of doing the sums would have reported", _every_way(results)),
    ]


def _not_simulated(results: Results) -> list[Block]:
    if results.main.empty:
        return []
    return [
        Text(
            (
                "How large a change each outcome would have needed is under ",
                Link("What this study can and cannot detect", "detect"),
                ". How often a study of this very design finds a change that is there, and reports one that is not, is"
                " told by simulation, which takes minutes and was not done for this report: ",
                Code("sos-spark calibrate"),
                " does it, and the next report shows it here.",
            )
        )
    ]


def _found_by_way(results: Results) -> list[Block]:
    """What each way of doing the sums could find, by formula; nothing where simulated studies say it."""
    rows = []
    for key, label in results.labels.items() if results.calibration_switches.empty else ():
        scale, possible = results.scales[key], possible_of(results.study.outcome(key))
        for row in rows_of(results.specifications(key)):
            if not math.isnan(row.mde):
                can_be = possible.holds_change(row.mde, baseline=row.baseline_mean)
                found = f"{scale.change(row.mde)} {scale.change_unit}" if can_be else "more than can be"
                rows.append((label, spoken(row.specification), found))
    if not rows:
        return []
    header = ("Outcome", "Way of doing the sums", "Found 4 times in 5")
    return [
        Table("What each way of doing the sums could find, by formula", DataTable(header, tuple(rows), 2), folded=True)
    ]


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


def by_way_in_words(results: Results, outcome_id: str) -> str:
    """Returns what an outcome's ways find, and report of a change and of none; blank where none was worked."""
    own = _worked(results, outcome_id)
    if own.empty:
        return ""
    scale, ways = results.scales[outcome_id], own["specification"].nunique()
    by = f"each of {count(ways)} ways of doing the sums" if ways > 1 else "the study's own way of doing the sums"
    unit, found, nothing = scale.long_unit, own["mde"].dropna(), own[own["effect"] == 0]
    said = []
    if len(found):
        said.append(f"the smallest change found four times in five is {_range(scale.change, found)} {unit}.")
    for effect in own.loc[own["effect"] != 0, "effect"].unique():
        rows = own[own["effect"] == effect]
        moved = f"{'fallen' if effect < 0 else 'risen'} by {scale.change(abs(effect))} {unit}"
        of = f"{_range(_share, rows['reported'])} of {count(rows['replications'].max())} invented studies"
        said.append(f"Had it {moved}, a change would have been reported in {of}.")
    said.append(f"Had nothing changed, one would have been reported in {_range(_share, nothing['reported'])}.")
    return f"{results.labels[outcome_id]}, by {by}: {' '.join(said)}"


def _worked(results: Results, outcome_id: str) -> pd.DataFrame:
    own = of_outcome(results.calibration_switches, outcome_id)
    return own[own["reported"].notna()] if len(own) else own


def _share(value: float) -> str:
    return percent(value, 1.0)


def _range(write: Callable[[float], str], values: pd.Series) -> str:
    """Writes the least and the greatest of some numbers, once where they read alike."""
    least, most = write(float(values.min())), write(float(values.max()))
    return least if least == most else f"{least} to {most}"


def _every_way(results: Results) -> DataTable:
    rows = []
    for key, label in results.labels.items():
        scale, own = results.scales[key], of_outcome(results.calibration_switches, key)
        for way, group in own.groupby("specification", sort=False) if len(own) else ():
            worked = group[group["reported"].notna()]
            if worked.empty:
                rows.append((label, spoken(str(way)), "not to be worked", *("",) * 4, ""))
                continue
            first = worked.iloc[0]
            of = f"{count(first['n_treated_clusters'])} of {count(first['n_clusters'])}"
            none = _share(float(worked.loc[worked["effect"] == 0, "reported"].iloc[0]))
            found = "" if math.isnan(first["mde"]) else f"{scale.change(first['mde'])} {scale.change_unit}"
            planted = rows_of(worked[worked["effect"] != 0])
            asked = [(f"{scale.change(row.effect)} {scale.change_unit}", _share(row.reported)) for row in planted]
            for effect, reported in asked or [("", "")]:
                rows.append((label, spoken(str(way)), found, effect, reported, none, of, count(first["replications"])))
    header = (
        "Outcome", "Way of doing the sums", "Found 4 times in 5", "Change asked about", "Reported if it is there",
        "Reported if nothing is", "Pilots of authorities", "Studies",
    )  # fmt: skip
    return DataTable(header, tuple(rows), numeric=2)


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
        row = _weights(results, key)
        weight, equal = (known(row, name) for name in ("treated_weight_max", "effective_clusters"))
        if weight is not None and equal is not None:
            found.append(
                f"{label}: {count(row['n_treated_clusters'])} pilots among {count(row['n_clusters'])} authorities; the"
                f" largest pilot has {percent(weight, 1.0)} of the pilots' weight, and the estimate rests on as much as"
                f" {number(equal, 1)} equal authorities."
            )
        for way, note in _said(results, key):
            found.append(f"{label}{way}: {note}.")
    return found


def _weights(results: Results, outcome_id: str) -> dict[str, Any]:
    """Returns the row that has an outcome's weights: what was simulated, else the main estimate."""
    for frame in (results.calibration, results.calibration_switches):
        own = of_outcome(frame, outcome_id)
        if len(own):
            return {str(name): own.iloc[0][name] for name in own.columns}
    return results.main_row(outcome_id) or {}


def _said(results: Results, outcome_id: str) -> list[tuple[str, str]]:
    """Returns each note once, after the ways that it is of; these are blank where the study's own is among them."""
    ways: dict[str, list[str]] = {}
    for row in rows_of(of_outcome(results.calibration, outcome_id).iloc[:1]):
        ways.setdefault(row.note, []).append("main")
    for row in rows_of(of_outcome(results.calibration_switches, outcome_id)):
        ways.setdefault(row.note, []).append(row.specification)
    return [
        ("" if "main" in of else f", {'; '.join(dict.fromkeys(map(spoken, of)))}", note)
        for note, of in ways.items()
        if isinstance(note, str) and note
    ]
