"""The event study as a figure, without a display."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from sos_spark.config.units import OWN, Unit
from sos_spark.fit.event_study import EventStudy

PILOT = "#00599c"
"""The colour of pilots, and of effects on them, in every figure."""
_QUIET = "0.35"


def event_study_figure(study: EventStudy, *, title: str, unit: Unit = OWN) -> Figure:
    """Returns effects by event time, with CR2 intervals (bars) and simultaneous bands (shaded), in natural units."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    time = np.array([row.event_time for row in study.rows])
    att, low, high, band_low, band_high = (
        unit.factor * np.array([getattr(row, name) for row in study.rows])
        for name in ("att", "ci_low", "ci_high", "band_low", "band_high")
    )
    axes.axhline(0, color=_QUIET, linewidth=0.8)
    axes.axvline(-0.5, color=_QUIET, linewidth=0.8, linestyle="--")
    axes.annotate("go-live", (-0.5, 1), xycoords=("data", "axes fraction"), xytext=(4, -2), textcoords="offset points",
                  va="top", color=_QUIET, fontsize=8)  # fmt: skip
    axes.fill_between(time, band_low, band_high, color=PILOT, alpha=0.15, linewidth=0, label="95% band, all at once")
    axes.vlines(time, low, high, color=PILOT, linewidth=1.2, label="95% interval (CR2)")
    axes.plot(time, att, "o", color=PILOT, markersize=4)
    axes.set_xlabel("Periods since go-live", color=_QUIET)
    axes.set_ylabel(f"Effect, in {unit.of_change}", color=_QUIET)
    axes.set_title(title, loc="left", fontsize=9.5, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return figure
