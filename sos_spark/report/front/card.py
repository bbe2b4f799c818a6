"""The answer by itself: a card of 1200 x 630 pixels to show round, and one page of A4 with the checks.

Both are drawn from the first screen's own words and places, with matplotlib, in CSS pixels from the top left.
"""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure

from sos_spark.report.figures.places import Line
from sos_spark.report.figures.style import COMPARATOR, FAINT, INK, PAPER, PILOT, QUIET, WASH, figure_style
from sos_spark.report.front.picture import Look, Panel, Row
from sos_spark.report.front.screen import Front

_COLOURS: dict[Look, str] = {"changed": PILOT, "edge": INK, "same": QUIET, "unclear": QUIET, "none": QUIET}


@dataclass(frozen=True)
class _Sheet:
    """A sheet's size, margin and the size of its words in pixels; where its columns begin, and how many letters fit."""

    width: int
    height: int
    margin: int
    words: float
    axis: tuple[int, int]
    values: int
    name_letters: int
    headline_letters: int
    lede_letters: int
    tallest_row: float


_CARD = _Sheet(1200, 630, 44, 15, (525, 850), 885, 58, 66, 132, 56)
_A4 = _Sheet(794, 1123, 56, 12.5, (290, 520), 540, 32, 44, 98, 46)


def card(front: Front, mark: str) -> bytes:
    """Returns the answer as a PNG of 1200 x 630 pixels; `mark`: what is said of who may see it."""
    with figure_style():
        figure, axes = _empty(_CARD)
        top = _words(axes, _CARD, front, mark)
        _rows(axes, _CARD, front, top, bottom=_CARD.height - 66)
        said = f"How sure are we? {front.checks_in_words}." if front.checks else ""
        axes.text(_CARD.margin, _CARD.height - 42, said, fontsize=_pt(15), fontweight="bold", va="center")
        axes.text(_CARD.margin, _CARD.height - 20, _key(front), fontsize=_pt(11.5), color=QUIET, va="center")
        return _png(figure)


def one_page(front: Front, mark: str) -> bytes:
    """Returns the answer and its checks as a PDF of one page of A4."""
    with figure_style():
        figure, axes = _empty(_A4)
        top = _words(axes, _A4, front, mark)
        end = _rows(axes, _A4, front, top, bottom=_A4.height - 200 - 21 * len(front.checks))
        key = textwrap.wrap(_key(front), 112)
        axes.text(_A4.margin, end + 22, "\n".join(key), fontsize=_pt(10.5), color=QUIET, va="top", linespacing=1.4)
        _checks(axes, front, end + 40 + 16 * len(key))
        return _pdf(figure, front.title)


def _empty(sheet: _Sheet) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(sheet.width / 96, sheet.height / 96), dpi=96)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, sheet.width)
    axes.set_ylim(sheet.height, 0)
    axes.set_axis_off()
    return figure, axes


def _pt(pixels: float) -> float:
    return 0.75 * pixels


def _key(front: Front) -> str:
    said = (
        "Point and line: estimate, 95% interval.",
        "Shaded: too small to matter." if front.has_matters else "",
        "Dotted: larger changes would probably have been seen." if front.has_seen else "",
        "Diamond: effect planted in the simulated data." if front.has_planted else "",
    )
    return " ".join(filter(None, said))


def _words(axes: Axes, sheet: _Sheet, front: Front, mark: str) -> float:
    """Writes mark, title, headline and what stands below it; returns where they end."""
    left, words = sheet.margin, sheet.words
    axes.axhspan(0, 30, color=WASH)
    axes.text(left, 15, mark, fontsize=_pt(words * 0.85), fontweight="bold", va="center")
    axes.text(sheet.width - left, 15, "sos_spark", fontsize=_pt(words * 0.85), color=QUIET, va="center", ha="right")
    top = 30 + words * 1.1
    axes.text(left, top, front.title, fontsize=_pt(words), color=QUIET, va="top")
    top += words * 1.7
    for text, size, letters, weight in (
        (front.headline, words * 1.95, sheet.headline_letters, "bold"),
        (front.lede, words * 1.05, sheet.lede_letters, "normal"),
    ):
        lines = textwrap.wrap(text, letters)
        axes.text(left, top, "\n".join(lines), fontsize=_pt(size), fontweight=weight, va="top", linespacing=1.25)
        top += len(lines) * size * 1.42 + words * 0.4
    return top


