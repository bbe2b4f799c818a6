"""The specification curve: every way of estimating an outcome, in order of size."""

from __future__ import annotations

from matplotlib.figure import Figure

from sos_spark.report.figures.forest import Bar, paint_forest
from sos_spark.report.figures.style import PILOT, QUIET, WASH, DataTable, Picture, draw
from sos_spark.report.results import Results, rows_of
from sos_spark.report.words.declared import Declared, legend, starred
from sos_spark.report.words.numbers import p_value
from sos_spark.report.words.specifications import spoken


def specification_curve(results: Results, outcome_id: str) -> Picture | None:
    """Draws every specification's estimate of an outcome, placebos apart; None where there are fewer than three."""
    frame = results.specifications(outcome_id)
    frame = frame[frame["att"].notna()] if len(frame) else frame
    if len(frame) < 3:
        return None
    scale, label = results.scales[outcome_id], results.labels[outcome_id]
    frame = frame.sort_values(["att", "specification"], kind="stable").reset_index(drop=True)
    plan = Declared(results.frozen, results.study)
    marks = [plan.specification(outcome_id, str(name)) for name in frame["specification"]]
    bars = [
        Bar(
            starred(spoken(row.specification), mark),
            row.att,
            row.low,
            row.high,
            PILOT if row.specification == "main" else QUIET,
        )
        for row, mark in zip(rows_of(frame), marks, strict=True)
    ]
    main = frame.index[frame["specification"] == "main"]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        paint_forest(axes, bars, scale)
        axes.set_title(label)
        for place in main:
            axes.axhspan(place - 0.45, place + 0.45, color=WASH, zorder=0)
            axes.get_yticklabels()[place].set(color=PILOT, fontweight="bold")

    methods = " Where the bootstrap gave no interval it is that of CR2." if (frame["by"] == "CR2").any() else ""
    methods += " A hollow point has none." if (frame["by"] == "").any() else ""
    first, last = bars[0], bars[-1]
    return draw(
        f"specification_curve_{outcome_id}",
        title=label,
        caption="Each row is another way of doing the sums, in order of size; the main one is blue on a grey band."
        f" Lines are 95% intervals (bootstrap).{methods}{legend(marks)}",
        alt=f"Specification curve of {label.lower()}: {len(bars)} estimates, from {scale.change(first.att)}"
        f" ({first.name}) to {scale.change(last.att)} {scale.long_unit} ({last.name})."
        + "".join(f" The main one is number {place + 1} in order of size." for place in main),
        table=DataTable(
            ("Specification", f"Estimate ({scale.change_unit})", "95% interval", "Interval by", "p",
             *(("Plan",) if plan.marks else ())),
            tuple(
                (
                    spoken(row.specification),
                    scale.change(row.att),
                    scale.interval(row.low, row.high),
                    row.by,
                    p_value(row.p),
                    *((mark or "declared",) if plan.marks else ()),
                )
                for row, mark in zip(rows_of(frame), marks, strict=True)
            ),
            words=int(plan.marks),
        ),
        height=0.6 + 0.22 * len(bars),
        paint=paint,
    )  # fmt: skip
