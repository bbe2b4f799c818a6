"""Honest bounds: how far parallel trends may fail before an effect can no longer be told from none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sos_spark.report.figures.style import (
    COMPARATOR,
    PILOT,
    QUIET,
    DataTable,
    Picture,
    draw,
    panels,
    room_for_zero,
    zero_line,
)
from sos_spark.report.results import Results, of_outcome, rows_of
from sos_spark.report.words.numbers import Scale, number

TARGET = "average"
_PANELS = {
    "relative_magnitudes": "If the paths part as they did before go-live",
    "smoothness": "If an earlier drift goes on, and bends",
}
_TARGETS = {"average": "average after go-live", "first": "first period after go-live"}

_OTHER_WAY = " Orange: zero is left out, but on the other side than the main estimate's."


def bounds_of(results: Results, outcome_id: str, restriction: str, target: str = TARGET) -> pd.DataFrame:
    """Returns the intervals of an outcome under a restriction, by m; empty where the run left none."""
    own = of_outcome(results.honest, outcome_id)
    if own.empty:
        return own
    kept = (own["restriction"] == restriction) & (own["target"] == target) & own["ci_low"].notna()
    return own[kept & own["m"].notna()].sort_values("m", kind="stable").reset_index(drop=True)


def survives_up_to(bounds: pd.DataFrame) -> float:
    """Returns up to which m the interval leaves out zero: NaN where not even at 0, infinite where always."""
    first = bounds.iloc[0]
    return float(first["breakdown"]) if side_of_zero(first["ci_low"], first["ci_high"]) else math.nan


def side_of_zero(low: float, high: float) -> int:
    """Returns on which side of zero an interval lies: 1 above, -1 below, 0 where it holds zero."""
    return 1 if low > 0 else -1 if high < 0 else 0


def direction_of(results: Results, outcome_id: str) -> int:
    """Returns the sign of the main estimate."""
    att = float((results.main_row(outcome_id) or {}).get("att", math.nan))
    return 1 if att > 0 else -1


def honest_picture(results: Results, outcome_id: str) -> Picture | None:
    """Draws the interval against m under each restriction; None where the run left no bounds of the outcome."""
    found = {name: bounds for name in _PANELS if len(bounds := bounds_of(results, outcome_id, name))}
    if not found:
        return None
    scale, label = results.scales[outcome_id], results.labels[outcome_id]
    direction = direction_of(results, outcome_id)
    ends = np.concatenate([b[["ci_low", "ci_high"]].to_numpy().ravel() for b in found.values()]) * scale.factor
    finite = ends[np.isfinite(ends)]
    low, high = room_for_zero(float(finite.min(initial=0.0)), float(finite.max(initial=0.0)))

    def paint(figure: Figure) -> None:
        shown = panels(figure, [_PANELS[name] for name in found])
        for axes, (name, bounds) in zip(shown, found.items(), strict=True):
            _intervals(
                axes, bounds, scale, direction=direction, factor=1.0 if name == "relative_magnitudes" else scale.factor
            )
            axes.set_ylim(low, high)
            axes.set_title(_PANELS[name], fontweight="normal", fontsize=8.5)
            axes.set_xlabel(
                "Largest violation, as a multiple\nof the largest one before go-live"
                if name == "relative_magnitudes"
                else f"Bend of the drift allowed each year,\n{scale.change_unit} a year"
            )
        shown[0].set_ylabel(scale.axis)
        figure.suptitle(label, x=0.012, ha="left", fontsize=9.5, fontweight="bold")

    rows = of_outcome(results.honest, outcome_id)
    return draw(
        f"honest_{outcome_id}",
        title=label,
        caption="95% interval of the average effect over the years after go-live, by the size of the violation. Blue"
        " and solid: zero is left out. Grey and dashed: no change is possible too. Ring: no violation."
        + (_OTHER_WAY if _turned(found, direction) else ""),
        alt=f"Honest bounds of {label.lower()}. "
        + " ".join(f"{_PANELS[name]}: {_in_words(bounds, scale)}" for name, bounds in found.items()),
        table=DataTable(
            ("Restriction", "Effect", "Violation (m)", f"95% interval ({scale.change_unit})", "Without chance",
             "Standing"),
            tuple(_row(row, scale) for row in rows_of(rows)), numeric=2, words=1,
        ),
        height=2.75,
        paint=paint,
    )  # fmt: skip


def _turned(found: Mapping[str, pd.DataFrame], direction: int) -> bool:
    """Whether some interval lies on the other side of zero than the main estimate."""
    ends = pd.concat([bounds[["ci_low", "ci_high"]] for bounds in found.values()]).itertuples(index=False)
    return any(side_of_zero(low, high) == -direction for low, high in ends)


def _intervals(axes: Axes, bounds: pd.DataFrame, scale: Scale, *, direction: int, factor: float) -> None:
    axes.grid(axis="y")
    zero_line(axes)
    m = bounds["m"].to_numpy(dtype=float) * factor
    for at, row in zip(m, rows_of(bounds), strict=True):
        side = side_of_zero(row.ci_low, row.ci_high)
        colour = QUIET if not side else PILOT if side == direction else COMPARATOR
        ends = np.clip([row.ci_low * scale.factor, row.ci_high * scale.factor], -1e12, 1e12)
        axes.vlines(
            at, *ends, color=colour, linewidth=2.2, linestyle="-" if side else (0, (2, 1.4)), zorder=3
        )  # fmt: skip
        middle = float(np.mean(ends))
        if at == 0 and abs(middle) < 1e11:
            axes.plot(
                at, middle, "o", color=colour, markersize=8, mfc="white", markeredgewidth=1.6,
                zorder=4,
            )  # fmt: skip
    axes.margins(x=0.12)


def _row(row: Any, scale: Scale) -> tuple[str, ...]:
    relative = row.restriction == "relative_magnitudes"
    return (
        "relative magnitudes" if relative else str(row.restriction).replace("_", " "),
        _TARGETS.get(row.target, str(row.target)),
        number(row.m, 2) if relative else number(row.m * scale.factor, scale.change_decimals + 2),
        scale.interval(row.ci_low, row.ci_high),
        scale.interval(row.set_low, row.set_high),
        str(row.label or ""),
    )


def _in_words(bounds: pd.DataFrame, scale: Scale) -> str:
    first, last = bounds.iloc[0], bounds.iloc[-1]
    return (
        f"95% interval {scale.interval(first['ci_low'], first['ci_high'])} without a violation, and"
        f" {scale.interval(last['ci_low'], last['ci_high'])} {scale.long_unit} at the largest one tried."
    )
