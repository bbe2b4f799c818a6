"""A pilot beside its neighbours: who they are, what is drawn of them, and that the page lets its reader choose."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from sos_spark.report.blocks import section_of
from sos_spark.report.figures.plot import Curve, Upright
from sos_spark.report.page import render_document
from sos_spark.report.results import Results
from sos_spark.report.sections.beside_neighbours import means_by_year, views
from sos_spark.report.sections.trends import trends_picture
from tests.builders import a_study

OUTCOME = "rereferral_nfa_6m"
PILOT, NEAREST, NEXT, OTHER_PILOT = "304", "307", "320", "926"
"""Brent, its two nearest statistical neighbours (Ealing and Waltham Forest), and Norfolk."""
MEANS = {PILOT: 0.25, NEAREST: 0.5, NEXT: 0.1, OTHER_PILOT: 0.4, "330": 0.9}


def results(*, n: int = 40, **comparators: object) -> Results:
    """Two years of quarters of each unit, n records in each, by the shares of MEANS."""
    quarters = [date(2014, 4, 1), date(2014, 7, 1), date(2015, 4, 1), date(2015, 7, 1)]
    cells = pd.DataFrame(
        [
            {"outcome_id": OUTCOME, "unit_id": unit, "period": number, "period_start": start.isoformat(), "n": n,
             "y_sum": round(n * mean)}
            for unit, mean in MEANS.items()
            for number, start in enumerate(quarters)
        ]
    )  # fmt: skip
    arms = pd.DataFrame(
        [{"outcome_id": OUTCOME, "unit_id": unit, "arm": "pilot" if unit in (PILOT, OTHER_PILOT) else "comparator",
          "gtime": 2.0} for unit in MEANS]
    )  # fmt: skip
    study = a_study(
        outcomes=[{"outcome_id": OUTCOME, "kind": "rereferral_nfa"}],
        pilots=[{"la_code": code, "go_live": "2015-10-01"} for code in (PILOT, OTHER_PILOT)],
        comparators={"kind": "neighbours"} | comparators,
    )
    return Results(study, "", pd.DataFrame(), cells=cells, arms=arms)


def test_a_year_is_its_quarters_together() -> None:
    yearly = means_by_year(results(), OUTCOME)
    assert yearly.loc[(PILOT, date(2014, 4, 1))].tolist() == [80, 20]


def test_a_pilot_stands_beside_its_own_neighbours_without_a_pilot_together() -> None:
    (view,) = views(results(), OUTCOME)
    assert view.name == "Brent"
    curves = {mark.label: mark for mark in view.plots[0].marks if isinstance(mark, Curve)}
    assert curves["Brent"].ys == pytest.approx((25.0, 25.0))
    assert curves["Neighbours"].ys == pytest.approx((30.0, 30.0))
    assert view.table.rows[0] == ("2015", "25.0%", "80", "30.0%", "160")
    assert "its 2 neighbours" in view.plots[0].title


def test_an_excluded_neighbour_is_not_among_them() -> None:
    (view,) = views(results(exclude=[NEXT]), OUTCOME)
    assert view.plots[0].title == "Brent and its neighbour"


def test_go_live_stands_where_its_day_lies_in_the_year() -> None:
    (view,) = views(results(), OUTCOME)
    (mark,) = [mark for mark in view.plots[0].marks if isinstance(mark, Upright)]
    assert mark.x == pytest.approx(2016.0, abs=0.01)


def test_a_year_of_few_records_is_in_the_table_and_not_drawn() -> None:
    (view,) = views(results(n=4), OUTCOME)
    curves = {mark.label: mark for mark in view.plots[0].marks if isinstance(mark, Curve)}
    assert not curves["Brent"].known
    assert curves["Neighbours"].known
    assert "fewer than 10 records" in view.plots[0].x.label
    assert view.table.rows[0][:3] == ("2015", "25.0%", "8")


def test_without_cells_there_is_nothing_to_choose() -> None:
    assert views(replace(results(), cells=pd.DataFrame()), OUTCOME) == ()


def test_the_page_shows_one_view_and_leads_to_the_others_by_keys_without_a_script() -> None:
    picture = trends_picture(results(), OUTCOME)
    assert picture is not None
    section = section_of("a", "A section", [picture])
    assert section is not None
    page = render_document("A page", "", [section], simulated=False)
    chosen = re.findall(
        r'<input type="radio" name="([^"]+)" id="([^"]+)"( checked)?><label for="([^"]+)">([^<]+)<', page
    )
    assert [(name, checked, words) for name, _, checked, _, words in chosen] == [
        (f"view-trends_{OUTCOME}", " checked", "All pilots"),
        (f"view-trends_{OUTCOME}", "", "Brent"),
    ]
    assert all(own == named for _, own, _, named, _ in chosen)
    assert page.count('<div class="view">') == 2
    assert "<script" not in page
