"""What a study of this size can find: the chance of finding an effect, by its size."""

from __future__ import annotations

import math

import pandas as pd

from sos_spark.fit.verdict import NO_CHANGE_THAT_MATTERS
from sos_spark.report.blocks import Block, Bullets, DataTable, Picture, Section, Table, Text, section_of
from sos_spark.report.figures.paint import draw_plots
from sos_spark.report.figures.plot import Curve, Dot, Level, Mark, Plot, PlotAxis, Stem, Upright, value_axis
from sos_spark.report.results import Results, of_outcome, rows_of
from sos_spark.report.words.numbers import Scale, count, number, percent
from sos_spark.report.words.possible import possible_of
from sos_spark.report.words.verdicts import finding_of, known

_WANTED = 0.8


def section(results: Results) -> Section | None:
    """Returns the section on what can be detected; it is always there."""
    found = detectable(results)
    blocks: list[Block | None] = [
        Text(
            "The number of pilot authorities, not the number of children, limits what can be seen: authorities differ"
            " from year to year for reasons of their own. The table gives the change that a study of this size would"
            " find four times in five; smaller changes may well have happened and stay unseen."
        )
    ]
    if found:
        header = ("Outcome", "Would be found 4 times in 5", "Smallest change of interest", "What follows")
        blocks.append(
            Table("Smallest change that would probably be found", DataTable(header, tuple(found), numeric=99))
        )
    else:
        blocks.append(Text("No estimate has a detectable effect."))
    picture = power_picture(results)
    if picture is not None:
        blocks += [
            Text(
                "How likely a real change of a given size is to be found, by working the whole analysis on invented"
                " data that scatter as these authorities do."
            ),
            picture,
        ]
    elif len(results.power):
        blocks.append(Table("Chance of finding a change, by its size", _every_row(results), folded=True))
    spread = _spread(results)
    if spread.rows:
        blocks.append(Table("How much authorities scatter", spread, folded=True))
    blocks.append(Bullets(_notes(results), quiet=True))
    return section_of("detect", "What this study can and cannot detect", blocks, always=True)


def detectable(results: Results) -> list[tuple[str, ...]]:
    """Returns outcome, smallest change that would probably have been found, smallest of interest, and what follows."""
    rows: list[tuple[str, ...]] = []
    for outcome in results.study.outcomes:
        row, scale = results.main_row(outcome.outcome_id) or {}, results.scales[outcome.outcome_id]
        mde = known(row, "mde")
        if mde is None:
            continue
        wanted = outcome.smallest_effect_of_interest
        can_be = possible_of(outcome).holds_change(mde, baseline=known(row, "baseline_mean"))
        follows = (
            "no smallest change of interest was named"
            if wanted is None
            else "large enough a study"
            if mde <= wanted
            else "changes of interest could be missed"
        )
        if wanted is not None and finding_of(row) == NO_CHANGE_THAT_MATTERS:
            follows = "a change of that size is ruled out"
        rows.append(
            (
                results.labels[outcome.outcome_id],
                f"{scale.change(mde)} {scale.change_unit}" if can_be else "none: larger than any change that can be",
                "" if wanted is None else f"{number(wanted * scale.factor, scale.change_decimals)} {scale.change_unit}",
                follows,
            )
        )
    return rows


def power_picture(results: Results) -> Picture | None:
    """Draws power against effect, simulated and by formula; None where nothing was simulated."""
    found = {key: own for key in results.labels if len(own := _curve(results, key, "simulated"))}
    if not found:
        return None

    plots = [
        _plot(results.labels[key], own, _curve(results, key, "analytic"), results.scales[key],
              results.study.outcome(key).smallest_effect_of_interest)
        for key, own in found.items()
    ]  # fmt: skip
    return draw_plots(
        "power",
        plots,
        title="Chance of finding a change",
        caption="Points: share of simulated studies that found the change, with twice its error; grey diamonds: the"
        " same by formula. Dashed: four in five. Orange: the smallest change of interest.",
        alt="Power curves. " + " ".join(_in_words(results, key, own) for key, own in found.items()),
        table=_every_row(results),
    )


def _curve(results: Results, outcome_id: str, source: str) -> pd.DataFrame:
    """Power by effect, the effect's sign aside; empty where the run has none of that source."""
    own = of_outcome(results.power, outcome_id)
    if own.empty:
        return own
    own = own[(own["source"] == source) & own["effect"].notna() & own["power"].notna()]
    return own.assign(effect=own["effect"].abs()).sort_values("effect", kind="stable").reset_index(drop=True)


