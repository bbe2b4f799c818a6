"""Figures of pilots that started at different times: effects by estimator, and what the simple average is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sos_spark.report.figures.style import (
    COMPARATOR,
    INK,
    PILOT,
    QUIET,
    DataTable,
    Picture,
    draw,
    room_for_zero,
    zero_line,
)
from sos_spark.report.results import Results, of_outcome, rows_of
from sos_spark.report.words.numbers import Scale, number
from sos_spark.report.words.specifications import spoken

_ESTIMATORS: dict[str, dict[str, Any]] = {
    "cs_never": {"color": PILOT, "marker": "o"},
    "cs_not_yet": {"color": COMPARATOR, "marker": "s"},
    "imputation": {"color": "#3d6b35", "marker": "^"},
    "sun_abraham": {"color": "#7a3b8f", "marker": "D"},
}
_COMPARISONS: dict[str, tuple[str, dict[str, Any]]] = {
    "treated_vs_never": ("pilots against authorities that never started", {"color": PILOT, "marker": "o"}),
    "earlier_vs_later": (
        "early pilots against pilots not started yet", {"color": COMPARATOR, "marker": "s", "mfc": "white"}
    ),
    "later_vs_earlier": ("late pilots against pilots that had started", {"color": INK, "marker": "X"}),
}  # fmt: skip


def by_estimator_picture(results: Results, outcome_id: str) -> Picture | None:
    """Draws effects by time since go-live, estimators side by side; None where the run left none of the outcome."""
    own = of_outcome(results.aggregates, outcome_id)
    own = own[(own["aggregate"] == "event") & own["att"].notna()] if len(own) else own
    if own.empty:
        return None
    own = own.assign(time=pd.to_numeric(own["level"], errors="coerce")).dropna(subset=["time"])
    scale, label = results.scales[outcome_id], results.labels[outcome_id]
    present = [name for name in _ESTIMATORS if (own["estimator"] == name).any()]
    values = own[["att", "ci_low", "ci_high"]].to_numpy() * scale.factor
    finite = values[np.isfinite(values)]
    low, high = room_for_zero(float(finite.min()), float(finite.max()))
    unit = results.study.window.period

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        zero_line(axes)
        axes.axvline(-0.5, color=QUIET, linewidth=0.9, linestyle=(0, (3, 3)), zorder=1)
        step = 0.72 / len(present)
        for place, name in enumerate(present):
            part, look = own[own["estimator"] == name], _ESTIMATORS[name]
            at = part["time"] + (place - (len(present) - 1) / 2) * step
            ends = (part[["ci_low", "ci_high"]] * scale.factor).clip(low, high)
            axes.vlines(at, ends["ci_low"], ends["ci_high"], color=look["color"], linewidth=1.1, zorder=3)
            axes.plot(
                at, part["att"] * scale.factor, linestyle="", markersize=3.6, label=spoken(name), zorder=4, **look
            )
        axes.set_ylim(low, high)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=14))
        axes.set_xlabel(f"{unit.capitalize()}s since each pilot's own go-live")
        axes.set_ylabel(scale.axis)
        axes.grid(axis="y")
        axes.set_title(label, pad=24)
        legend = axes.legend(
            loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=len(present), frameon=False, fontsize=7.5,
            handletextpad=0.1, columnspacing=1.2, borderaxespad=0.2,
        )  # fmt: skip
        legend.set_in_layout(False)  # wider than the axes of few periods: it must not narrow them

    times = sorted(own["time"].unique())
    wide = {(row.estimator, row.time): row for row in rows_of(own)}
    return draw(
        f"staggered_{outcome_id}",
        title=label,
        caption="Effects by time since each pilot's own go-live, under estimators that are right when pilots start at"
        " different times. Where they agree, the choice between them does not matter.",
        alt=f"Effects on {label.lower()} by time since go-live under {len(present)} estimators, {len(times)} {unit}s"
        f" from {int(times[0])} to {int(times[-1])}. "
        + " ".join(_after_in_words(own, name, scale) for name in present),
        table=DataTable(
            (f"{unit.capitalize()}s since go-live", *(spoken(name) for name in present)),
            tuple(
                (f"{int(time)}", *(_cell(wide.get((name, time)), scale) for name in present)) for time in times
            ),
        ),
        height=3.1,
        paint=paint,
    )  # fmt: skip


def _after_in_words(own: pd.DataFrame, name: str, scale: Scale) -> str:
    after = own.loc[(own["estimator"] == name) & (own["time"] >= 0), "att"]
    if after.empty:
        return f"{spoken(name)}: none after go-live."
    return (
        f"{spoken(name)}: from {scale.change(after.min())} to {scale.change(after.max())} {scale.long_unit} after it."
    )


def _cell(row: Any, scale: Scale) -> str:
    if row is None:
        return ""
    interval = scale.interval(row.ci_low, row.ci_high)
    return f"{scale.change(row.att)} ({interval})" if interval else scale.change(row.att)


def bacon_picture(results: Results, outcome_id: str) -> Picture | None:
    """Draws the comparisons that two-way fixed effects average, by weight; None where the run left none."""
    own = of_outcome(results.goodman_bacon, outcome_id)
    own = own[own["estimate"].notna() & own["weight"].notna()] if len(own) else own
    if own.empty:
        return None
    scale, label = results.scales[outcome_id], results.labels[outcome_id]
    present = [name for name in _COMPARISONS if (own["comparison"] == name).any()]

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        zero_line(axes)
        for name in present:
            part, (said, look) = own[own["comparison"] == name], _COMPARISONS[name]
            axes.plot(
                part["weight"] * 100, part["estimate"] * scale.factor, linestyle="", markersize=6.5, label=said,
                markeredgewidth=1.3, **look,
            )  # fmt: skip
        axes.margins(x=0.05, y=0.15)
        axes.set_xlim(left=0)
        axes.set_xlabel("Weight in the two-way fixed effects average, per cent")
        axes.set_ylabel(scale.axis)
        axes.grid(axis="y")
        axes.set_title(label, pad=12 + 12 * len(present))
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), frameon=False, fontsize=7.5, borderaxespad=0.2)

    shares = {name: float(own.loc[own["comparison"] == name, "weight"].sum()) for name in present}
    return draw(
        f"bacon_{outcome_id}",
        title=label,
        caption="Each mark is one comparison of two groups inside the two-way fixed effects average (Goodman-Bacon,"
        " authorities counting the same). Crosses compare late pilots with pilots that had started: where effects grow,"
        " those comparisons mislead.",
        alt=f"Scatter plot of {len(own)} comparisons behind the two-way fixed effects average of {label.lower()}. "
        + " ".join(f"{100 * share:.0f}% of the weight: {_COMPARISONS[name][0]}." for name, share in shares.items()),
        table=DataTable(
            ("Comparison", "Started", "Against", "Weight", f"Estimate ({scale.change_unit})"),
            tuple(
                (
                    _COMPARISONS[row.comparison][0],
                    str(row.treated_start),
                    str(row.control_start),
                    f"{number(100 * row.weight, 1)}%",
                    scale.change(row.estimate),
                )
                for row in rows_of(own[own["comparison"].isin(present)])
            ),
            numeric=3,
        ),
        height=2.5 + 0.17 * len(present),
        paint=paint,
    )
