"""The fit's panel from a lake is the panel of a file: covariates not named are ignored, moments are columns."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from sos_spark.config.load import study_from
from sos_spark.errors import InputError
from sos_spark.fit.cells.prepare import prepare
from sos_spark.lake.lake import Lake
from sos_spark.steps.fit import panel_frame
from sos_spark.tables import PANEL_CELLS, PANEL_MOMENTS
from tests.fit_panels import collapsed, quarter, some_children

MOMENTS = ("age_years__sum", "age_years__age_years__sum", "age_years__y__sum")
STUDY = study_from(
    {
        "schema_version": 1,
        "study_id": "made_up",
        "title": "A made-up study",
        "window": {
            "baseline": [quarter(0), quarter(3)],
            "follow_up": [quarter(3), quarter(6)],
            "data_ends": quarter(6),
        },
        "pilots": [{"la_code": code, "go_live": quarter(3)} for code in ("201", "202", "203")],
        "outcomes": [{"outcome_id": "o", "kind": "icpc"}],
        "covariates": {"categorical": ["sex"], "continuous": [{"name": "age_years", "centre": 8}]},
    }
)


@pytest.mark.slow
def test_moments_become_columns_and_the_panel_is_a_files(spark: SparkSession, tmp_path: Path) -> None:
    cells = collapsed(
        some_children(n_rows=400, n_units=6, n_treated=3, n_periods=6), y="yes", by=("sex",), z="age_years"
    )
    keys = [
        ("made_up", "o", row["unit_id"], row["period"], date.fromisoformat(row["period_start"]), row["sex"])
        for row in cells.to_dict("records")
    ]
    rows = [
        (*key[:5], None, key[5], None, None, int(row["n"]), int(row["y_sum"]), int(row["y_sumsq"]))
        for key, row in zip(keys, cells.to_dict("records"), strict=True)
    ]
    moments = [
        (*key[:4], None, key[5], None, None, name, Decimal(int(value)))
        for name in MOMENTS
        for key, value in zip(keys, cells[name], strict=True)
    ]
    lake = Lake(tmp_path)
    lake.overwrite(spark.createDataFrame(rows, PANEL_CELLS.schema()), PANEL_CELLS, fingerprint="1")
    lake.overwrite(spark.createDataFrame(moments, PANEL_MOMENTS.schema()), PANEL_MOMENTS, fingerprint="1")

    ours = prepare(panel_frame(tmp_path, STUDY), STUDY.design("o")).panel

    theirs = prepare(cells.assign(study_id="made_up"), STUDY.design("o")).panel
    assert ours.covariates == theirs.covariates
    assert ours.covariates[-1] == "age_years"
    for name in ("rows", "y_sum", "y_sumsq", "z_sum", "zz_sum", "zy_sum"):
        pd.testing.assert_frame_equal(
            pd.DataFrame(getattr(ours, name).reshape(6, -1)), pd.DataFrame(getattr(theirs, name).reshape(6, -1))
        )


def test_a_lake_without_a_panel_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        panel_frame(tmp_path, STUDY)
