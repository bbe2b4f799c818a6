"""The data-quality heat map (authority by census year) and the balance plot of pilots and comparators."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sos_spark.report.figures.style import (
    COMPARATOR,
    PILOT,
    QUIET,
    DataTable,
    Picture,
    bare_rows,
    draw,
    zero_line,
)
from sos_spark.report.results import Results, rows_of
from sos_spark.report.sections.quality import expected, failures_per_1000
from sos_spark.report.words.numbers import number

_PALE_TO_BLUE = LinearSegmentedColormap.from_list("pale_to_blue", ["#f3f6fa", "#7fb0da", "#00406f"])
_MOST_ROWS = 48


def quality_picture(results: Results) -> Picture | None:
    """Draws failures per 1,000 records; pilots first, then the comparators with the most. None without counts."""
    rates = failures_per_1000(results)
    if rates.empty:
        return None
    arm_of, unit_of = results.arm_of(), results.unit_of
    arm = pd.Series({code: arm_of.get(unit_of.get(code, code), "unused") for code in rates.index})
    name = pd.Series({code: results.name_of(code) for code in rates.index})
    order = pd.DataFrame({"arm": arm.map({"pilot": 0, "comparator": 1, "unused": 2}), "name": name})
    used = order[order["arm"] < 2] if (order["arm"] == 1).any() else order
    missing_returns = rates.isna() & expected(results, rates)
    trouble = -(missing_returns.sum(axis=1) * 1e6 + rates.sum(axis=1))
    kept = used.assign(trouble=trouble).sort_values(["arm", "trouble", "name"]).head(_MOST_ROWS)
    kept = kept.sort_values(["arm", "name"], kind="stable")
    grid, missing = rates.loc[kept.index], missing_returns.loc[kept.index].to_numpy()
    names = [name[code] for code in kept.index]
    cut = "" if len(grid) == len(used) else f" Shown: pilots and the comparators with most failures ({len(grid)})."
    n_pilots = int((kept["arm"] == 0).sum())
    top = max(float(np.nanmax(grid.to_numpy(), initial=0.0)), 1.0)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        colours = _PALE_TO_BLUE.with_extremes(bad="none")
        axes.pcolor(
            np.arange(grid.shape[1] + 1) - 0.5, np.arange(grid.shape[0] + 1) - 0.5,
            np.ma.masked_array(np.ones(grid.shape), ~missing), hatch="/////", facecolor="white", edgecolor=QUIET,
            linewidth=0, cmap=LinearSegmentedColormap.from_list("white", ["white", "white"]),
        )  # fmt: skip
        mesh = axes.pcolormesh(
            np.arange(grid.shape[1] + 1) - 0.5, np.arange(grid.shape[0] + 1) - 0.5,
            np.ma.masked_invalid(grid.to_numpy(dtype=float)), cmap=colours, vmin=0, vmax=top, edgecolor="white",
            linewidth=1.2,
        )  # fmt: skip
        bare_rows(axes, names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(visible=False)
        axes.set_xticks(range(grid.shape[1]), [str(year) for year in grid.columns])
        axes.xaxis.tick_top()
        axes.tick_params(axis="x", length=0)
        axes.tick_params(axis="y", labelsize=7.5)
        for spine in axes.spines.values():
            spine.set_visible(False)
        for place, label in enumerate(axes.get_yticklabels()):
            label.set_color(PILOT if place < n_pilots else COMPARATOR)
        if missing.any():
            axes.legend(
                handles=[Patch(facecolor="white", edgecolor=QUIET, hatch="/////", linewidth=0)],
                labels=["no records received"], loc="upper left", bbox_to_anchor=(0, -0.01), frameon=False, fontsize=8,
            )  # fmt: skip
        bar = figure.colorbar(mesh, ax=axes, shrink=min(1.0, 2.2 / (0.19 * len(names) + 0.5)), aspect=14, pad=0.03)
        bar.outline.set_visible(False)
        bar.set_label("Records or values refused per 1,000 records")

    whole = grid.to_numpy(dtype=float)
    worst = np.unravel_index(np.nanargmax(np.where(np.isnan(whole), -1, whole)), whole.shape)
    n_missing = int(missing.sum())
    return draw(
        "data_quality",
        title="Data quality by authority and census year",
        caption="Failures of rules that refuse a record or one of its values, per 1,000 records received; pilots' names"
        " are blue, comparators' orange." + cut,
        alt=f"Heat map of {len(grid)} authorities by {grid.shape[1]} census years. The highest rate is"
        f" {number(float(whole[worst]), 1)} failures per 1,000 records, in {names[int(worst[0])]} in"
        f" {grid.columns[int(worst[1])]}. {n_missing} authority-years have no records.",
        table=DataTable(
            ("Authority", *(str(year) for year in grid.columns)),
            tuple(
                (said, *("no records" if gap else number(float(rate), 1) for rate, gap in zip(line, gaps, strict=True)))
                for said, line, gaps in zip(names, whole, missing, strict=True)
            ),
        ),
        height=0.7 + 0.19 * len(names),
        paint=paint,
    )


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

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        bare_rows(axes, names)
        zero_line(axes, horizontal=False)
        for edge in (-0.1, 0.1):
            axes.axvline(edge, color=QUIET, linewidth=0.8, linestyle=(0, (3, 3)))
        axes.plot(
            rows["smd_before"], rows.index, "s", color=COMPARATOR, mfc="white", markersize=5, label="all candidates"
        )
        axes.plot(rows["smd_after"], rows.index, "o", color=PILOT, markersize=5.5, label="comparators used")
        axes.set_xlabel("Standardised mean difference, pilots less comparators")
        axes.margins(x=0.12)
        axes.legend(
            loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, frameon=False, fontsize=7.5, handletextpad=0.1,
            columnspacing=1.2, borderaxespad=0.2,
        )  # fmt: skip

    worst = float(rows["smd_after"].abs().max())
    return draw(
        "balance",
        title="Balance of pilots and comparators",
        caption="How far the pilots stood from others before go-live. Squares: from all candidates; circles: from the"
        " comparators used. Dashed lines at 0.1 either side.",
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
        paint=paint,
    )