def _plot(label: str, simulated: pd.DataFrame, analytic: pd.DataFrame, scale: Scale, wanted: float | None) -> Plot:
    marks: list[Mark] = [Level(100 * _WANTED, "quiet", dashed=True)]
    if wanted is not None:
        marks.append(Upright(wanted * scale.factor, "", "comparator"))
    by_formula = [(float(row.effect) * scale.factor, 100 * float(row.power)) for row in rows_of(analytic)]
    if len(by_formula) > 3:
        xs, ys = zip(*by_formula, strict=True)
        marks.append(Curve(xs, ys, "quiet", "diamond", size=0.8))
    else:  # a curve of two or three points would be an invention
        marks += [Dot(x, y, "quiet", "diamond", size=0.8) for x, y in by_formula]
    for row in rows_of(simulated):
        x, y = float(row.effect) * scale.factor, 100 * float(row.power)
        error = 0.0 if math.isnan(row.mc_se) else 200 * float(row.mc_se)
        say = f"{scale.change(row.effect)} {scale.long_unit}: found in {percent(row.power, 1.0)}"
        marks += [Stem(x, max(y - error, 0.0), min(y + error, 100.0), "pilot", 1.6), Dot(x, y, "pilot", say=say)]
    sizes = [float(v) * scale.factor for frame in (simulated, analytic) if len(frame) for v in frame["effect"]]
    x_axis = value_axis(sizes, f"Size of the change, {scale.long_unit}", margin=0.06, least=0.0)
    ticks = tuple((float(n), str(n)) for n in range(0, 101, 20))
    return Plot(label, x_axis, PlotAxis(0.0, 104.0, ticks, "Chance, per cent"), tuple(marks))


def _in_words(results: Results, outcome_id: str, own: pd.DataFrame) -> str:
    scale = results.scales[outcome_id]
    enough = own[own["power"] >= _WANTED]
    label = results.labels[outcome_id]
    if enough.empty:
        largest = own.iloc[-1]
        return (
            f"{label}: even a change of {scale.change(largest['effect'])} {scale.long_unit} is found in"
            f" {percent(largest['power'], 1.0)} of simulated studies only."
        )
    first = enough.iloc[0]
    return (
        f"{label}: a change of {scale.change(first['effect'])} {scale.long_unit} is found in"
        f" {percent(first['power'], 1.0)} of simulated studies."
    )


def _every_row(results: Results) -> DataTable:
    rows = []
    for key, label in results.labels.items():
        scale = results.scales[key]
        for row in rows_of(of_outcome(results.power, key)):
            if math.isnan(row.effect) or math.isnan(row.power):
                continue
            error = "" if math.isnan(row.mc_se) else f"{number(100 * row.mc_se, 1)}"
            rows.append(
                (
                    label,
                    "simulated" if row.source == "simulated" else "by formula",
                    f"{scale.change(row.effect)} {scale.change_unit}",
                    percent(row.power, 1.0),
                    error,
                    count(row.replications) if row.source == "simulated" else "",
                )
            )
    header = ("Outcome", "How", "Size of the change", "Chance of finding it", "Its error, points", "Simulated studies")
    return DataTable(header, tuple(rows), numeric=2)


def _spread(results: Results) -> DataTable:
    """Returns the variance components that power was computed from, once an outcome."""
    rows = []
    for key, label in results.labels.items():
        own, scale = of_outcome(results.power, key), results.scales[key]
        own = own[own["sd_la"].notna()] if len(own) else own
        rows += [
            (
                f"{label}, {scale.long_unit}",
                scale.change(row.sd_la),
                scale.change(row.sd_shock),
                number(row.autocorrelation, 2),
                f"{count(row.n_treated_clusters)} of {count(row.n_clusters)}",
            )
            for row in rows_of(own.head(1))
        ]
    header = (
        "Outcome", "Between authorities", f"Within one, {results.study.window.period} to {results.study.window.period}",
        "Carry-over to the next", "Pilots of units",
    )  # fmt: skip
    return DataTable(header, tuple(rows))


def _notes(results: Results) -> tuple[str, ...]:
    notes = [
        f"{label}: {row.note}"
        for key, label in results.labels.items()
        for row in rows_of(of_outcome(results.power, key))
        if row.note
    ]
    return tuple(dict.fromkeys(notes))
