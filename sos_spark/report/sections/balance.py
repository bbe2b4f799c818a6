"""Whether pilots and comparators were alike before go-live."""

from __future__ import annotations

from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from sos_spark.report.blocks import DataTable, Picture, Section, section_of
from sos_spark.report.figures.axes import bare_rows, zero_line
from sos_spark.report.figures.places import RowMarks, RowPanel, Tick, axis_of
from sos_spark.report.figures.style import COMPARATOR, PILOT, QUIET, draw
from sos_spark.report.results import Results, rows_of
from sos_spark.report.words.numbers import number

ALIKE = 0.1
"""Standardised differences up to it are drawn as alike."""


def section(results: Results) -> Section | None:
    """Returns the section; None where the run left no balance."""
    return section_of("balance", "Were the two groups alike before?", [balance_picture(results)])


def balance_picture(results: Results) -> Picture | None:
    """Draws standardised mean differences to all candidates and to the comparators used; None without any."""
    balance = results.balance
    if balance.empty:
        return None
    rows = balance.reset_index(drop=True)
    names = [
        f"{results.labels.get(str(row.outcome_id), str(row.outcome_id))}: {str(row.variable).replace('_', ' ')}"
        for row in rows_of(rows)
    ]

    worst = float(rows["smd_after"].abs().max())
    return draw(
        "balance",
        title="Balance of pilots and comparators",
        caption="How far the pilots stood from others before go-live. Squares: from all candidates; circles: from the"
        f" comparators used. Shaded, or dashed: {ALIKE} either side.",
        alt=f"Love plot of {len(rows)} features: the largest standardised mean difference is"
        f" {number(float(rows['smd_before'].abs().max()), 2)} to all candidates and"
        f" {number(worst, 2)} to the comparators used.",
        table=DataTable(
            ("Feature", "To all candidates", "To comparators used"),
            tuple(
                (said, number(float(row.smd_before), 2), number(float(row.smd_after), 2))
                for said, row in zip(names, rows_of(rows), strict=True)
            ),
        ),
        height=0.8 + 0.26 * len(rows),
        paint=partial(_paint, rows=rows, names=names),
        form=(_panel(names, rows),),
    )


def _panel(names: list[str], rows: pd.DataFrame) -> RowPanel:
    axis = axis_of((float(v) for v in [*rows["smd_before"], *rows["smd_after"], -ALIKE, ALIKE]), margin=0.12)
    marks = tuple(
        RowMarks(
            name=name,
            value=number(float(row.smd_after), 2),
            interval=f"{number(float(row.smd_before), 2)} from all",
            tone="pilot",
            at=axis.at(float(row.smd_after)),
            line=None,
            other=axis.at(float(row.smd_before)),
        )
        for name, row in zip(names, rows_of(rows), strict=True)
    )
    ticks = tuple(
        Tick(axis.at(value), words)
        for value, words in ((-ALIKE, f"{ALIKE} lower"), (0.0, "alike"), (ALIKE, f"{ALIKE} higher"))
        if value == 0.0 or axis.at(ALIKE) - axis.at(0.0) > 22
    )
    return RowPanel("", "Standard deviations", marks, axis.at(0.0), ticks, axis.line(-ALIKE, ALIKE), "from comparators")


def _paint(figure: Figure, rows: pd.DataFrame, names: list[str]) -> None:
    axes = figure.subplots()
    bare_rows(axes, names)
    zero_line(axes, horizontal=False)
    for edge in (-ALIKE, ALIKE):
        axes.axvline(edge, color=QUIET, linewidth=0.8, linestyle=(0, (3, 3)))
    axes.plot(rows["smd_before"], rows.index, "s", color=COMPARATOR, mfc="white", markersize=5, label="all candidates")
    axes.plot(rows["smd_after"], rows.index, "o", color=PILOT, markersize=5.5, label="comparators used")
    axes.set_xlabel("Standardised mean difference, pilots less comparators")
    axes.margins(x=0.12)
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, frameon=False, fontsize=7.5, handletextpad=0.1,
        columnspacing=1.2, borderaxespad=0.2,
    )  # fmt: skip
