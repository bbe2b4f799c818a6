"""The answer by itself: a PNG of the size that is shown round, and one page of PDF, with the first screen's words."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text

from sos_spark.report.front import card as module
from sos_spark.report.front.card import card, one_page
from sos_spark.report.front.screen import Front, front_of
from tests.unit import report_example_whole

FRONT = front_of(report_example_whole.results(), ())
MARK = "Not cleared for release - simulated data"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are drawn, as they were before they became bytes."""
    figures: list[Figure] = []
    monkeypatch.setattr(module, "_png", figures.append)
    monkeypatch.setattr(module, "_pdf", lambda figure, _title: figures.append(figure))
    return figures


def words_on(figure: Figure) -> str:
    return " ".join(" ".join(text.get_text().split()) for text in figure.findobj(Text))


def test_the_card_is_as_large_as_cards_are_and_the_same_each_time() -> None:
    drawn = card(FRONT, MARK)

    assert imread(io.BytesIO(drawn)).shape[:2] == (630, 1200)
    assert b"tEXt" not in drawn
    assert drawn == card(FRONT, MARK)
    assert len(drawn) < 200_000


def test_the_page_is_one_of_a4_and_the_same_each_time() -> None:
    drawn = one_page(FRONT, MARK)

    assert len(re.findall(rb"/Type /Page\b(?!s)", drawn)) == 1
    assert b"/MediaBox [ 0 0 595.5 842.25 ]" in drawn
    assert b"CreationDate" not in drawn
    assert drawn == one_page(FRONT, MARK)


@pytest.mark.parametrize("make", [card, one_page])
def test_both_say_what_the_first_screen_says(make: Callable[[Front, str], bytes], drawn: list[Figure]) -> None:
    make(FRONT, MARK)

    words = words_on(drawn[0])
    for said in (MARK, FRONT.title, FRONT.headline, FRONT.checks_in_words):
        assert said in words
    for row in (row for panel in FRONT.panels for row in panel.rows):
        assert row.change in words
        assert row.verdict in words
        assert row.interval in words


def test_the_page_names_every_check_and_the_card_counts_them(drawn: list[Figure]) -> None:
    one_page(FRONT, MARK)
    card(FRONT, MARK)

    page, shown = map(words_on, drawn)
    assert all(check.words in page for check in FRONT.checks)
    assert not any(check.words in shown for check in FRONT.checks)


@pytest.mark.parametrize("n", [1, 7, 14])
def test_words_stay_on_the_sheet_and_apart(n: int, drawn: list[Figure]) -> None:
    panel = FRONT.panels[0]
    long = replace(
        panel.rows[0], name="A name of an outcome that is as long as any name of an outcome could ever be here"
    )
    many = replace(FRONT, panels=(replace(panel, rows=(long,) * n),))
    card(many, MARK)
    one_page(many, MARK)

    for figure in drawn:
        width, height = figure.bbox.size
        boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
        for place, box in enumerate(boxes):
            assert box.x0 >= 0
            assert box.x1 <= width
            assert box.y0 >= 0
            assert box.y1 <= height
            below = [other for other in boxes[:place] if other.x0 == box.x0]
            assert all(min(box.y1, other.y1) - max(box.y0, other.y0) < 3 for other in below)


def test_nothing_but_words_is_shown_where_nothing_is_known() -> None:
    nothing = replace(FRONT, panels=(), checks=(), checks_in_words="")

    assert card(nothing, MARK)
    assert one_page(nothing, MARK)
