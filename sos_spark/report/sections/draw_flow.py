"""The sample-flow figure: a row of boxes an outcome, with what was lost between two of them."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from sos_spark.report.figures.style import ARM_COLOURS, FAINT, INK, QUIET, WASH, DataTable, Picture, draw
from sos_spark.report.results import ARM_NAMES, Results, rows_of
from sos_spark.report.sections.flow import SEVERAL, STAGE_NAMES, STAGES, reason_in_words
from sos_spark.report.words.numbers import count

_SHOWN = ("pilot", "comparator")
_GAP, _BOX, _NAMES = 0.42, 0.78, 0.82
_ROW = 1.05
"""In units of the figure: boxes and the gaps between them, the column of arm names, a row of boxes."""

StageCounts = dict[str, dict[str, int]]
"""Rows by stage and arm; a stage or an arm that was not counted is absent."""


def flow_picture(results: Results, flow: pd.DataFrame) -> Picture | None:
    """Draws the flow of every outcome that has counts; None where there are none."""
    totals = {key: counts for key in results.labels if (counts := stage_counts(flow, key))}
    if not totals:
        return None
    stages = [stage for stage in STAGES if any(stage in counts for counts in totals.values())]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for place, (outcome_id, counts) in enumerate(totals.items()):
            _row(axes, place * _ROW, results.labels[outcome_id], counts, stages)
        axes.set_xlim(-0.02, _NAMES + len(stages) * (_BOX + _GAP) - _GAP + 0.02)
        axes.set_ylim(len(totals) * _ROW - 0.1, -0.14)
        axes.set_axis_off()

    return draw(
        "sample_flow",
        title="Sample flow",
        caption="Received and valid are records of the return; from then on index rows of the outcome. Between boxes:"
        " the share of pilots' and comparators' rows lost on the way. The table gives every reason.",
        alt="Sample flow. " + " ".join(_in_words(results.labels[key], counts) for key, counts in totals.items()),
        table=_table(results, flow),
        height=0.2 + 0.82 * len(totals),
        paint=paint,
    )


def stage_counts(flow: pd.DataFrame, outcome_id: str) -> StageCounts:
    """Returns the totals of an outcome's stages that pilots, comparators or files of several authorities have."""
    counts: StageCounts = {}
    own = flow[(flow["outcome_id"] == outcome_id) & flow["stage"].isin(STAGES)]
    for row in rows_of(own[own["arm"].isin((*_SHOWN, SEVERAL))]):
        counts.setdefault(row.stage, {})[row.arm] = row.n_rows
    return counts


def _row(axes: Axes, top: float, label: str, counts: StageCounts, stages: list[str]) -> None:
    axes.text(0, top, label, fontweight="bold", fontsize=8.5, va="bottom", color=INK)
    arms = [arm for arm in (*_SHOWN, SEVERAL) if any(arm in by_arm for by_arm in counts.values())]
    for place, arm in enumerate(arms):
        said = "Not told apart" if arm == SEVERAL else ARM_NAMES[arm]
        axes.text(0, _line(top, place, len(arms)), said, fontsize=8, va="center", color=ARM_COLOURS.get(arm, QUIET))
    before: dict[str, int] = {}
    for column, stage in enumerate(stages):
        left, now = _NAMES + column * (_BOX + _GAP), counts.get(stage, {})
        _box(axes, left, top, STAGE_NAMES[stage], arms, now)
        if column:
            # From records to index rows the unit changes, so nothing is said to be lost there.
            _arrow(axes, left, top, {} if stage == "index_rows" else before, now, len(arms))
        before = now


def _line(top: float, place: int, n_lines: int) -> float:
    """The height of an arm's line among those of a box."""
    return top + 0.29 + 0.46 * (place + 0.5) / n_lines


def _box(axes: Axes, left: float, top: float, name: str, arms: list[str], now: dict[str, int]) -> None:
    shape = "round,pad=0,rounding_size=0.04"
    axes.add_patch(FancyBboxPatch((left, top + 0.06), _BOX, 0.74, boxstyle=shape, fc=WASH, ec=FAINT, linewidth=0.8))
    axes.text(left + _BOX / 2, top + 0.19, name, fontsize=7.5, color=QUIET, ha="center", va="center")
    for place, arm in enumerate(arms):
        axes.text(
            left + _BOX / 2, _line(top, place, len(arms)), count(now[arm]) if arm in now else "-", fontsize=8,
            ha="center", va="center", color=ARM_COLOURS.get(arm, QUIET),
        )  # fmt: skip


def _arrow(axes: Axes, left: float, top: float, before: dict[str, int], now: dict[str, int], n_lines: int) -> None:
    axes.annotate(
        "", (left - 0.04, top + 0.19), xytext=(left - _GAP + 0.04, top + 0.19),
        arrowprops={"arrowstyle": "-|>", "color": QUIET, "linewidth": 0.8, "mutation_scale": 7},
    )  # fmt: skip
    for place, arm in enumerate(_SHOWN):
        if before.get(arm) and arm in now:
            share = 100 * (before[arm] - now[arm]) / before[arm]
            axes.text(
                left - _GAP / 2, _line(top, place, n_lines), f"-{share:.1f}%" if share else "0%", fontsize=7,
                ha="center", va="center", color=ARM_COLOURS[arm],
            )  # fmt: skip


def _in_words(label: str, counts: StageCounts) -> str:
    words = {"pilot": "in pilots", "comparator": "in comparators", SEVERAL: "not told apart by arm"}
    parts = []
    for stage in (name for name in STAGES if name in counts):
        said = " and ".join(f"{count(counts[stage][arm])} {words[arm]}" for arm in words if arm in counts[stage])
        parts.append(f"{STAGE_NAMES[stage].lower()} {said}")
    return f"{label}: {', '.join(parts)}."


def _table(results: Results, flow: pd.DataFrame) -> DataTable:
    """Every total and every reason, an arm a column, in the order of the flow."""
    arms = [arm for arm in ("pilot", "comparator", "unused", SEVERAL) if (flow["arm"] == arm).any()]
    lines: dict[tuple[str, str, str], dict[str, int]] = {}
    for row in rows_of(flow):
        lines.setdefault((row.outcome_id, row.stage, row.reason), {})[row.arm] = row.n_rows
    order = {name: place for place, stage in enumerate(STAGES) for name in (f"lost_{stage}", stage)}
    outcomes = {key: place for place, key in enumerate(results.labels)}
    rows = []
    for key in sorted(lines, key=lambda k: (outcomes[k[0]], order[k[1]], k[2] == "", k[2])):
        outcome_id, stage, reason = key
        said = f"less: {reason_in_words(reason)}" if reason else STAGE_NAMES[stage]
        counts = [count(lines[key][arm]) if arm in lines[key] else "" for arm in arms]
        rows.append((results.labels[outcome_id], said, *counts))
    names = {**ARM_NAMES, SEVERAL: "Not told apart"}
    return DataTable(("Outcome", "Stage", *(names[arm] for arm in arms)), tuple(rows), numeric=2)
