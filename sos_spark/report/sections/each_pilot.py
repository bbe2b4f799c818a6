"""The effect in each pilot, what the pilots have in common, and what another authority may expect."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from sos_spark.report.blocks import DataTable, Picture
from sos_spark.report.figures.forest import Bar, Forest, draw_forest
from sos_spark.report.figures.style import INK, QUIET
from sos_spark.report.results import Results, of_outcome, rows_of
from sos_spark.report.words.cut import cut
from sos_spark.report.words.natural import change
from sos_spark.report.words.numbers import Scale, number, p_value

READING = (
    "Pilot by pilot: each pilot's change against the comparators alone. Its interval is wide, for one authority's"
    " ups and downs cannot be told from an effect: it shows how far comparators are off when they are taken for pilots,"
    " each measured by its own ups and downs from period to period, so that it allows for a pilot that is more unsteady"
    " than they are. Above stand the pilots' mean and the range in which the effect in another such authority would"
    " lie."
)


def pilots_picture(results: Results, outcome_id: str) -> Picture | None:
    """Draws an outcome's pilots, their mean and what a next one may expect; None where the run left none."""
    own = of_outcome(results.pilots, outcome_id)
    if own.empty or own["att"].isna().all():
        return None
    scale, label = results.scales[outcome_id], results.labels[outcome_id]
    own = own.assign(name=own["unit_id"].map(results.name_of)).sort_values(["att", "name"], kind="stable")
    own, said = cut(results, own, ("ci_low", "ci_high"))
    bars = [Bar(str(row.name), row.att, row.ci_low, row.ci_high, QUIET) for row in rows_of(own)]
    pooled = of_outcome(results.pilots_pooled, outcome_id)
    ends = ("ci_low", "ci_high"), ("prediction_low", "prediction_high")
    for row in rows_of(cut(results, pooled, *ends)[0]):
        if not math.isnan(row.mean):
            bars.insert(0, Bar("Another pilot may expect", math.nan, row.prediction_low, row.prediction_high, INK))
            bars.insert(0, Bar("Mean of the pilots", row.mean, row.ci_low, row.ci_high, main=True))

    return draw_forest(
        f"each_pilot_{outcome_id}",
        [Forest(scale, tuple(bars), label)],
        title=f"Pilot by pilot: {_end(own.iloc[0], scale)} to {_end(own.iloc[-1], scale)}",
        caption=f"{in_words(results, outcome_id)}{said}".strip(),
        alt=f"Effects on {label.lower()} in each of {len(own)} pilots: from {scale.change(own['att'].min())}"
        f" ({own['name'].iloc[0]}) to {scale.change(own['att'].max())} {scale.long_unit} ({own['name'].iloc[-1]}).",
        table=DataTable(
            (
                "Pilot",
                f"Estimate ({scale.change_unit})",
                "95% interval",
                "p",
                f"Drawn to the mean ({scale.change_unit})",
            ),
            tuple(
                (
                    str(row.name),
                    scale.change(row.att),
                    scale.interval(row.ci_low, row.ci_high),
                    p_value(row.p_placebo),
                    "" if math.isnan(row.shrunken) else scale.change(row.shrunken),
                )
                for row in rows_of(own)
            ),
        ),
    )


def _end(row: pd.Series[Any], scale: Scale) -> str:
    """An end of the range of pilots: '12 fewer in 100 (Norfolk)'."""
    return f"{change(scale, float(row['att']))} ({row['name']})"


def in_words(results: Results, outcome_id: str) -> str:
    """Returns what an outcome's pilots have in common and how they differ; blank where the run left nothing of it."""
    pooled = of_outcome(results.pilots_pooled, outcome_id)
    if pooled.empty:
        return ""
    row, scale = next(iter(rows_of(pooled))), results.scales[outcome_id]
    if math.isnan(row.mean):
        return f"{row.note}." if isinstance(row.note, str) and row.note else ""
    said = [
        f"The pilots' mean is {scale.change(row.mean)} {scale.long_unit} (95% interval"
        f" {scale.interval(row.ci_low, row.ci_high)}).",
        _differences(row.sd_between, row.sd_low, row.sd_high, scale),
    ]
    if not math.isnan(row.prediction_low):
        said.append(
            f"Another authority like these could expect {scale.interval(row.prediction_low, row.prediction_high)}"
            f" {scale.long_unit}."
        )
    return " ".join(said)


def _differences(sd: float, low: float, high: float, scale: Scale) -> str:
    unit = scale.long_unit
    if low > 0:
        return (
            f"Pilots do not all have the same effect: true effects differ by a standard deviation of"
            f" {scale.change(sd)} {unit} (95% interval {scale.interval(low, high)})."
        )
    return (
        "That they all have the same effect is not ruled out; true effects could differ by a standard deviation of up"
        f" to {number(high * scale.factor, scale.change_decimals)} {unit}."
    )
