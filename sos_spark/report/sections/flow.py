"""Sample flow: received -> valid -> index rows -> eligible -> analysed, by arm, with the reasons at each step.

Received and valid count records of the return an outcome is read from; the later stages count its index rows. Records
of a file that holds several authorities cannot be told apart by arm: they stand under the arm 'several'.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from sos_spark.config.outcomes import Outcome
from sos_spark.outcome.reasons import ANALYSED, is_eligibility
from sos_spark.report.blocks import Boxes, BoxLine, DataTable, Picture, Section, Text, section_of
from sos_spark.report.figures.style import ARM_COLOURS, FAINT, INK, QUIET, WASH, draw
from sos_spark.report.results import ARM_NAMES, Results, rows_of
from sos_spark.report.words.numbers import count
from sos_spark.report.words.reasons import reason_in_words
from sos_spark.tables.results import FLOW

SEVERAL = "several"
"""The arm of records in files that hold more than one authority."""
STAGES = ("received", "valid", "index_rows", "eligible", "analysed")
STAGE_NAMES = {
    "received": "Received",
    "valid": "Valid",
    "index_rows": "Index rows",
    "eligible": "Eligible",
    "analysed": "Analysed",
}
_SHOWN = ("pilot", "comparator")
_TONES = {"pilot": "pilot", "comparator": "comparator", SEVERAL: "quiet"}
_GAP, _BOX, _NAMES = 0.42, 0.78, 0.82
_ROW = 1.05
"""In units of the figure: boxes and the gaps between them, the column of arm names, a row of boxes."""

StageCounts = dict[str, dict[str, int]]
"""Rows by stage and arm; a stage or an arm that was not counted is absent."""
_RECORD_LOSSES = {
    "n_quarantined": "quarantined",
    "n_superseded_by_later_return": "superseded_by_later_return",
    "n_same_day_duplicates": "same_day_duplicate",
}


def section(results: Results) -> Section | None:
    """Returns the section; it is always there."""
    picture = flow_picture(results, flow_table(results))
    return section_of("flow", "Sample flow", [picture or Text("The run left no counts of its sample.")], always=True)


def flow_table(results: Results) -> pd.DataFrame:
    """Returns the sample flow of every outcome.

    Grain: one row per outcome, stage, arm and reason; the columns of flow.csv. A stage's total has a blank reason; its
    losses follow it, each under stage 'lost_<next stage>'. Stages that the run left no counts of are absent.
    """
    rows = [row for outcome in results.study.outcomes for row in _of_outcome(results, outcome)]
    return pd.DataFrame(rows, columns=list(FLOW.column_names)).astype({"n_rows": "int64"})


def _of_outcome(results: Results, outcome: Outcome) -> Iterator[tuple[object, ...]]:
    arms = results.arm_of(outcome.outcome_id)
    if outcome.entity is not None:
        for stage, arm, reason, n in _records(results, outcome.entity, arms):
            yield outcome.outcome_id, stage, arm, outcome.entity, reason, n
    for stage, arm, reason, n in _index_rows(results, outcome.outcome_id, arms):
        yield outcome.outcome_id, stage, arm, "index_rows", reason, n


def _records(results: Results, entity: str, arms: dict[str, str]) -> Iterator[tuple[str, str, str, int]]:
    ledger = results.lake.ledger
    if ledger.empty:
        return
    own = ledger[ledger["entity"] == entity]
    own = own.assign(arm=own["file_id"].map(_arm_of_file(results, arms)).fillna(SEVERAL))
    sums = own.groupby("arm")[["n_received", "n_silver", *_RECORD_LOSSES]].sum()
    for arm, line in sums.iterrows():
        yield "received", str(arm), "", int(line["n_received"])
        for column, reason in _RECORD_LOSSES.items():
            if line[column]:
                yield "lost_valid", str(arm), reason, int(line[column])
        yield "valid", str(arm), "", int(line["n_silver"])


def _arm_of_file(results: Results, arms: dict[str, str]) -> dict[int, str]:
    """The arm of each file that holds one authority only."""
    files = results.lake.files
    if files.empty:
        return {}
    codes = files[["file_id", "la_code"]].dropna().drop_duplicates().drop_duplicates("file_id", keep=False)
    unit_of = results.unit_of
    return {
        file_id: arms.get(unit_of.get(code, code), "unused")
        for file_id, code in zip(codes["file_id"], codes["la_code"], strict=True)
    }


def _index_rows(results: Results, outcome_id: str, arms: dict[str, str]) -> Iterator[tuple[str, str, str, int]]:
    flow = results.lake.flow
    own = flow[flow["outcome_id"] == outcome_id] if not flow.empty else flow
    if own.empty:
        yield from _analysed_only(results, outcome_id, arms)
        return
    own = own.assign(arm=own["unit_id"].map(arms).fillna("unused"))
    for arm, part in own.groupby("arm"):
        by_reason = part.groupby("reason")["n_rows"].sum()
        analysed = int(by_reason.get(ANALYSED, 0))
        losses = by_reason.drop(ANALYSED, errors="ignore")
        out = {str(reason): int(n) for reason, n in losses.items() if is_eligibility(str(reason)) and n}
        unknown = {str(reason): int(n) for reason, n in losses.items() if not is_eligibility(str(reason)) and n}
        eligible = analysed + sum(unknown.values())
        yield "index_rows", str(arm), "", eligible + sum(out.values())
        yield from (("lost_eligible", str(arm), reason, n) for reason, n in out.items())
        yield "eligible", str(arm), "", eligible
        yield from (("lost_analysed", str(arm), reason, n) for reason, n in unknown.items())
        yield "analysed", str(arm), "", analysed


def _analysed_only(results: Results, outcome_id: str, arms: dict[str, str]) -> Iterator[tuple[str, str, str, int]]:
    """Without a lake the cells say how many rows were analysed, and no more."""
    cells = results.cells
    if cells.empty:
        return
    own = cells[cells["outcome_id"] == outcome_id]
    own = own.assign(arm=own["unit_id"].map(arms).fillna("unused"))
    for arm, n in own.groupby("arm")["n"].sum().items():
        yield "analysed", str(arm), "", int(n)


def flow_picture(results: Results, flow: pd.DataFrame) -> Picture | None:
    """Draws the flow of every outcome that has counts; None where there are none."""
    totals = {key: counts for key in results.labels if (counts := stage_counts(flow, key))}
    if not totals:
        return None
    lines = [(results.labels[key], counts) for key, counts in totals.items()]
    stages = [stage for stage in STAGES if any(stage in counts for counts in totals.values())]

    return draw(
        "sample_flow",
        title="Sample flow",
        caption="Received and valid are records of the return; from then on index rows of the outcome. Between boxes:"
        " the share of pilots' and comparators' rows lost on the way. The table gives every reason.",
        alt="Sample flow. " + " ".join(_in_words(results.labels[key], counts) for key, counts in totals.items()),
        table=_table(results, flow),
        height=0.2 + 0.82 * len(totals),
        paint=partial(_paint, lines=lines, stages=stages),
        form=Boxes(
            tuple(STAGE_NAMES[stage] for stage in stages),
            tuple(_box_line(results.labels[key], counts, stages) for key, counts in totals.items()),
        ),
    )


def _paint(figure: Figure, lines: Sequence[tuple[str, StageCounts]], stages: list[str]) -> None:
    axes = figure.subplots()
    for place, (label, counts) in enumerate(lines):
        _row(axes, place * _ROW, label, counts, stages)
    axes.set_xlim(-0.02, _NAMES + len(stages) * (_BOX + _GAP) - _GAP + 0.02)
    axes.set_ylim(len(lines) * _ROW - 0.1, -0.14)
    axes.set_axis_off()


def stage_counts(flow: pd.DataFrame, outcome_id: str) -> StageCounts:
    """Returns the totals of an outcome's stages that pilots, comparators or files of several authorities have."""
    counts: StageCounts = {}
    own = flow[(flow["outcome_id"] == outcome_id) & flow["stage"].isin(STAGES)]
    for row in rows_of(own[own["arm"].isin((*_SHOWN, SEVERAL))]):
        counts.setdefault(row.stage, {})[row.arm] = row.n_rows
    return counts


