"""Trends by arm: the mean of an outcome by period, pilots against the comparators that the fit chose."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sos_spark.config.periods import label as period_label
from sos_spark.report.blocks import DataTable, Picture, Section, Text, section_of
from sos_spark.report.figures.axes import go_live_line, label_every
from sos_spark.report.figures.style import COMPARATOR, PILOT, draw
from sos_spark.report.results import ARM_NAMES, Results
from sos_spark.report.words.numbers import Scale, count

_LINES: dict[str, Any] = {
    "pilot": {"color": PILOT, "linestyle": "-", "marker": "o", "markersize": 3.6},
    "comparator": {"color": COMPARATOR, "linestyle": (0, (4, 2)), "marker": "s", "markersize": 3.2},
}


def section(results: Results) -> Section | None:
    """Returns the section; None where there is nothing to draw."""
    lead = Text(
        "The study asks whether the pilots left the path of their comparators at go-live; the levels need not be the"
        " same."
    )
    return section_of("trends", "Trends", [lead, *(trends_picture(results, key) for key in results.labels)])


def arm_trends(results: Results, outcome_id: str) -> pd.DataFrame:
    """Returns the n-weighted mean of an outcome by period and arm, pilots and used comparators.

    Grain: one row per period (index) with columns `<arm>_mean`, `<arm>_n` and period_start. Empty where the run left no
    cells or arms of the outcome.
    """
    cells = results.cells
    if cells.empty or results.arms.empty:
        return pd.DataFrame()
    own = cells[cells["outcome_id"] == outcome_id]
    arms = results.arms[results.arms["outcome_id"] == outcome_id]
    own = own.assign(arm=own["unit_id"].map(dict(zip(arms["unit_id"], arms["arm"], strict=True))))
    own = own[own["arm"].isin(_LINES)]
    if own.empty:
        return pd.DataFrame()
    sums = own.groupby(["period", "arm"])[["n", "y_sum"]].sum().unstack("arm")
    wide = pd.DataFrame({"period_start": own.groupby("period")["period_start"].first()})
    for arm in _LINES:
        if arm in sums["n"]:
            wide[f"{arm}_mean"] = sums["y_sum"][arm] / sums["n"][arm]
            wide[f"{arm}_n"] = sums["n"][arm].fillna(0)
    return wide


def go_live_periods(results: Results, outcome_id: str) -> list[float]:
    """Returns the first treated periods of an outcome's pilots, each once, in order."""
    if results.arms.empty:
        return []
    own = results.arms[(results.arms["outcome_id"] == outcome_id) & (results.arms["arm"] == "pilot")]
    return sorted(set(own["gtime"].dropna()))


def trends_picture(results: Results, outcome_id: str) -> Picture | None:
    """Draws the trends of an outcome; None where there is nothing to draw."""
    trends = arm_trends(results, outcome_id)
    if trends.empty:
        return None
    scale, name = results.scales[outcome_id], results.labels[outcome_id]
    starts = go_live_periods(results, outcome_id)
    names = _period_names(results, trends)
    arms = [arm for arm in _LINES if f"{arm}_mean" in trends]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for arm in arms:
            means = trends[f"{arm}_mean"] * scale.factor
            axes.plot(trends.index, means, clip_on=False, **_LINES[arm])
        _label_ends(axes, {arm: trends[f"{arm}_mean"].dropna() * scale.factor for arm in arms})
        for place, start in enumerate(starts):
            first = "Go-live" if len(starts) == 1 else f"Go-live, first of {len(starts)}"
            go_live_line(axes, start - 0.5, label="" if place else first)
        every = label_every(len(names), results.study.window.period)
        axes.set_xticks(list(trends.index[::every]), names[::every])
        axes.set_title(name)
        axes.set_ylabel("Per cent" if scale.level_unit == "%" else scale.level_unit.capitalize())
        axes.grid(axis="y")
        axes.margins(x=0.02, y=0.18)

    header = ["Period"]
    for arm in arms:
        header += [f"{ARM_NAMES[arm]}: mean", f"{ARM_NAMES[arm]}: number"]
    rows = []
    for position, (_, row) in enumerate(trends.iterrows()):
        cells = [names[position]]
        for arm in arms:
            cells += [scale.level(row[f"{arm}_mean"]) if row[f"{arm}_n"] else "", count(row[f"{arm}_n"])]
        rows.append(tuple(cells))
    return draw(
        f"trends_{outcome_id}",
        title=name,
        caption="Every index row counts once. The upright dashed line marks go-live.",
        alt=_in_words(trends, arms, scale, name, names, starts),
        table=DataTable(tuple(header), tuple(rows)),
        height=2.7,
        paint=paint,
    )


def _period_names(results: Results, trends: pd.DataFrame) -> list[str]:
    days = pd.to_datetime(trends["period_start"])
    return [period_label(day.date(), results.study.window.period) for day in days]


def _label_ends(axes: Axes, lines: dict[str, pd.Series[float]]) -> None:
    """Names each line at its right end; ends that lie close are moved apart."""
    ends = sorted((series.iloc[-1], series.index[-1], arm) for arm, series in lines.items() if len(series))
    spread = max(float(s.max()) for s in lines.values()) - min(float(s.min()) for s in lines.values()) or 1.0
    if len(ends) == 2 and ends[1][0] - ends[0][0] < 0.11 * spread:
        middle = (ends[0][0] + ends[1][0]) / 2
        heights = [middle - 0.07 * spread, middle + 0.07 * spread]
    else:
        heights = [end[0] for end in ends]
    for height, (_, at, arm) in zip(heights, ends, strict=True):
        axes.annotate(
            ARM_NAMES[arm], (at, height), xytext=(8, 0), textcoords="offset points", va="center",
            color=_LINES[arm]["color"], fontweight="bold", annotation_clip=False,
        )  # fmt: skip


def _in_words(
    trends: pd.DataFrame, arms: list[str], scale: Scale, name: str, names: list[str], starts: list[float]
) -> str:
    parts = [f"Line chart of {name.lower()} from {names[0]} to {names[-1]}."]
    for arm in arms:
        means = trends[f"{arm}_mean"].dropna()
        parts.append(
            f"{ARM_NAMES[arm]} start at {scale.level(means.iloc[0])} and end at {scale.level(means.iloc[-1])}."
        )
    if starts and starts[0] in trends.index:
        parts.append(f"Go-live is in {names[list(trends.index).index(starts[0])]}.")
    return " ".join(parts)
