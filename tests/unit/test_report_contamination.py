"""The section on exposed comparators."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from sos_spark.report.sections.contamination import contamination_picture, section
from tests.unit.report_example_whole import results

RESULTS = results()


def test_a_panel_an_outcome_shows_the_estimate_and_what_is_allowed_for() -> None:
    picture = contamination_picture(RESULTS)
    assert picture is not None
    rows = picture.form[0].rows
    assert [row.name for row in rows] == [
        "As estimated",
        "Without exposed comparators",
        "Allowing for their share, as declared",
        "Allowing for any share it may be",
    ]
    assert rows[3].inner is not None
    assert rows[3].at is None
    assert picture.table.rows[3][5] == "80%"


def test_without_exposures_there_is_no_section() -> None:
    assert section(RESULTS) is not None
    assert section(replace(RESULTS, contamination=pd.DataFrame())) is None
