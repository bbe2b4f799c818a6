"""Pilots that started at different times: whether the answer depends on how their starts are averaged."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from sos_spark.report.blocks import Block, Bullets, Heading, Section, Table, Text, section
from sos_spark.report.figures.style import DataTable
from sos_spark.report.results import Results, of_outcome, rows_of
from sos_spark.report.sections.draw_staggered import bacon_picture, by_estimator_picture
from sos_spark.report.words.numbers import Scale, count, day_in_words, number, p_value
from sos_spark.report.words.specifications import meaning, spoken

_LEVELS = {"group": "Pilots that started {}", "calendar": "The period from {}", "event": "{} periods since go-live"}
_OVERALL = {
    "simple": "All pilots and periods",
    "group": "Groups of pilots, by their rows",
    "calendar": "Periods, each counted once",
    "event": "Times since go-live, each counted once",
}


def staggered_section(results: Results) -> Section | None:
    """Returns the section; None where pilots started together, or the run left nothing of it."""
    if not results.staggered:
        return None
    blocks: list[Block | None] = [
        Text(
            "The pilots did not all start at the same time. A simple average over pilots and periods (two-way fixed"
            " effects) then compares late pilots with early ones that have changed already, and may mislead. The other"
            " estimators avoid that, each in its own way."
        )
    ]
    estimators = list(dict.fromkeys(results.aggregates["estimator"])) if len(results.aggregates) else []
    blocks.append(Bullets(tuple(f"{spoken(str(name))}: {meaning(str(name))}." for name in estimators)))
    blocks += [by_estimator_picture(results, key) for key in results.labels]
    for caption, table, folded in (
        ("Effects over all pilots and periods, with 95% intervals (CR2)", simple_table(results), False),
        ("Effects by when pilots started and by calendar period", aggregates_table(results), True),
        ("Effects of each group of pilots in each period", group_time_table(results), True),
    ):
        blocks.append(Table(caption, table, folded=folded) if table.rows else None)
    blocks.append(Bullets(_not_had(results), quiet=True))
    said = tuple(filter(None, (twfe_in_words(results, key) for key in results.labels)))
    pictures = [picture for key in results.labels if (picture := bacon_picture(results, key)) is not None]
    if said or pictures:
        blocks += [
            Heading("Can the simple average be trusted here?"),
            Bullets(said),
            *pictures,
        ]
    return section("staggered", "Pilots that started at different times", blocks)


def simple_table(results: Results) -> DataTable:
    """Returns the average over all pilots and periods: a row an outcome, a column an estimator."""
    if results.aggregates.empty:
        return DataTable((), ())
    simple = results.aggregates[results.aggregates["aggregate"] == "simple"]
    estimators = list(dict.fromkeys(simple["estimator"]))
    rows = []
    for outcome_id, label in results.labels.items():
        scale = results.scales[outcome_id]
        found = {row.estimator: row for row in rows_of(of_outcome(simple, outcome_id))}
        if found:
            cells = [_effect(found[name], scale) if name in found else "" for name in estimators]
            rows.append((f"{label}, {scale.long_unit}", *cells))
    return DataTable(("Outcome", *(spoken(name) for name in estimators)), tuple(rows))


def _effect(row: Any, scale: Scale) -> str:
    interval = scale.interval(row.ci_low, row.ci_high)
    return "" if math.isnan(row.att) else scale.change(row.att) + (f" ({interval})" if interval else "")


def aggregates_table(results: Results) -> DataTable:
    """Returns all averages but those the figure shows, a row an outcome, estimator, aggregate and level."""
    rows = []
    for outcome_id, label in results.labels.items():
        own, scale = of_outcome(results.aggregates, outcome_id), results.scales[outcome_id]
        shown = own[own["att"].notna() & ~_in_the_figure(own)] if len(own) else own
        rows += [
            (
                label,
                spoken(row.estimator),
                _over(str(row.aggregate), str(row.level)),
                f"{scale.change(row.att)} {scale.change_unit}",
                scale.interval(row.ci_low, row.ci_high),
                p_value(row.p_cr2),
                number(row.df, 1),
                str(row.note or ""),
            )
            for row in rows_of(shown)
        ]
    header = ("Outcome", "Estimator", "Over", "Effect", "95% interval (CR2)", "p (CR2)", "Degrees of freedom", "Note")
    return DataTable(header, tuple(rows), numeric=3, words=1).trimmed()


def _in_the_figure(rows: pd.DataFrame) -> pd.Series[bool]:
    return (rows["aggregate"] == "event") & (rows["level"] != "overall")


def _over(aggregate: str, level: str) -> str:
    """What an average is over."""
    if level in ("", "overall"):
        return _OVERALL.get(aggregate, aggregate)
    return _LEVELS.get(aggregate, f"{aggregate} {{}}").format(day_in_words(level))


def _not_had(results: Results) -> tuple[str, ...]:
    """Why an estimator could not be had, each reason once with its outcomes."""
    reasons: dict[str, list[str]] = {}
    for outcome_id, label in results.labels.items():
        own = of_outcome(results.aggregates, outcome_id)
        for row in rows_of(own[own["att"].isna()] if len(own) else own):
            reasons.setdefault(f"{spoken(row.estimator)} could not be had: {row.note}", []).append(label)
    return tuple(f"{why} ({'; '.join(dict.fromkeys(labels))})" for why, labels in reasons.items())


def group_time_table(results: Results) -> DataTable:
    """Returns the effect of each group of pilots in each period."""
    rows = []
    for outcome_id, label in results.labels.items():
        scale = results.scales[outcome_id]
        rows += [
            (
                label,
                "never started" if row.control == "never" else "not yet started",
                day_in_words(str(row.group_start)),
                day_in_words(str(row.period_start)),
                number(row.event_time, 0),
                f"{scale.change(row.att)} {scale.change_unit}" if not math.isnan(row.att) else "",
                scale.interval(row.ci_low, row.ci_high),
                count(row.n_rows),
            )
            for row in rows_of(of_outcome(results.group_time, outcome_id))
        ]
    header = (
        "Outcome", "Against authorities that", "Pilots that started", "Period from", "Periods since", "Effect",
        "95% interval (CR2)", "Rows",
    )  # fmt: skip
    return DataTable(header, tuple(rows), numeric=4)


def twfe_in_words(results: Results, outcome_id: str) -> str:
    """Returns the two-way fixed effects estimate beside the main one, and what its weights say; blank without it."""
    rows = results.specifications(outcome_id)
    if rows.empty:
        return ""
    found = {row.specification: row for row in rows_of(rows) if row.specification in ("twfe", "main")}
    if len(found) < 2 or any(math.isnan(row.att) for row in found.values()):
        return ""
    scale, twfe, main = results.scales[outcome_id], float(found["twfe"].att), float(found["main"].att)
    agree = "the two agree" if scale.change(twfe) == scale.change(main) else "they point the same way"
    if (twfe > 0) != (main > 0):
        agree = "they point opposite ways, so the main one is to be preferred"
    said = (
        f"{results.labels[outcome_id]}: the simple average gives {scale.change(twfe)}, the main estimate"
        f" {scale.change(main)} {scale.long_unit}: {agree}."
    )
    own = of_outcome(results.goodman_bacon, outcome_id)
    if len(own):
        misleading = float(own.loc[own["comparison"] == "later_vs_earlier", "weight"].sum())
        said += f" {number(100 * misleading, 0)}% of its weight compares late pilots with pilots that had started."
    note = str(found["twfe"].note or "")
    return f"{said} {note[:1].upper() + note[1:].rstrip('.')}." if note else said