def _rows(axes: Axes, sheet: _Sheet, front: Front, top: float, *, bottom: float) -> float:
    """Draws every outcome, as many pixels high as there is room; returns where they end."""
    n = sum(len(panel.rows) for panel in front.panels)
    axis_height = 24
    height = min(sheet.tallest_row, (bottom - top - axis_height * len(front.panels)) / max(n, 1))
    for panel in front.panels:
        for row in panel.rows:
            axes.plot([sheet.margin, sheet.width - sheet.margin], [top, top], color=FAINT, linewidth=0.7)
            _row(axes, sheet, panel, row, top, height)
            top += height
        for tick in panel.ticks:
            axes.text(
                _x(sheet, tick.at), top + 11, tick.words, fontsize=_pt(sheet.words * 0.75), color=QUIET, ha="center",
                va="center",
            )  # fmt: skip
        top += axis_height
    return top


def _x(sheet: _Sheet, percent: float) -> float:
    start, end = sheet.axis
    return start + (end - start) * percent / 100


def _row(axes: Axes, sheet: _Sheet, panel: Panel, row: Row, top: float, height: float) -> None:
    """Draws an outcome: two lines of words where there is room for them, else one."""
    middle, colour, words = top + height / 2, _COLOURS[row.look], sheet.words
    small: dict[str, Any] = {"fontsize": _pt(words * 0.8), "color": QUIET, "va": "center"}
    roomy = height > 2.5 * words
    names = textwrap.wrap(row.name, sheet.name_letters, max_lines=2 if height > 3 * words else 1, placeholder=" ...")
    up = words * 0.5 if roomy else 0
    axes.text(sheet.margin, middle - up, "\n".join(names), fontsize=_pt(words * 0.92), fontweight="bold", va="center",
              linespacing=1.15)  # fmt: skip
    _marks(axes, sheet, panel, row, top, height, colour)
    weight = "bold" if row.look in ("changed", "edge") else "normal"
    axes.text(sheet.values, middle - up, row.change or row.verdict, fontsize=_pt(words), fontweight=weight,
              color=colour if row.look == "changed" else INK, va="center")  # fmt: skip
    if roomy:
        below = " \u00b7 ".join(filter(None, (row.verdict if row.change else "", row.interval)))
        axes.text(sheet.margin, middle + words * (0.15 + 0.55 * len(names)), row.before, **small)
        axes.text(sheet.values, middle + words * 0.75, below, **small)


def _marks(axes: Axes, sheet: _Sheet, panel: Panel, row: Row, top: float, height: float, colour: str) -> None:
    middle, pad = top + height / 2, height * 0.14

    def upright(at: float, **look: Any) -> None:
        axes.plot([_x(sheet, at)] * 2, [top + pad, top + height - pad], **look)

    def ends(line: Line) -> tuple[float, float]:
        return _x(sheet, line.start), _x(sheet, line.end)

    if row.matters:
        left, right = ends(row.matters)
        axes.fill_between([left, right], top + 1, top + height - 1, color=WASH, linewidth=0)
    upright(panel.zero, color=INK, linewidth=0.9)
    for at in (row.seen.start, row.seen.end) if row.seen else ():
        upright(at, color=QUIET, linewidth=1, linestyle=(0, (1.5, 1.5)))
    if row.line:
        axes.plot(ends(row.line), [middle] * 2, color=colour, linewidth=2.6, solid_capstyle="butt")
    if row.at is not None:
        axes.plot([_x(sheet, row.at)], [middle], "o", color=colour, markersize=7.5, markeredgecolor=PAPER)
    if row.planted is not None:
        axes.plot(
            [_x(sheet, row.planted)], [middle], "D", color=COMPARATOR, markersize=6, mfc="none", markeredgewidth=1.4
        )


def _checks(axes: Axes, front: Front, top: float) -> None:
    if not front.checks:
        return
    axes.text(_A4.margin, top, "How sure are we?", fontsize=_pt(16), fontweight="bold", va="center")
    axes.text(_A4.margin, top + 24, f"{front.checks_in_words}.", fontsize=_pt(12.5), va="center")
    for place, check in enumerate(front.checks):
        at = top + 52 + 21 * place
        sign = "\u2713" if check.holds else "!"
        axes.text(_A4.margin + 6, at, sign, fontsize=_pt(12.5), fontweight="bold", va="center", ha="center")
        axes.text(_A4.margin + 20, at, check.words, fontsize=_pt(12.5), va="center")


def _png(figure: Figure) -> bytes:
    drawn = io.BytesIO()
    FigureCanvasAgg(figure).print_png(drawn, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return drawn.getvalue()


def _pdf(figure: Figure, title: str) -> bytes:
    drawn = io.BytesIO()
    said = {"Title": title, "CreationDate": None, "Creator": None, "Producer": None}
    FigureCanvasPdf(figure).print_pdf(drawn, metadata=said)  # type: ignore[no-untyped-call]
    return drawn.getvalue()
