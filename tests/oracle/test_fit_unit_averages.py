"""The t test on unit averages against Lee and Wooldridge's as another package has it, and its size by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from diff_diff import LWDiD

from sos_spark.fit.regression.design import NEVER
from sos_spark.fit.staggered.group_time import UnitPanel
from sos_spark.fit.welch import WelchTest, welch_test
from tests.oracle.seeded_rates import holds_its_level
from tests.references import Reference

LEE_WOOLDRIDGE = Reference(
    "Exact t inference on unit averages",
    "estimate, standard error, p and interval",
    "diff-diff (Lee and Wooldridge)",
    "package",
    1e-9,
)


def unit_averages(y: np.ndarray, n_treated: int) -> WelchTest:
    """The test on means (G, 5), of which three periods are before go-live."""
    gtime = np.where(np.arange(len(y)) < n_treated, 3, NEVER)
    return welch_test(UnitPanel(tuple(f"{u:02d}" for u in range(len(y))), gtime, np.full(y.shape, 10.0), 10 * y))


@pytest.mark.parametrize("n_treated", [2, 5])
def test_the_pooled_test_is_lee_and_wooldridge_s_on_unit_averages(n_treated: int) -> None:
    """Their rolling regression, three periods before and two after, as diff-diff computes it."""
    y = np.random.default_rng(n_treated).normal(size=(14, 5))
    ours = unit_averages(y, n_treated)
    unit, time = (index.ravel() for index in np.indices(y.shape))
    treated = (unit < n_treated) & (time >= 3)
    rows = pd.DataFrame({"unit": unit, "time": time, "y": y.ravel(), "d": treated.astype(int)})
    outside = LWDiD(rolling="demean", vcov_type="classical").fit(rows, "y", "unit", "time", "d")
    assert ours.difference == LEE_WOOLDRIDGE.equals(float(outside.att))
    assert ours.se_pooled == LEE_WOOLDRIDGE.equals(float(outside.se))
    assert ours.p_pooled == LEE_WOOLDRIDGE.equals(float(outside.p_value))
    assert list(ours.pooled_interval()) == LEE_WOOLDRIDGE.equals([float(end) for end in outside.conf_int])


def test_two_pilots_of_twenty_are_rejected_as_often_as_they_should_be_if_they_vary_as_the_others() -> None:
    """Where their changes vary twice as much it is 20 % or more, which is why it stands beside and not in front."""
    random = np.random.default_rng(1)
    panels = random.normal(size=(1_500, 20, 5))
    assert holds_its_level(float(np.mean([unit_averages(y, 2).p_pooled <= 0.05 for y in panels])))
    panels[:, :2] *= 2
    assert np.mean([unit_averages(y, 2).p_pooled <= 0.05 for y in panels]) > 0.2
