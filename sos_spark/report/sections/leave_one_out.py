"""Estimates without each pilot, and without each comparator, in turn."""

from __future__ import annotations

import math

import pandas as pd

from sos_spark.fit import student
from sos_spark.report.blocks import DataTable, Picture
from sos_spark.report.figures.forest import Bar, Forest, draw_forest
from sos_spark.report.figures.style import QUIET
from sos_spark.report.results import Results, rows_of, with_intervals
from sos_spark.report.words.cut import cut
from sos_spark.report.words.numbers import listed, p_value

READING = (
    "Leaving out a pilot: the first row is the main estimate, its interval (bootstrap) shaded; each other row"
    " leaves out one pilot (CR2 interval). If the answer changes when a single pilot is left out, it is about that"
    " pilot and not about the programme."
)


def in_words(results: Results, outcome_id: str) -> str:
    """Returns what leaving out a pilot, or a comparator, does to an outcome; blank where the run left none."""
    return " ".join(filter(None, (stability(results, outcome_id), comparators_left_out(results, outcome_id))))


def leave_one_out_picture(results: Results, outcome_id: str) -> Picture | None:
    """Draws the estimate of an outcome without each pilot in turn; None where the run left none."""
    own = _left_out(results, outcome_id, "pilot")
    if own.empty:
        return None
    scale, label = results.scales[outcome_id], results.labels[outcome_id]
    own = own.assign(name=own["left_out"].map(results.name_of)).sort_values(["att", "name"], kind="stable")
    own, said = cut(results, own, ("low", "high"))
    bars = [Bar(f"without {row.name}", row.att, row.low, row.high, QUIET) for row in rows_of(own)]
    main = results.main.loc[[outcome_id]] if outcome_id in results.main.index else results.main.iloc[:0]
    for row in rows_of(cut(results, with_intervals(main), ("low", "high"), standing="own")[0]):
        bars.insert(0, Bar("All pilots", row.att, row.low, row.high, main=True))

    first = bars[0]
    band = (first.low, first.high) if first.main and math.isfinite(first.low) and math.isfinite(first.high) else None
    low, high = own["att"].min(), own["att"].max()
    return draw_forest(
        f"leave_one_out_{outcome_id}",
        [Forest(scale, tuple(bars), label, band)],
        title=_title(results, outcome_id),
        caption=f"{in_words(results, outcome_id)}{said}".strip(),
        alt=f"Estimates of {label.lower()} without each of {len(own)} pilots in turn: from {scale.change(low)} (without"
        f" {own['name'].iloc[0]}) to {scale.change(high)} {scale.long_unit} (without {own['name'].iloc[-1]}).",
        table=DataTable(
            ("Pilot left out", f"Estimate ({scale.change_unit})", "95% interval (CR2)", "p (CR2)"),
            tuple(
                (row.name, scale.change(row.att), scale.interval(row.low, row.high), p_value(row.p_cr2))
                for row in rows_of(own)
            ),
        ),
    )


def _title(results: Results, outcome_id: str) -> str:
    names = leans_on(results, outcome_id)
    return (
        f"The direction changes without {listed(names)}" if names else "The direction is the same without any one pilot"
    )


def _left_out(results: Results, outcome_id: str, arm: str) -> pd.DataFrame:
    """The estimates of an outcome without each unit of an arm, with their CR2 intervals as low and high."""
    frame = results.leave_one_out
    if frame.empty:
        return frame
    own = frame[(frame["outcome_id"] == outcome_id) & (frame["arm"] == arm) & frame["att"].notna()]
    half = student.quantile(0.975, own["df"].to_numpy(dtype=float)) * own["se_cr2"]
    return own.assign(low=own["att"] - half, high=own["att"] + half)


def comparators_left_out(results: Results, outcome_id: str) -> str:
    """Returns one sentence on the estimates without each comparator; blank where the run left none."""
    own = _left_out(results, outcome_id, "comparator")
    if own.empty:
        return ""
    scale = results.scales[outcome_id]
    return (
        f"Leaving out any one of {len(own)} comparators keeps the estimate between {scale.change(own['att'].min())} and"
        f" {scale.change(own['att'].max())} {scale.long_unit}."
    )


def leans_on(results: Results, outcome_id: str) -> list[str]:
    """Returns the names of the pilots without which the estimate has another sign; none where the run left none."""
    own, row = _left_out(results, outcome_id, "pilot"), results.main_row(outcome_id)
    main = math.nan if row is None else float(row["att"])
    if own.empty or math.isnan(main):
        return []
    return sorted(results.name_of(unit) for unit in own.loc[(own["att"] > 0) != (main > 0), "left_out"])


def stability(results: Results, outcome_id: str) -> str:
    """Returns one sentence on whether the sign hangs on a pilot, and on which; blank where the run left none."""
    own, row = _left_out(results, outcome_id, "pilot"), results.main_row(outcome_id)
    main = math.nan if row is None else float(row["att"])
    if own.empty or math.isnan(main):
        return ""
    names = leans_on(results, outcome_id)
    if not names:
        return "The sign of the estimate stays the same whichever pilot is left out."
    leant_on = "it" if len(names) == 1 else "them"
    return f"The sign of the estimate changes without {listed(names)}: the result leans on {leant_on}."
