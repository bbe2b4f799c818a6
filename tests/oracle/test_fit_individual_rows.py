"""Fits of collapsed cells against pyfixest on the individual rows they were collapsed from."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pyfixest
import pytest
from statsmodels.formula.api import wls

from sos_spark.fit.cells.prepare import Prepared, prepare
from sos_spark.fit.regression.covariance import Convention, Sandwich
from sos_spark.fit.regression.design import TREATED, treatment_regression
from sos_spark.fit.regression.final_fit import final_fit
from sos_spark.fit.regression.robust import hc1
from tests.fit_panels import collapsed, design_of, some_children
from tests.references import Reference

ROWS = Reference(
    "Two-way fixed effects",
    "estimate; CR1, iid and HC1 errors",
    "pyfixest on the individual rows",
    "package",
    1e-10,
)
CR3 = Reference(
    "Two-way fixed effects",
    "CR3 error",
    "pyfixest on the individual rows",
    "package",
    1e-9,
)
STATSMODELS = Reference(
    "Two-way fixed effects",
    "CR1 error, its counting of regressors",
    "statsmodels on the individual rows",
    "package",
    1e-9,
)

EXACT = 1e-10
COVARIATES = ("age_band", "sex")


def on_rows(children: pd.DataFrame, formula: str, vcov: object, *, weights: str | None = None) -> tuple[float, float]:
    """pyfixest's estimate and standard error of the treatment, its fixed effects swept out to the last digit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = pyfixest.feols(
            formula, children, vcov=vcov, weights=weights, fixef_tol=1e-14, fixef_maxiter=100_000, fixef_rm="none"
        )
    return float(fit.coef()["treated"]), float(fit.se()["treated"])


def on_cells(children: pd.DataFrame, *, y: str, by: tuple[str, ...] = (), z: str | None = None) -> Prepared:
    return prepare(collapsed(children, y=y, by=by, z=z), design_of(children, by=by, z=z))


def assert_equal_to_rows(children: pd.DataFrame, *, y: str) -> None:
    panel = on_cells(children, y=y, by=COVARIATES).panel
    regression = treatment_regression(panel, weights="child")
    fitted = Sandwich(regression.moments)
    formula = f"{y} ~ treated + C(age_band) + C(sex) | unit + period"
    for vcov, covariance in (
        ({"CRV1": "unit"}, fitted.cr1),
        ("iid", fitted.iid),
        ("HC1", hc1(panel, regression, fitted)),
    ):
        att, se = on_rows(children, formula, vcov)
        assert covariance is not None
        assert fitted.estimate(TREATED) == ROWS.equals(att)
        assert fitted.se(covariance, TREATED) == ROWS.equals(se)
    final = final_fit(regression.moments)
    assert final.beta[0] == ROWS.equals(fitted.estimate(TREATED))
    assert final.se_cr1[0] == ROWS.equals(fitted.se(fitted.cr1, TREATED))


@pytest.mark.parametrize("y", ["yes", "days"])
def test_coefficients_and_standard_errors_are_those_of_the_rows(y: str) -> None:
    assert_equal_to_rows(some_children(n_rows=20_000), y=y)


@pytest.mark.slow
def test_a_million_rows_give_the_same() -> None:
    assert_equal_to_rows(some_children(n_rows=1_000_000, seed=5), y="yes")


def test_la_equal_weights_are_analytic_weights_of_the_rows() -> None:
    children = some_children(n_rows=8_000, seed=2)
    children["weight"] = 1 / children.groupby("unit")["yes"].transform("size")
    panel = on_cells(children, y="yes", by=("sex",)).panel
    regression = treatment_regression(panel, weights="la_equal")
    fitted = Sandwich(regression.moments)
    formula = "yes ~ treated + C(sex) | unit + period"
    for vcov, covariance in (
        ({"CRV1": "unit"}, fitted.cr1),
        ("iid", fitted.iid),
        ("HC1", hc1(panel, regression, fitted)),
    ):
        att, se = on_rows(children, formula, vcov, weights="weight")
        assert covariance is not None
        assert fitted.estimate(TREATED) == ROWS.equals(att)
        assert fitted.se(covariance, TREATED) == ROWS.equals(se)


def test_a_continuous_covariate_needs_its_moments_only() -> None:
    children = some_children(n_rows=8_000, seed=3)
    panel = on_cells(children, y="days", by=("sex",), z="age_years").panel
    regression = treatment_regression(panel, weights="child")
    fitted = Sandwich(regression.moments)
    for vcov, covariance in (({"CRV1": "unit"}, fitted.cr1), ("iid", fitted.iid)):
        att, se = on_rows(children, "days ~ treated + age_years + C(sex) | unit + period", vcov)
        assert covariance is not None
        assert fitted.estimate(TREATED) == ROWS.equals(att)
        assert fitted.se(covariance, TREATED) == ROWS.equals(se)
    assert hc1(panel, regression, fitted) is None
    assert final_fit(regression.moments).beta[0] == ROWS.equals(fitted.estimate(TREATED))


def test_cr3_with_pyfixest_s_factor() -> None:
    children = some_children(n_rows=4_000, n_units=15, seed=4)
    moments = treatment_regression(on_cells(children, y="yes").panel, weights="child").moments
    theirs, ours = Sandwich(moments, convention=Convention.PYFIXEST), Sandwich(moments)
    _, se = on_rows(children, "yes ~ treated | unit + period", {"CRV3": "unit"})
    assert theirs.se(theirs.cr3, TREATED) == CR3.equals(se)
    rows, groups, k = len(children), 15, len(moments.names) + 1
    factor = groups / (groups - 1) * (rows - 1) / (rows - k)
    assert ours.se(ours.cr3, TREATED) == CR3.equals(se / np.sqrt(factor) * np.sqrt((groups - 1) / groups))


def test_cr1_with_statsmodels_counting() -> None:
    children = some_children(n_rows=2_000, n_units=12, n_treated=4, seed=6)
    moments = treatment_regression(on_cells(children, y="yes").panel, weights="child").moments
    fitted = Sandwich(moments, convention=Convention.STATSMODELS)
    rows = children.assign(weight=1.0)
    theirs = wls("yes ~ treated + C(unit) + C(period)", rows, weights=rows["weight"]).fit(
        cov_type="cluster", cov_kwds={"groups": rows["unit"]}
    )
    assert fitted.se(fitted.cr1, TREATED) == STATSMODELS.equals(theirs.bse["treated"])
