"""The section on casemix: the parts of a change, and which characteristics moved."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from sos_spark.report.sections.casemix import casemix_picture, levels_table, moved_levels, section
from tests.unit.report_example_whole import results

WHOLE = results()
RESULTS = replace(WHOLE, arms=WHOLE.arms.assign(gtime=WHOLE.arms["gtime"].where(WHOLE.arms["gtime"].isna(), 2)))
OUTCOME = "rereferral_nfa_6m"


def test_a_panel_an_outcome_shows_the_change_its_parts_and_the_fixed_casemix() -> None:
    picture = casemix_picture(RESULTS)
    assert picture is not None
    panel = picture.form[1]
    assert [row.name for row in panel.rows] == [
        "Change as it was, unadjusted",
        "Of it: other children",
        "Of it: the same children, other outcomes",
        "Change at the pilots' casemix before go-live",
    ]
    assert "93%" in picture.caption
    assert len(picture.table.rows) == 4 * len(picture.form)  # type: ignore[arg-type]


def test_levels_that_moved_in_pilots_are_told_with_the_comparators_move() -> None:
    moved = moved_levels(RESULTS, OUTCOME).set_index("level")
    assert moved.loc["1-4", "difference"] == pytest.approx(0.10 - 0.02)
    row = next(row for row in levels_table(RESULTS).rows if row[1] == "age band: 1-4")
    assert row[2:] == ("30.0 to 40.0%", "25.0 to 27.0%", "8.0")


def test_without_covariate_cells_there_is_no_section() -> None:
    assert section(RESULTS) is not None
    assert section(replace(RESULTS, casemix=pd.DataFrame())) is None
