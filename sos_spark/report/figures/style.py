"""The style of figures: calm, colour-blind safe, labelled directly; their bytes depend on the data only.

Pilots are blue, solid and round; comparators orange, dashed and square: colour is never the only difference. Figures
are as wide as the text of an A4 page.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from sos_spark.fit.plot import PILOT as PILOT
from sos_spark.report.blocks import DataTable, Drawn, Form, Picture
from sos_spark.report.figures.pixels import in_a_palette

COMPARATOR = "#a84300"
INK, QUIET, FAINT, WASH = "#1a1a1a", "#595959", "#c9c9c9", "#eef1f4"
PAPER, BAND, PALE, GRID = "#ffffff", "#dde3e9", "#b9cfe4", "#e6e6e6"
OCHRE, PLUM, MOSS = "#8a5a1b", "#7a3b8f", "#3d6b35"
TONES = {
    "pilot": PILOT, "comparator": COMPARATOR, "ink": INK, "quiet": QUIET, "faint": FAINT, "wash": WASH, "paper": PAPER,
    "band": BAND, "pale": PALE, "grid": GRID, "ochre": OCHRE, "plum": PLUM, "moss": MOSS,
}  # fmt: skip
"""What the page calls a colour, of which it has a value for light and one for dark."""
COLOUR_NAMES = {colour: name for name, colour in TONES.items()}
ARM_COLOURS = {"pilot": PILOT, "comparator": COMPARATOR, "unused": QUIET, "all": QUIET}
WIDTH = 7.0
"""Inches."""

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.titley": 1.0,
    "axes.labelsize": 8.5,
    "axes.labelcolor": QUIET,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "text.color": INK,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "text.hinting": "none",  # at 200 dots to an inch it changes next to nothing, and takes a quarter of the drawing
    "svg.hashsalt": "sos_spark",
    "svg.fonttype": "none",
    "figure.dpi": 200,
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Draws in this style, whatever the caller's own settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def draw(
    name: str,
    *,
    title: str,
    caption: str,
    alt: str,
    table: DataTable,
    height: float,
    paint: Callable[[Figure], None],
    form: Form,
) -> Picture:
    """Returns a picture, `height` inches high, that `paint` draws on an empty figure when its bytes are asked for.

    `paint` must be picklable: another process may draw.
    """
    size = (round(96 * WIDTH), round(96 * height))
    return Picture(name, title, caption, alt, table, size, partial(drawn, paint, height), form)


def drawn(paint: Callable[[Figure], None], height: float) -> Drawn:
    """Returns what `paint` draws on an empty figure `height` inches high, as SVG and PNG."""
    with figure_style():
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        canvas = FigureCanvasAgg(figure)
        paint(figure)
        layout = figure.get_layout_engine()
        if layout is not None:
            layout.execute(figure)  # once, not once for each format
        figure.set_layout_engine("none")
        svg, png = io.BytesIO(), io.BytesIO()
        # Straight to each format: `savefig` would draw everything once more, to no file.
        canvas.draw()  # type: ignore[no-untyped-call]
        pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        in_a_palette(pixels).save(png, format="png", dpi=(figure.dpi, figure.dpi))
        FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
    return Drawn(svg.getvalue(), png.getvalue())
