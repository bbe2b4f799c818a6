"""Estimates side by side: all outcomes (forest), one pilot left out at a time, and other specifications."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import t as student

from sos_spark.report.house import (
    COMPARATOR,
    INK,
    PILOT,
    QUIET,
    WASH,
    DataTable,
    Picture,
    bare_rows,
    draw,
    room_for_zero,
    zero_line,
)
from sos_spark.report.results import Results, rows_of
from sos_spark.report.specifications import spoken
from sos_spark.report.wording import Scale, listed, p_value


@dataclass(frozen=True)
class _Bar:
    """A row of a forest: an estimate with its interval, in the outcome's own unit; NaN: not known."""

    name: str
    att: float
    low: float
    high: float
    colour: str = PILOT
    planted: float | None = None


def forest_picture(results: Results) -> Picture | None:
    """Draws the main estimate of every outcome with its headline interval, a panel for each unit."""
    main = results.main
    if main.empty or main["att"].isna().all():
        return None
    groups: dict[Scale, list[_Bar]] = {}
    rows = []
    for row in rows_of(main):
        scale, label = results.scales[row.outcome_id], results.labels[row.outcome_id]
        planted = results.planted(row.outcome_id)
        groups.setdefault(scale, []).append(
            _Bar(label, row.att, row.ci_low_wcr, row.ci_high_wcr, planted=planted)
        )  # fmt: skip
        rows.append(
            (
                label,
                scale.long_unit,
                scale.change(row.att),
                scale.interval(row.ci_low_wcr, row.ci_high_wcr),
                *(() if results.truth is None else ("" if planted is None else scale.change(planted),)),
            )
        )

    def paint(figure: Figure) -> None:
        heights = [len(bars) + 1.1 for bars in groups.values()]
        figure.set_layout_engine("constrained", h_pad=0.12)
        panels = figure.subplots(len(groups), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
        for axes, (scale, bars) in zip(panels, groups.items(), strict=True):
            _forest(axes, bars, scale)

    planted_header = () if results.truth is None else ("Planted effect",)
    return draw(
        "forest",
        title="All outcomes side by side",
        caption="Points are main estimates, lines their 95% intervals (restricted wild cluster bootstrap). An interval"
        " that crosses the upright at zero is compatible with no change."
        + (" The open diamond is the effect planted in the simulated data." if results.truth else ""),
        alt="Forest plot. " + " ".join(_bar_in_words(bar, scale) for scale, bars in groups.items() for bar in bars),
        table=DataTable(("Outcome", "Unit", "Estimate", "95% interval", *planted_header), tuple(rows), numeric=2),
        height=0.55 + sum(0.33 * len(bars) + 0.75 for bars in groups.values()),
        paint=paint,
    )


def leave_one_out_picture(results: Results, outcome_id: str) -> Picture | None:
    """Draws the estimate of an outcome without each pilot in turn; None where the run left none."""
    own = _left_out(results, outcome_id, "pilot")
    if own.empty:
        return None
    scale, label = results.scales[outcome_id], results.labels[outcome_id]
    own = own.assign(name=own["left_out"].map(results.name_of)).sort_values(["att", "name"], kind="stable")
    bars = [_Bar(f"without {row.name}", row.att, row.low, row.high, QUIET) for row in rows_of(own)]
    main = results.main.loc[[outcome_id]] if outcome_id in results.main.index else results.main.iloc[:0]
    for row in rows_of(main):
        bars.insert(0, _Bar("All pilots", row.att, row.ci_low_wcr, row.ci_high_wcr))

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        _forest(axes, bars, scale)
        axes.set_title(label)
        if len(main) and math.isfinite(bars[0].low) and math.isfinite(bars[0].high):
            axes.axvspan(bars[0].low * scale.factor, bars[0].high * scale.factor, color=WASH, zorder=0)

    low, high = own["att"].min(), own["att"].max()
    return draw(
        f"leave_one_out_{outcome_id}",
        title=label,
        caption="The first row is the main estimate, its interval (bootstrap) shaded; each other row leaves out one"
        " pilot (CR2 interval).",
        alt=f"Estimates of {label.lower()} without each of {len(own)} pilots in turn: from {scale.change(low)} (without"
        f" {own['name'].iloc[0]}) to {scale.change(high)} {scale.long_unit} (without {own['name'].iloc[-1]}).",
        table=DataTable(
            ("Pilot left out", f"Estimate ({scale.change_unit})", "95% interval (CR2)", "p (CR2)"),
            tuple(
                (row.name, scale.change(row.att), scale.interval(row.low, row.high), p_value(row.p_cr2))
                for row in rows_of(own)
            ),
        ),
        height=0.6 + 0.24 * len(bars),
        paint=paint,
    )


def _left_out(results: Results, outcome_id: str, arm: str) -> pd.DataFrame:
    """The estimates of an outcome without each unit of an arm, with their CR2 intervals as low and high."""
    frame = results.leave_one_out
    if frame.empty:
        return frame
    own = frame[(frame["outcome_id"] == outcome_id) & (frame["arm"] == arm) & frame["att"].notna()]
    half = student.ppf(0.975, own["df"].to_numpy(dtype=float)) * own["se_cr2"]
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


def specification_curve(results: Results, outcome_id: str) -> Picture | None:
    """Draws every specification's estimate of an outcome, in order of size; None where there are fewer than three."""
    frame = results.specifications(outcome_id)
    if len(frame) < 3:
        return None
    scale, label = results.scales[outcome_id], results.labels[outcome_id]
    frame = frame.sort_values(["att", "specification"], kind="stable").reset_index(drop=True)
    bars = [
        _Bar(spoken(row.specification), row.att, row.low, row.high, PILOT if row.specification == "main" else QUIET)
        for row in rows_of(frame)
    ]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        _forest(axes, bars, scale)
        axes.set_title(label)

    return draw(
        f"specification_curve_{outcome_id}",
        title=label,
        caption="Each row is another way of doing the sums, in order of size; the main one is blue.",
        alt=f"Specification curve of {label.lower()}: {len(bars)} estimates, from {scale.change(bars[0].att)} to"
        f" {scale.change(bars[-1].att)} {scale.long_unit}.",
        table=DataTable(
            ("Specification", f"Estimate ({scale.change_unit})", "95% interval", "p"),
            tuple(
                (bar.name, scale.change(bar.att), scale.interval(bar.low, bar.high), p_value(row.p))
                for bar, row in zip(bars, rows_of(frame), strict=True)
            ),
        ),
        height=0.6 + 0.22 * len(bars),
        paint=paint,
    )


def _forest(axes: Axes, bars: Sequence[_Bar], scale: Scale) -> None:
    """Named rows of points and intervals with the numbers at the right. An unknown interval is a hollow point."""
    finite = [v * scale.factor for bar in bars for v in (bar.att, bar.low, bar.high) if math.isfinite(v)]
    finite += [bar.planted * scale.factor for bar in bars if bar.planted is not None]
    low, high = room_for_zero(min(finite, default=-1.0), max(finite, default=1.0))
    bare_rows(axes, [bar.name for bar in bars])
    axes.set_xlim(low, high)
    zero_line(axes, horizontal=False)
    for place, bar in enumerate(bars):
        known = not (math.isnan(bar.low) or math.isnan(bar.high))
        if known:
            ends = np.clip([bar.low * scale.factor, bar.high * scale.factor], low, high)
            axes.hlines(place, *ends, color=bar.colour, linewidth=2.2, zorder=3)
        if not math.isnan(bar.att):
            axes.plot(
                bar.att * scale.factor, place, "o", color=bar.colour, markersize=5.5, zorder=4,
                mfc=bar.colour if known else "white",
            )  # fmt: skip
        if bar.planted is not None:
            axes.plot(
                bar.planted * scale.factor, place, "D", color=COMPARATOR, markersize=6, mfc="none",
                markeredgewidth=1.4, zorder=5,
            )  # fmt: skip
        axes.annotate(
            _numbers(bar, scale), (1.0, place), xycoords=("axes fraction", "data"), xytext=(8, 0),
            textcoords="offset points", va="center", fontsize=8, color=INK, annotation_clip=False,
        )  # fmt: skip
    axes.set_xlabel(scale.axis)


def _numbers(bar: _Bar, scale: Scale) -> str:
    if math.isnan(bar.att):
        return "not estimable"
    interval = scale.interval(bar.low, bar.high)
    flush = scale.change(bar.att).rjust(6, "\u2007")  # figure spaces: as wide as a digit
    return f"{flush}  ({interval})" if interval else flush


def _bar_in_words(bar: _Bar, scale: Scale) -> str:
    if math.isnan(bar.att):
        return f"{bar.name}: not estimable."
    interval = scale.interval(bar.low, bar.high)
    return f"{bar.name}: {scale.change(bar.att)} {scale.long_unit}{f', 95% interval {interval}' if interval else ''}."


def stability(results: Results, outcome_id: str) -> str:
    """Returns one sentence that says whether the sign, and which pilot, decides; blank where the run left none."""
    own, row = _left_out(results, outcome_id, "pilot"), results.main_row(outcome_id)
    main = math.nan if row is None else float(row["att"])
    if own.empty or math.isnan(main):
        return ""
    turned = own[(own["att"] > 0) != (main > 0)]
    if turned.empty:
        return "The sign of the estimate stays the same whichever pilot is left out."
    names = sorted(results.name_of(unit) for unit in turned["left_out"])
    return f"The sign of the estimate changes without {listed(names)}: the result leans on it."