def _box_line(label: str, counts: StageCounts, stages: list[str]) -> BoxLine:
    arms = [arm for arm in (*_SHOWN, SEVERAL) if any(arm in by_arm for by_arm in counts.values())]
    boxes, before = [], dict[str, int]()
    for stage in stages:
        now = counts.get(stage, {})
        # From records to index rows the unit changes, so nothing is said to be lost there.
        losses = {} if stage == "index_rows" else before
        boxes.append(tuple((count(now[arm]) if arm in now else "-", _loss(losses, now, arm)) for arm in arms))
        before = now
    names = tuple(("Not told apart" if arm == SEVERAL else ARM_NAMES[arm], _TONES[arm]) for arm in arms)
    return BoxLine(label, names, tuple(boxes))


def _loss(before: dict[str, int], now: dict[str, int], arm: str) -> str:
    """The share of an arm's rows lost since the box before; blank where it is not known, or means nothing."""
    if arm not in _SHOWN or not before.get(arm) or arm not in now:
        return ""
    share = 100 * (before[arm] - now[arm]) / before[arm]
    return f"-{share:.1f}%" if share else "0%"


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
        if loss := _loss(before, now, arm):
            axes.text(
                left - _GAP / 2, _line(top, place, n_lines), loss, fontsize=7,
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
