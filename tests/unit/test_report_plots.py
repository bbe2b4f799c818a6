"""A plot is said once: its axes and words by themselves, then the page and the files that are drawn from it."""

from __future__ import annotations

import math
import re

import pytest

from sos_spark.report.blocks import DataTable, Picture, Table, section_of
from sos_spark.report.figures.forest import Bar, Forest, draw_forest
from sos_spark.report.figures.paint import draw_plots
from sos_spark.report.figures.plot import (
    Bin,
    Curve,
    Dot,
    Key,
    Level,
    Plot,
    PlotAxis,
    Stem,
    Upright,
    named_axis,
    value_axis,
    whole_axis,
)
from sos_spark.report.figures.style import COMPARATOR, INK, PILOT, TONES
from sos_spark.report.page import render_document, render_page
from sos_spark.report.results import Results
from sos_spark.report.words.numbers import POINTS
from tests.unit import report_example as example

PILOTS = Curve((0.0, 1.0, 2.0), (10.0, math.nan, 30.0), "pilot", label="Pilots", says=("ten", "", "thirty"))
OTHERS = Curve((0.0, 1.0, 2.0), (20.0, 20.0, 31.0), "comparator", "square", dashed=True, label="Others")
EVERY = Plot(
    "All <marks>",
    named_axis(["first", "middle", "last"], [0.0, 1.0, 2.0], 2),
    value_axis([10.0, 31.0], "Per cent", zero=False, least=0.0),
    (Level(20.0), Bin(0, 1, 10, 20, "faint", "a bin"), Upright(0.5, "Go-live"), PILOTS, OTHERS,
     Stem(1.0, 12.0, 18.0, "plum"), Dot(1.0, 15.0, "moss", "diamond", hollow=True, say="15 & more")),
    (Key("moss", "moss", "diamond"),),
)  # fmt: skip
TABLE = DataTable(("What", "How many"), (("marks", "7"),))


def page_of(picture: Picture) -> str:
    section = section_of("toys", "Toys", [picture])
    assert section is not None
    return render_document("Toys", "", [section], simulated=False)


def in_words(*plots: Plot) -> Picture:
    return draw_plots("toys", plots, title="Toys", caption="A caption.", alt="Toys in words.", table=TABLE)


class TestAxes:
    def test_it_holds_every_value_and_zero_with_a_margin(self) -> None:
        axis = value_axis([2.0, 10.0, math.inf, math.nan], "Points")

        assert (axis.low, axis.high) == pytest.approx((-0.8, 10.8))

    def test_its_margin_ends_where_values_can_go_no_further(self) -> None:
        axis = value_axis([1.0, 99.0], "Per cent", zero=False, margin=0.2, least=0.0, most=100.0)

        assert (axis.low, axis.high) == (0.0, 100.0)
        assert [words for _, words in axis.ticks] == ["0", "20", "40", "60", "80", "100"]

    @pytest.mark.parametrize(("high", "words"), [(0.7, "0.2"), (0.05, "0.02"), (7.0, "2"), (3000.0, "1,000")])
    def test_labels_have_the_digits_of_their_step(self, high: float, words: str) -> None:
        assert words in [tick for _, tick in value_axis([high], "", margin=0.1, n_ticks=5).ticks]

    def test_whole_numbers_stay_whole(self) -> None:
        assert all(re.fullmatch(r"-?\d+", words) for _, words in whole_axis(-2.6, 2.6, "").ticks)

    def test_nothing_to_show_is_an_axis_all_the_same(self) -> None:
        assert value_axis([], "").low < value_axis([], "").high

    def test_places_are_per_cent_and_stop_at_the_ends(self) -> None:
        axis = PlotAxis(0.0, 4.0, ())

        assert [axis.at(value) for value in (-1.0, 1.0, 9.0)] == [0.0, 25.0, 100.0]
        assert axis.down(1.0) == 75.0
        assert axis.held(-math.inf, 2.0) == (0.0, 2.0)

    def test_long_labels_side_by_side_are_too_many_for_a_phone(self) -> None:
        assert named_axis([f"2014 Q{n}" for n in range(6)], list(range(6)), 1).crowded
        assert not named_axis(list("abcdef"), list(range(6)), 1).crowded


