"""A figure within the page: text stays text, colours follow the page, ids are its own, and nothing seen is lost."""

from __future__ import annotations

import re

from matplotlib.figure import Figure

from sos_spark.report.figures.inline import inline
from sos_spark.report.figures.style import COMPARATOR, INK, PILOT, drawn


def _paint(figure: Figure) -> None:
    axes = figure.subplots()
    axes.plot([0, 1, 2], [1.0, 3.0, 2.0], color=PILOT, marker="o")
    axes.plot([0, 1, 2], [2.0, 1.0, 1.0], color=COMPARATOR)
    axes.fill_between([0, 1], [0, 0], [1, 1], facecolor="white", edgecolor=INK, hatch="///")
    axes.set_title("Pilots & <others>")
    axes.set_xticks([0, 2], ["first", "last"])


SVG = drawn(_paint, 2.0).svg
PAGE = inline(SVG, name="toys", alt='Three "toys".')


def test_text_stays_text_in_the_page_s_own_font() -> None:
    assert re.findall(r"<text[^>]*>([^<]+)</text>", PAGE)[:2] == ["first", "last"]
    assert ">Pilots &amp; &lt;others&gt;</text>" in PAGE
    assert "font-family" not in PAGE
    assert "glyph" not in SVG.decode()
    assert b"<text" in SVG


def test_colours_are_the_page_s_names() -> None:
    assert "s-pilot" in PAGE
    assert "s-comparator" in PAGE
    assert "f-paper" in PAGE
    assert not {PILOT, COMPARATOR, INK} & set(re.findall(r"#[0-9a-f]{6}", PAGE))


def test_lines_and_hatches_are_still_drawn() -> None:
    assert len(re.findall(r'<path d="[^"]+"[^>]*class="s-(?:pilot|comparator)"', PAGE)) >= 2
    assert re.search(r'fill="url\(#toys-\d+\)"', PAGE)


def test_ids_are_the_figure_s_own_and_every_reference_has_one() -> None:
    ids = re.findall(r' id="([^"]+)"', PAGE)

    assert len(ids) == len(set(ids))
    assert all(one.startswith("toys-") for one in ids)
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', PAGE)) == set(ids)


def test_it_says_what_it_shows_and_is_a_fraction_of_the_file() -> None:
    assert PAGE.startswith('<svg role="img" aria-label="Three &quot;toys&quot;." viewBox="0 0 504 144">')
    assert len(PAGE) < len(SVG) / 2
