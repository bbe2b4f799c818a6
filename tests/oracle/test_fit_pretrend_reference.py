"""The slope before go-live against pyfixest on the individual rows that no programme has touched."""

from __future__ import annotations

import numpy as np
import pyfixest as pf
import pytest

from sos_spark.analysis.pretrend import SLOPE, pre_trend
from sos_spark.fit import fit_did
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import regression
from tests.fit_panels import QUICK, collapsed, design_of, quarter, some_children
from tests.references import Reference

SLOPE_OF_ROWS = Reference(
    "Drift before go-live",
    "slope",
    "pyfixest on the individual rows",
    "package",
    1e-8,
)


@pytest.mark.parametrize("by", [(), ("age_band",), ("age_band", "sex")])
@pytest.mark.parametrize("weights", ["child", "la_equal"])
def test_the_slope_is_that_of_the_individual_rows(by: tuple[str, ...], weights: str) -> None:
    children = some_children(n_rows=6_000, n_units=20, n_treated=6)
    inference = QUICK.model_copy(update={"weights": weights})
    result = fit_did(collapsed(children, y="days", by=by), design=design_of(children, by=by), inference=inference)
    found = pre_trend(result, smallest_effect=None)
    before = children[children["period"] < 6].copy()
    before["line"] = (before["unit"] < 6) * before["period"]
    before["w"] = 1 / before.groupby("unit")["unit"].transform("size") if weights == "la_equal" else 1.0
    controls = " + ".join(["line", *(f"C({name})" for name in by)])
    theirs = pf.feols(f"days ~ {controls} | unit + period", before, vcov={"CRV1": "unit"}, weights="w")
    assert found.slope == SLOPE_OF_ROWS.equals(float(theirs.coef()["line"]))
    assert result.fitted is not None
    assert found.n_pre == 6
    # CR2 lies a little above CR1 with so few treated LAs; both are of the same rows.
    assert 0.9 < found.se_cr2 / float(theirs.se()["line"]) < 1.5


def test_with_several_go_lives_each_authority_stops_at_its_own() -> None:
    children = some_children(n_rows=6_000, n_units=20, n_treated=6)
    go_live = np.where(children["unit"] < 6, 6 + children["unit"] % 3, 99)
    children["treated"] = (children["period"] >= go_live).astype(float)
    design = design_of(children)
    own = tuple(
        pilot.model_copy(update={"go_live": quarter(6 + (int(pilot.la_code) - 201) % 3)}) for pilot in design.pilots
    )
    result = fit_did(collapsed(children, y="days"), design=design.model_copy(update={"pilots": own}), inference=QUICK)
    assert result.estimator == "imputation"
    before = children[(children["treated"] == 0) & (children["period"] < 8)].copy()
    before["line"] = (before["unit"] < 6) * before["period"]
    theirs = pf.feols("days ~ line | unit + period", before, vcov={"CRV1": "unit"})
    assert pre_trend(result, smallest_effect=None).slope == SLOPE_OF_ROWS.equals(float(theirs.coef()["line"]))


def test_the_slope_is_the_event_study_before_go_live_drawn_as_a_line() -> None:
    """With the same LAs in every period and cells alike, a line through the effects by generalised least squares."""
    children = some_children(n_rows=6_000, n_units=20, n_treated=6)
    cells = collapsed(children, y="days")
    share = cells["y_sum"] / cells["n"]
    cells = cells.assign(n=10, y_sum=10 * share, y_sumsq=10 * share**2)
    result = fit_did(cells, design=design_of(children), inference=QUICK)
    assert result.fitted is not None
    panel = result.fitted.panel
    treated = panel.is_treated_unit[:, None]
    dummies = {f"at_{t}": ((panel.event_time == t) & treated).astype(float) for t in range(6)}
    moments = regression(
        panel, {SLOPE: np.where(treated & (panel.event_time < 0), panel.event_time, 0.0), **dummies}, weights="child"
    ).moments
    slope = pre_trend(result, smallest_effect=None).slope
    assert slope == pytest.approx(Sandwich(moments).estimate(SLOPE), rel=1e-9)
