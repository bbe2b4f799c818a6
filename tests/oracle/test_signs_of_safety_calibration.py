"""Which effects Signs of Safety could have found, as the table that was saved says: its ways, size and power."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sos_spark.analysis.declared import main_specification, specifications
from sos_spark.config.load import load_study
from sos_spark.config.shipped import conf_root

TABLE = pd.read_csv(Path(__file__).with_name("signs_of_safety_calibration.csv"))
KINSHIP = "kinship_placement"


def test_the_table_has_each_way_of_the_study_s_plan() -> None:
    study = load_study(conf_root() / "studies" / "signs_of_safety.toml")
    mains = {(outcome_id, main_specification(study, outcome_id).name) for outcome_id in study.outcome_ids}
    of_kinship = [one for one in specifications(study, KINSHIP) if one.estimator == "main" and not one.before]
    assert {*TABLE[["outcome_id", "specification"]].itertuples(index=False, name=None)} == mains | {
        (KINSHIP, one.name) for one in of_kinship
    }


def test_nothing_is_found_too_often_where_there_is_nothing_and_thirteen_points_always() -> None:
    nothing = TABLE[TABLE["effect"] == 0]
    assert (nothing["reported"] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / nothing["replications"])).all()
    covered = TABLE["coverage"] >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / TABLE["replications"])
    assert covered.all()
    thirteen = TABLE[(TABLE["outcome_id"] == KINSHIP) & (TABLE["effect"] == -0.13)]
    assert len(thirteen) == 9
    assert thirteen["reported"].eq(1).all()
    assert thirteen["detectable"].lt(0.05).all()
