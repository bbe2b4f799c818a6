"""What the report says of who is in the synthetic control."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from sos_spark.report.sections.synthetic import made_of, section
from tests.unit.report_example_whole import results

RESULTS = results()


def test_a_row_says_who_is_in_how_few_they_come_to_and_which_pilots_are_missing() -> None:
    row = made_of(RESULTS).rows[0]
    assert row[1:3] == ("2 of 3", "3 of 3")
    assert row[3] == "1.7"  # 1 / (0.49 + 0.09)
    assert row[4] == ", ".join(f"{RESULTS.name_of(unit)} {part}" for unit, part in (("330", "70.0%"), ("331", "30.0%")))
    assert row[5] == RESULTS.name_of("919")


def test_without_a_synthetic_control_there_is_no_section() -> None:
    assert section(RESULTS) is not None
    assert section(replace(RESULTS, synthetic=pd.DataFrame())) is None
