"""The effect with exposed comparators as a dose, against two-stage least squares on the individual rows."""

from __future__ import annotations

import pandas as pd
import pytest
from statsmodels.sandbox.regression.gmm import IV2SLS

from sos_spark.analysis.contamination import contamination_frame
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.did import fit_prepared
from tests.fit_panels import QUICK, collapsed, design_of, quarter, some_children
from tests.references import Reference
from tests.unit.test_fit_contamination import a_study, an_exposure

DOSE = Reference(
    "Contamination",
    "the effect with exposed comparators as a dose",
    "statsmodels, two-stage least squares on the individual rows",
    "package",
    1e-8,
)


@pytest.mark.parametrize("by", [(), ("age_band", "sex")])
def test_the_dose_is_that_of_two_stage_least_squares(by: tuple[str, ...]) -> None:
    children = some_children(n_rows=3_000, n_units=14, n_treated=6, n_periods=8)
    design = design_of(children, by=by)
    prepared = prepare(collapsed(children, y="yes", by=by), design)
    exposures = (
        an_exposure(la_codes=["210"]),
        an_exposure(kind="shared_staff", la_codes=["212"], intensity=0.8, **{"from": quarter(5)}),
    )
    study = a_study(*exposures)
    main = fit_prepared(prepared, design=design, inference=QUICK)
    frame = contamination_frame(main, prepared, study=study)
    found = frame[frame["kind"] == "all"].set_index("part")

    controls = pd.get_dummies(children[["unit", "period", *by]].astype(str), drop_first=True).assign(one=1)
    dose = children["treated"] + 0.5 * ((children["unit"] == 9) & (children["period"] >= 3))
    dose = dose + 0.8 * ((children["unit"] == 11) & (children["period"] >= 5))
    x, z = (controls.assign(d=d).to_numpy(dtype=float) for d in (dose, children["treated"]))
    outside = IV2SLS(children["yes"].to_numpy(dtype=float), x, z).fit()
    assert found["att"]["dose"] == DOSE.equals(float(outside.params[-1]))