def test_an_unknown_value_breaks_the_line_and_has_no_point() -> None:
    assert PILOTS.path(PlotAxis(0, 2, ()), PlotAxis(10, 30, ())) == "M0 100M100 0"
    assert [say for _, _, say in PILOTS.known] == ["ten", "thirty"]


def test_names_of_lines_that_end_close_together_are_moved_apart() -> None:
    (low, first), (high, second) = EVERY.named

    assert (first.label, second.label) == ("Pilots", "Others")
    assert high - low == pytest.approx(0.1 * (EVERY.y.high - EVERY.y.low))


def test_the_page_draws_every_mark_as_text_and_lines_in_its_own_colours() -> None:
    html = page_of(in_words(EVERY, EVERY))

    assert 'role="img" aria-label="Toys in words."' in html
    assert re.findall(r'<text class="x[^>]*>([^<]+)', html) == ["first", "last"] * 2
    for said in ("<b>All &lt;marks&gt;</b>", ">Pilots</text>", ">Go-live</text>", "<title>15 &amp; more</title>",
                 "<title>a bin</title>", "<title>thirty</title>", "Per cent</p>"):  # fmt: skip
        assert said in html
    body = html.split("<body>")[1]
    assert not re.search(r"#[0-9a-f]{6}", body)
    assert {f"t-{tone}" for tone in ("pilot", "comparator", "plum", "moss", "faint")} <= set(re.findall(r"t-\w+", body))


def test_every_tone_has_a_value_in_light_and_in_dark() -> None:
    css = page_of(in_words(EVERY)).split("<body>")[0]
    light, dark = css.split("prefers-color-scheme: dark")
    for tone in TONES:
        assert f"--{tone}: #" in light
        assert f"--{tone}: #" in dark


def test_the_files_draw_the_same_and_their_text_is_text() -> None:
    svg = in_words(EVERY, EVERY).drawn.svg.decode()

    assert svg.count(">Pilots</text>") == svg.count(">Go-live</text>") == 2
    assert all(colour in svg for colour in (PILOT, COMPARATOR, TONES["plum"], TONES["moss"]))


def test_rows_are_text_on_the_page_and_in_the_files() -> None:
    bars = (
        Bar("All <pilots>", 0.02, -0.01, 0.05, main=True),
        Bar("hollow", -0.01, math.nan, math.nan, INK),
        Bar("range alone", math.nan, -0.04, 0.06, planted=0.01, inner=(-0.02, 0.02)),
    )
    picture = draw_forest(
        "rows", [Forest(POINTS, bars, band=(-0.01, 0.05))], title="Rows", caption="", alt="", table=TABLE
    )
    html, svg = page_of(picture), picture.drawn.svg.decode()

    assert '<div class="name">All &lt;pilots&gt;</div>' in html
    assert "<b>2.0</b> <span>-1.0 to 5.0</span>" in html
    assert html.count('class="point hollow"') == 1
    assert html.count('class="inner"') == html.count('class="diamond"') == 1
    assert "2.0  (-1.0 to 5.0)" in svg.replace("\u2007", "")
    assert "not estimable" not in svg


def test_a_long_table_is_folded_in_the_report_and_shown_on_other_pages() -> None:
    section = section_of("toys", "Toys", [Table("Toys", DataTable(("Toy",), tuple((str(n),) for n in range(13))))])
    assert section is not None

    results = Results(study=example.a_study(), fingerprint="f", estimates=example.estimates())
    assert "<summary>Toys (13 rows)</summary>" in render_page(results, [section])
    assert "<summary>" not in render_document("Toys", "", [section], simulated=False)
