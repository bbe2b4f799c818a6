"""The section on lengths day by day: the spike at the limit, shares within each day, and the numbers."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from sos_spark.report.figures.plot import Curve, Plot, Stem
from sos_spark.report.sections.durations import hazard_picture, measures_table, section, shares_picture
from tests.unit.report_example_whole import results

RESULTS = results()
OUTCOME = "assessment_duration"


def test_the_chance_of_each_day_is_drawn_by_arm_before_and_after() -> None:
    picture = hazard_picture(RESULTS, OUTCOME)
    assert picture is not None
    assert isinstance(picture.form, tuple)
    plots = [plot for plot in picture.form if isinstance(plot, Plot)]
    assert [plot.title for plot in plots] == ["Pilots", "Comparators"]
    for plot in plots:
        before, after = (mark for mark in plot.marks if isinstance(mark, Curve))
        assert (before.dashed, after.dashed) == (True, False)
        assert after.ys == (2.0, 20.0, 1.0)
    assert "Pilots from go-live on: most on day 44, 20.0%" in picture.alt
    assert len(picture.table.rows) == 12


def test_the_change_within_each_day_has_its_interval_and_the_band_of_all() -> None:
    picture = shares_picture(RESULTS, OUTCOME)
    assert picture is not None
    assert picture.title == "Some shares changed (all days together: p = 0.03)"
    assert isinstance(picture.form, tuple)
    (plot,) = picture.form
    assert isinstance(plot, Plot)
    assert sum(isinstance(mark, Stem) for mark in plot.marks) == 2 * 4
    assert picture.table.rows[-1][:4] == ("45", "80.0%", "77.0%", "3.0")


def test_the_numbers_of_each_method_are_told() -> None:
    table = measures_table(RESULTS, OUTCOME)
    rows = {(row[0], row[1]): row for row in table.rows}
    assert ("Difference-in-differences", "within 20 days") not in rows
    median = rows["Changes-in-changes", "day by which 50% were concluded"]
    assert median[2:6] == ("28.0", "29.0", "-1.00 working days", "-2.00 to beyond")
    assert rows["Changes-in-changes", "mean, none counting more than 90"][7] == "ties leave -1.10 to -0.70"
    assert rows["Chance a day, of those still open", "days 41 to 45"][2] == "20.0%"


def test_a_run_without_days_has_no_section() -> None:
    assert section(RESULTS) is not None
    assert section(replace(RESULTS, duration_effects=pd.DataFrame())) is None
    assert hazard_picture(replace(RESULTS, duration_days=pd.DataFrame()), OUTCOME) is None
    assert shares_picture(RESULTS, "rereferral_nfa_6m") is None


def test_without_a_p_of_all_days_the_title_claims_nothing() -> None:
    blank = RESULTS.duration_effects.assign(p=float("nan"))
    picture = shares_picture(replace(RESULTS, duration_effects=blank), OUTCOME)
    assert picture is not None
    assert picture.title == "Change in the share concluded within each day"
