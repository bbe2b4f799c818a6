"""Trends by arm: the mean of an outcome by period, pilots against the comparators that the fit chose."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from sos_spark.config.periods import label as period_label
from sos_spark.report.blocks import DataTable, Picture
from sos_spark.report.figures.axes import label_every, level_label
from sos_spark.report.figures.paint import draw_plots
from sos_spark.report.figures.plot import Curve, Plot, Shape, Upright, named_axis, value_axis
from sos_spark.report.results import ARM_NAMES, Results
from sos_spark.report.sections.beside_neighbours import views
from sos_spark.report.words.numbers import Scale, count
from sos_spark.report.words.possible import possible_of

_LINES: dict[str, tuple[str, Shape, bool]] = {
    "pilot": ("pilot", "round", False),
    "comparator": ("comparator", "square", True),
}
"""How an arm is drawn: tone, shape of its points, whether its line is dashed."""


READING = (
    "Over time: the mean of each arm, every record counting once. The study asks whether the pilots left the path"
    " of their comparators at go-live, the upright dashed line; the levels need not be the same."
)


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

    axis = value_axis(
        (v * scale.factor for arm in arms for v in trends[f"{arm}_mean"].dropna()), level_label(scale), zero=False,
        margin=0.18, least=0.0, most=possible_of(results.study.outcome(outcome_id)).most * scale.factor,
    )  # fmt: skip
    every = label_every(len(names), results.study.window.period)
    plot = Plot(
        name,
        named_axis(names, [float(at) for at in trends.index], every),
        axis,
        (*go_live_marks(starts), *(_curve(trends, arm, names, scale) for arm in arms)),
    )

    header = ["Period"]
    for arm in arms:
        header += [f"{ARM_NAMES[arm]}: mean", f"{ARM_NAMES[arm]}: number"]
    rows = []
    for position, (_, row) in enumerate(trends.iterrows()):
        cells = [names[position]]
        for arm in arms:
            cells += [scale.level(row[f"{arm}_mean"]) if row[f"{arm}_n"] else "", count(row[f"{arm}_n"])]
        rows.append(tuple(cells))
    picture = draw_plots(
        f"trends_{outcome_id}",
        [plot],
        title=_title(trends, arms, scale),
        caption="",
        alt=_in_words(trends, arms, scale, name, names, starts),
        table=DataTable(tuple(header), tuple(rows)),
        height=2.4,
    )
    return replace(picture, first="All pilots", views=views(results, outcome_id))


def _period_names(results: Results, trends: pd.DataFrame) -> list[str]:
    days = pd.to_datetime(trends["period_start"])
    return [period_label(day.date(), results.study.window.period) for day in days]


def _title(trends: pd.DataFrame, arms: list[str], scale: Scale) -> str:
    """From where to where each arm's mean went."""
    said = []
    for arm in arms:
        means = trends[f"{arm}_mean"].dropna()
        first = scale.level(means.iloc[0]).removesuffix(f" {scale.level_unit}")
        said.append(f"{ARM_NAMES[arm].lower()} from {first} to {scale.level(means.iloc[-1])}")
    return f"Over time: {', '.join(said)}"


def _curve(trends: pd.DataFrame, arm: str, names: list[str], scale: Scale) -> Curve:
    means = [float(mean) for mean in trends[f"{arm}_mean"]]
    tone, shape, dashed = _LINES[arm]
    says = tuple(
        "" if math.isnan(mean) else f"{ARM_NAMES[arm]}, {name}: {scale.level(mean)}"
        for name, mean in zip(names, means, strict=True)
    )
    ys = tuple(mean * scale.factor for mean in means)
    return Curve(tuple(float(at) for at in trends.index), ys, tone, shape, dashed, ARM_NAMES[arm], says)


def go_live_marks(starts: list[float]) -> tuple[Upright, ...]:
    """Returns the marks of where treated periods begin, the first with its name."""
    first = "Go-live" if len(starts) == 1 else f"Go-live, first of {len(starts)}"
    return tuple(Upright(start - 0.5, "" if place else first) for place, start in enumerate(starts))


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
