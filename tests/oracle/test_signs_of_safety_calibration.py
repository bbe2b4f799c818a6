"""Which effects Signs of Safety could have found, as the table that was saved says: its ways, size and power."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sos_spark.analysis.switches import ways_of
from sos_spark.config.load import load_study
from sos_spark.config.shipped import conf_root
from sos_spark.tables.results import CALIBRATION_SWITCHES

TABLE = pd.read_csv(Path(__file__).with_name("signs_of_safety_calibration.csv"))
"""What `sos-spark calibrate --switches kinship_placement=-0.13 --replications 300` left on cells of all England."""
KINSHIP = "kinship_placement"


def test_the_table_has_each_way_of_the_study_s_plan() -> None:
    study = load_study(conf_root() / "studies" / "signs_of_safety.toml")
    assert tuple(TABLE.columns) == CALIBRATION_SWITCHES.column_names
    assert {*TABLE[["outcome_id", "specification"]].itertuples(index=False, name=None)} == {
        (outcome_id, way.name)
        for outcome_id in study.outcome_ids
        for way in ways_of(study, outcome_id, every=outcome_id == KINSHIP)
    }


def test_nothing_is_found_too_often_where_there_is_nothing_and_thirteen_points_always() -> None:
    nothing = TABLE[TABLE["effect"] == 0]
    assert (nothing["reported"] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / nothing["replications"])).all()
    covered = TABLE["coverage"] >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / TABLE["replications"])
    assert covered.all()
    thirteen = TABLE[(TABLE["outcome_id"] == KINSHIP) & (TABLE["effect"] == -0.13)]
    assert len(thirteen) == 9
    assert thirteen["reported"].eq(1).all()
    assert thirteen["mde"].lt(0.05).all()
