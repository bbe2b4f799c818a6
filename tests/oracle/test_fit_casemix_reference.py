"""The effect at a fixed casemix, and its split into casemix and rate: against individual rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from sos_spark.analysis.casemix import (
    casemix_frame,
)
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.regression.design import PreparedPanel
from tests.fit_panels import QUICK, collapsed, design_of, some_children
from tests.references import Reference

CASEMIX = Reference(
    "Casemix and rate",
    "both parts and the standardised effect",
    "statsmodels on the individual rows, weighed or less their expectation",
    "package",
    1e-9,
)
BY = ("age_band", "sex")


@pytest.fixture(scope="module")
def children() -> pd.DataFrame:
    return some_children(n_rows=6_000, n_units=14, n_treated=6, n_periods=8)


def panel_of(children: pd.DataFrame, y: str = "yes") -> PreparedPanel:
    return prepare(collapsed(children, y=y, by=BY), design_of(children, by=BY)).panel


def effect(rows: pd.DataFrame, y: str, weight: np.ndarray | None = None) -> tuple[float, float]:
    """The coefficient of a regression on rows, and its CR1 standard error before any factor."""
    used = np.ones(len(rows)) if weight is None else weight
    fitted = smf.wls(f"{y} ~ treated + C(unit) + C(period)", rows, weights=used).fit()
    return float(fitted.params["treated"]), float(fitted.bse["treated"])


@pytest.mark.parametrize("y", ["yes", "days"])
def test_parts_and_the_standardised_effect_are_those_of_individual_rows(children: pd.DataFrame, y: str) -> None:
    rows = children.assign(stratum=children["age_band"] + children["sex"])
    untouched = rows[rows["treated"] == 0]
    rows["expected"] = rows["stratum"].map(untouched.groupby("stratum")[y].mean())
    rows["beyond"] = rows[y] - rows["expected"]
    found = casemix_frame(panel_of(children, y), inference=QUICK).query("by == 'all'").set_index("part")["att"]
    assert found["unadjusted"] == CASEMIX.equals(effect(rows, y)[0])
    assert found["casemix"] == CASEMIX.equals(effect(rows, "expected")[0])
    assert found["rate"] == CASEMIX.equals(effect(rows, "beyond")[0])
    assert found["casemix"] + found["rate"] == pytest.approx(found["unadjusted"], rel=1e-12)

    pilot = rows["unit"] < 6
    seen = rows.assign(pilot=pilot).pivot_table(index=["pilot", "period"], columns="stratum", values=y, aggfunc="size")
    rows["merged"] = rows["stratum"].where(rows["stratum"].map(seen.notna().all()), "others")
    standard = rows[pilot & (rows["treated"] == 0)]["merged"].value_counts(normalize=True)
    share = rows.groupby([pilot.rename("pilot"), "period"])["merged"].value_counts(normalize=True)
    own = share.loc[list(zip(pilot, rows["period"], rows["merged"], strict=True))].to_numpy()
    there = {key: standard[part.index.get_level_values("merged")].sum() for key, part in share.groupby(level=[0, 1])}
    weight = (
        rows["merged"].map(standard).to_numpy() / own / [there[key] for key in zip(pilot, rows["period"], strict=True)]
    )
    assert found["standardised"] == CASEMIX.equals(effect(rows, y, weight)[0])
    assert "others" in set(rows["merged"])
