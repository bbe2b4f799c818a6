"""Placebo pilots: what the estimator finds when authorities without a pilot are taken for pilots."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sos_spark.report.figures.style import FAINT, PILOT, QUIET, WASH, DataTable, Picture, draw, panels
from sos_spark.report.results import Results, of_outcome
from sos_spark.report.words.numbers import count, number

_BINS = 31


def placebo_picture(results: Results) -> Picture | None:
    """Draws the placebo estimates of each outcome with the real one marked; None where the run left no draws."""
    found = {key: own for key in results.labels if len(own := _draws(results, key))}
    if not found:
        return None
    facts = {key: _fact(results, key) for key in found}

    def paint(figure: Figure) -> None:
        shown = panels(figure, [results.labels[key] for key in found])
        for axes, (key, own) in zip(shown, found.items(), strict=True):
            scale = results.scales[key]
            _histogram(axes, own["att"].to_numpy(dtype=float) * scale.factor, facts[key], scale.factor)
            axes.set_xlabel(scale.axis)

    rows = []
    for key, own in found.items():
        scale = results.scales[key]
        counts, edges = _binned(own["att"].to_numpy(dtype=float) * scale.factor)
        for n, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
            span = f"{number(float(low), scale.change_decimals)} to {number(float(high), scale.change_decimals)}"
            rows.append((results.labels[key], f"{span} {scale.change_unit}", count(float(n))))
    return draw(
        "placebo_pilots",
        title="Placebo pilots",
        caption="Grey: what the same sums give for pseudo-pilots, authorities drawn by lot that ran no pilot; the pale"
        " band holds 19 in 20 of them. Blue: the real pilots, against the same authorities.",
        alt="Histograms of placebo estimates. "
        + " ".join(
            f"{results.labels[key]}: {len(own)} draws, 19 in 20 between"
            f" {results.scales[key].interval(facts[key]['p2_5'], facts[key]['p97_5'])}; the real estimate is"
            f" {results.scales[key].change(facts[key]['att'])} {results.scales[key].long_unit}."
            for key, own in found.items()
        ),
        table=DataTable(("Outcome", "Placebo estimate", "Draws"), tuple(rows), numeric=1),
        height=0.35 + 2.05 * -(-len(found) // 2),
        paint=paint,
    )


def _draws(results: Results, outcome_id: str) -> pd.DataFrame:
    own = of_outcome(results.placebo_pilots, outcome_id)
    return own[own["att"].notna()] if len(own) else own


def _fact(results: Results, outcome_id: str) -> dict[str, float]:
    """The summary of an outcome's draws; NaN where the run left none."""
    own = of_outcome(results.placebo_summary, outcome_id)
    return {name: float(own[name].iloc[0]) if len(own) else float("nan") for name in ("att", "p2_5", "p97_5")}


def _binned(values: np.ndarray[tuple[int], np.dtype[np.float64]]):  # type: ignore[no-untyped-def]
    edge = float(np.abs(values).max()) or 1.0
    return np.histogram(values, bins=_BINS, range=(-edge, edge))


def _histogram(
    axes: Axes, values: np.ndarray[tuple[int], np.dtype[np.float64]], fact: dict[str, float], factor: float
) -> None:
    counts, edges = _binned(values)
    if not np.isnan(fact["p2_5"]):
        axes.axvspan(fact["p2_5"] * factor, fact["p97_5"] * factor, color=WASH, zorder=0)
    axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=FAINT, edgecolor="white", linewidth=0.5)
    top = float(counts.max())
    axes.set_ylim(0, top * 1.28)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    real = fact["att"] * factor
    if not np.isnan(real):
        axes.vlines(real, 0, top * 1.1, color=PILOT, linewidth=2)
        left, right = axes.get_xlim()
        axes.set_xlim(min(left, real), max(right, real))
        on_the_left = real > sum(axes.get_xlim()) / 2
        axes.annotate(
            "real pilots", (real, top * 1.1), xytext=(-4 if on_the_left else 4, 0), textcoords="offset points",
            ha="right" if on_the_left else "left", va="center", color=PILOT, fontweight="bold", fontsize=8,
        )  # fmt: skip
    axes.vlines(0, 0, top, color=QUIET, linewidth=0.8, linestyle=(0, (3, 3)))
