"""An event study of authorities that go live one by one: margins from residuals that groups share, no bands."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sos_spark.config.study import Inference
from sos_spark.fit import fit_did
from sos_spark.fit.estimators import unit_panel
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.staggered.group_time import aggregate, group_time_effects
from sos_spark.fit.staggered.residuals import average_moments
from tests.fit_panels import a_design, some_cells

INFERENCE = Inference(draws=199, permutations=99)


def event_study_of(pilots: dict[str, int]) -> tuple[pd.DataFrame, object]:
    result = fit_did(some_cells(), design=a_design(pilots=pilots), inference=INFERENCE)
    return result.event_study().set_index("event_time"), result


def test_each_effect_has_the_margin_of_its_own_average() -> None:
    frame, result = event_study_of(dict(zip(("201", "202", "203", "204", "205"), (2, 3, 4, 5, 6), strict=True)))
    units = unit_panel(result.fitted.panel)  # type: ignore[attr-defined]
    effects = group_time_effects(units)
    for event_time in (-2, 0, 1):
        own = average_moments(units, effects, {"effect": aggregate(effects, "event")[str(event_time)]})
        test = Sandwich(own).satterthwaite_of(["effect"])
        assert frame.loc[event_time, "att"] == pytest.approx(test.estimate[0])
        assert frame.loc[event_time, "se_cr2"] == pytest.approx(test.se[0])
    assert frame[["band_low", "band_high"]].isna().all(axis=None)
    assert "go live together" in result.event_study_result.note  # type: ignore[attr-defined]
    assert np.isnan(result.event_study_result.p_pretrend)  # type: ignore[attr-defined]


def test_groups_that_are_large_enough_keep_their_bands() -> None:
    pilots = {str(code): 3 if code < 206 else 5 for code in range(201, 211)}
    frame, result = event_study_of(pilots)
    assert frame["band_low"].drop(-1).notna().all()
    assert not np.isnan(result.event_study_result.p_pretrend)  # type: ignore[attr-defined]
