"""The event study as a figure, without a display."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from sos_spark.fit.event_study import EventStudy


def event_study_figure(study: EventStudy, *, title: str) -> Figure:
    """Returns effects by event time with their CR2 intervals (bars) and simultaneous bands (shaded)."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    time, att, low, high, band_low, band_high = (
        np.array([getattr(row, name) for row in study.rows])
        for name in ("event_time", "att", "ci_low", "ci_high", "band_low", "band_high")
    )
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.axvline(-0.5, color="0.6", linewidth=0.8, linestyle="--")
    axes.fill_between(
        time, band_low, band_high, color="tab:blue", alpha=0.15, linewidth=0, label="95 % band, all at once"
    )
    axes.vlines(time, low, high, color="tab:blue", linewidth=1.2, label="95 % interval (CR2)")
    axes.plot(time, att, "o", color="tab:blue", markersize=4)
    axes.set_xlabel("Periods since go-live")
    axes.set_ylabel("Effect, in the outcome's unit")
    axes.set_title(title, loc="left", fontsize=10)
    axes.legend(frameon=False, fontsize=8)
    return figure
